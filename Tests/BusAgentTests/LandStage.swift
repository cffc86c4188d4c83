import BusProtocol
import GRDB
import Logging
import Synchronization
import Testing

@testable import BusAgent

/// A register of land whose agent can be ended and started again over the same file, and a consumer that sends it commands.
final class LandStage: Sendable {
    static let yaml = """
        agent: land-1
        systems: [land]
        database: land.sqlite
        commands:
          - service: land.mark.v1
            refuse: SELECT 4093, 'there is no such plot' WHERE NOT EXISTS (SELECT 1 FROM plot WHERE number = :plot)
            sql: |
              UPDATE plot SET marks = marks + 1, by = :consumer WHERE number = :plot;
              INSERT INTO done (command, at) VALUES (:command, :now);
            outcome: SELECT json_object('plot', number, 'marks', marks) FROM plot WHERE number = :plot
          - service: land.sell.v1
            before: buyer
            sql: |
              INSERT INTO sale (command, plot, buyer) VALUES (:command, :plot, :buyer);
              INSERT INTO outbox (kind, body) VALUES ('fee', json_object('reference', :command));
            outcome: later
        sends:
          - service: pay.request.v1
            sql: SELECT id, body FROM outbox WHERE kind = 'fee' AND id > :after ORDER BY id LIMIT 100
        outcomes:
          - service: pay.request.v1
            sql: |
              INSERT INTO told (command, code, row, invoice) VALUES (:command, :outcome, :row, :invoice);
              INSERT INTO kerege_outcome (command, code, body)
              SELECT s.command, :outcome, 'no fee can be paid' FROM outbox o JOIN sale s ON s.command = o.body ->> 'reference'
              WHERE o.id = :row AND :outcome <> 0;
        subscriptions:
          - event: pay.confirmed.v1
            sql: |
              UPDATE plot SET owner = (SELECT buyer FROM sale WHERE command = :reference), changes = changes + 1
              WHERE number = (SELECT plot FROM sale WHERE command = :reference);
              INSERT INTO kerege_outcome (command, body) VALUES (:reference, json_object('paid', :now > 0));
        publications:
          - event: land.moved.v1
            sql: SELECT id, body FROM outbox WHERE kind = 'moved' AND id > :after ORDER BY id LIMIT 100
        """

    static let tables = """
        CREATE TABLE plot (number TEXT PRIMARY KEY, owner TEXT, marks INTEGER DEFAULT 0, by TEXT, changes INTEGER DEFAULT 0);
        CREATE TABLE sale (command TEXT PRIMARY KEY, plot TEXT, buyer TEXT);
        CREATE TABLE done (command TEXT, at INTEGER);
        CREATE TABLE told (command TEXT, code INTEGER, row INTEGER, invoice TEXT);
        CREATE TABLE outbox (id INTEGER PRIMARY KEY, kind TEXT, body TEXT);
        INSERT INTO plot (number, owner) VALUES ('1:1', 'Абай'), ('1:2', 'Абай');
        """

    /// A run of the register's agent.
    struct Run: Sendable {
        let agent: Agent
        let adapter: SQLAdapter
        let work: Task<Void, Never>

        func end() async {
            work.cancel()
            await agent.close()
            await work.value
            adapter.close()
        }
    }

    let scratch: Scratch
    let broker: MiniBroker
    let database: DatabaseQueue
    let consumer: Agent
    /// By system, and the broker's: of agents that sign, over encrypted connections. Empty: nobody has keys.
    private let keys: [String: KeyFile]

    init(_ behaviour: MiniBroker.Behaviour = .init(), before: String = "", signs: Bool = false) async throws {
        let scratch = try Scratch()
        let owners = signs ? ["broker", "land", "notary"] : []
        let keys = try owners.reduce(into: [:]) { $0[$1] = try KeyFile.create(name: $1, in: scratch.path) }
        broker = try MiniBroker(
            behaviour, secret: keys["broker"]?.curveSecret, admitting: Set(keys.values.map(\.publicKey)))
        self.scratch = scratch
        self.keys = keys
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        database = try DatabaseQueue(path: scratch.file("land.sqlite"), configuration: configuration)
        try await database.write { try $0.execute(sql: before + Self.tables) }
        consumer = try await Agent.connect(Self.configuration("notary", broker, keys))
    }

    private static func configuration(
        _ system: String, _ broker: MiniBroker, _ keys: [String: KeyFile]
    ) -> AgentConfiguration {
        var configuration = AgentTests.configuration(broker, system)
        configuration.keys = keys[system]
        configuration.brokerKey = keys["broker"]?.publicKey
        return configuration
    }

    func configuration(_ system: String) -> AgentConfiguration { Self.configuration(system, broker, keys) }

    func start(check: CommandCheck = CommandCheck { _, _ in .proceed(with: []) }) async throws -> Run {
        let file = try AgentFile(Self.yaml, name: "land.yaml")
        let adapter = try SQLAdapter(
            file, database: scratch.file("land.sqlite"), checks: ["buyer": check], logger: Logger(label: "test"))
        let agent = try await Agent.connect(configuration("land")) { adapter.attach(to: $0) }
        return Run(agent: agent, adapter: adapter, work: Task { await adapter.run(agent) })
    }

    func command(_ service: String, _ json: String) throws -> PreparedMessage {
        try consumer.prepareCommand(service, Array(json.utf8))
    }

    func send(_ message: PreparedMessage) async throws { _ = try await consumer.submit(message) }

    func publish(_ event: String, _ json: String) async throws {
        _ = try await consumer.publish(event, Array(json.utf8))
    }

    func value(_ sql: String) async throws -> String? {
        try await database.read { try String.fetchOne($0, sql: "SELECT CAST((\(sql)) AS TEXT)") }
    }

    /// Waits until a query gives a value; the suite's time limit ends a wait in vain.
    func until(_ sql: String, is wanted: String) async throws {
        while try await value(sql) != wanted { await Task.yield() }
    }

    /// Waits until the register's agents have settled so much.
    func untilSettled(_ count: Int) async -> [Command] {
        while settlements.count < count { await Task.yield() }
        return settlements.map(\.command)
    }

    var settlements: [(command: Command, code: UInt16)] {
        broker.settledBy.withLock { $0.filter { $0.system == "land" }.map { ($0.command, $0.row.code) } }
    }

    func untilSent(_ kind: MessageKind, _ count: Int) async -> [MiniBroker.Envelope] {
        while broker.durable(kind).count < count { await Task.yield() }
        return broker.durable(kind)
    }

    func end(_ run: Run? = nil) async {
        await run?.end()
        await consumer.close()
    }
}
