import BusAgent
import BusBroker
import BusConsole
import BusContracts
import BusDirectory
import BusProtocol
import Foundation
import Logging
import Testing

@testable import kerege

/// A broker with its console in this process: two systems, a service, a command, an event, a temporary folder, free ports.
struct SmallBus: Sendable {
    let folder: String
    let broker: Broker
    let port: Int

    static let service = "register.record-get.v1"
    static let command = "register.record-change.v1"
    static let event = "register.record-changed.v1"

    /// Everything of the space but its keys.
    static let space = """
        space:
          id: small
          title: {en: Small space}
          demo: true
          note: For tests.
        broker: {id: broker-1, endpoint: "tcp://127.0.0.1:7400"}
        thresholds: {heartbeat: {interval: 1s, missed: 3}}
        agencies:
          - {id: ministry, name: {en: Ministry}}
        systems:
          - {id: register, owner: ministry, status: operation, name: {en: Register}}
          - {id: portal, owner: ministry, status: operation, name: {en: Portal}}
        services:
          - {name: \(service), kind: request, deadline: 2s, promisedP95: 100ms}
          - {name: \(command), kind: command, deadline: 1h, retry: {attempts: 2, first: 10ms, longest: 20ms}}
          - {name: \(event), kind: event}
        integrations:
          - {id: portal-record, consumer: portal, service: \(service), owner: ministry, planYear: 2026, due: 2099-12-31, stage: approved, baseline: true}
          - {id: portal-orders, consumer: portal, service: \(command), owner: ministry, planYear: 2026, due: 2099-12-31, stage: approved, baseline: true}
          - {id: portal-changes, consumer: portal, event: \(event), owner: ministry, planYear: 2026, due: 2099-12-31, stage: testing, added: 2026-05-02}

        """

    /// Runs a bus for the time of `body`.
    static func run(_ body: (SmallBus) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "kerege-console-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try start(in: folder)
        let console = try Console(
            broker: broker, journalFolder: folder, port: 0, dataFolder: folder, logger: silent)
        let serving = Task { try await console.run() }
        do {
            let port = try #require(await console.boundPort)
            try await body(SmallBus(folder: folder, broker: broker, port: port))
        } catch {
            await end(serving, broker)
            throw error
        }
        await end(serving, broker)
    }

    private static func end(_ serving: Task<Void, any Error>, _ broker: Broker) async {
        serving.cancel()
        _ = try? await serving.value
        await broker.stop()
    }

    static var silent: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }

    private static func start(in folder: String) throws -> Broker {
        let keys = folder + "/keys"
        let brokerKey = try key("broker", in: keys)
        var yaml = space + "keys:\n"
        for (agent, systems) in [
            ("register-1", "register"), ("portal-1", "portal"), ("operator", "portal, register"),
        ] {
            let key = try key(agent, in: keys)
            yaml +=
                "  - {agent: \(agent), systems: [\(systems)], curve: '\(key.publicKey)', sign: \(key.signPublicKey ?? "")}\n"
        }
        let reading = Space.load([SpaceFile(name: "space.yaml", text: yaml)])
        let space = try #require(reading.space, "\(reading.findings)")
        return try Broker(
            BrokerConfiguration(
                listen: "tcp://127.0.0.1:*", data: folder, name: "broker-1", secretKey: brokerKey.curveSecret,
                space: space),
            logger: silent)
    }

    /// A key without `&`: the files of a space refuse what could be an anchor of YAML.
    private static func key(_ name: String, in folder: String) throws -> KeyFile {
        while true {
            let key = try KeyFile.create(name: name, in: folder)
            if !key.publicKey.contains("&") { return key }
            try FileManager.default.removeItem(atPath: "\(folder)/\(name).key")
        }
    }

    // MARK: - Agents

    /// Answers the service with the request's own body; of `{"n":"none"}` it knows nothing.
    func provider() async throws -> Agent {
        try await Agent.connect(configuration("register-1", ["register"])) { agent in
            agent.answer(Self.service) { inquiry in
                guard inquiry.body != Array(#"{"n":"none"}"#.utf8) else {
                    throw BusFault(.nothingFound, at: .providerSystem)
                }
                return inquiry.body
            }
        }
    }

    /// The same, by an agent that marks whom `iin` of a request is about.
    func provider(marking subjects: SubjectFile) async throws -> Agent {
        let contract = """
            {"contract":"\(Self.service)","kind":"request","title":{"kk":"а","ru":"б","en":"c"},"summary":"A record.",
             "request":{"type":"object","properties":{"iin":{"type":"string"}}},"reply":{"type":"object"},"x-subject":"/iin"}
            """
        var configuration = try configuration("register-1", ["register"])
        configuration.contracts = ContractLibrary([try Contract.parse(Array(contract.utf8))])
        configuration.subjects = [subjects]
        return try await Agent.connect(configuration) { agent in agent.answer(Self.service) { $0.body } }
    }

    /// Carries out the command as `handler` says.
    func performer(
        _ handler: @escaping @Sendable (BusCommand) async throws -> CommandResult
    ) async throws -> Agent {
        try await Agent.connect(configuration("register-1", ["register"])) { agent in
            agent.perform(Self.command, handler)
        }
    }

    /// The portal's own agent; takes events as `handler` says.
    func portal(_ handler: @escaping @Sendable (BusEvent) async throws -> Void = { _ in }) async throws -> Agent {
        try await Agent.connect(configuration("portal-1", ["portal"])) { agent in
            agent.subscribe(Self.event, handler)
        }
    }

    func asker() async throws -> Agent { try await Agent.connect(configuration("operator", [])) }

    private func configuration(_ name: String, _ systems: [String]) throws -> AgentConfiguration {
        var configuration = AgentConfiguration(broker: broker.endpoint, name: name, systems: systems)
        configuration.keys = try KeyFile.load("\(folder)/keys/\(name).key")
        configuration.brokerKey = broker.publicKey
        configuration.logger = Self.silent
        return configuration
    }

    // MARK: - HTTP

    var token: String { get throws { try AdminToken.read(AdminToken.path(in: folder)).reveal() } }
    var client: WaitingClient {
        get throws { WaitingClient(client: try AdminClient(address: "127.0.0.1:\(port)", data: folder)) }
    }

    /// A request with this token, or the right one.
    func send(
        _ method: String, _ path: String, token: String?? = nil, body: String? = nil
    ) async throws -> HTTPExchange.Response {
        let offered = try token ?? self.token
        let exchange = HTTPExchange(host: "127.0.0.1", port: UInt16(port))
        return try await onThreadOfItsOwn {
            try exchange.send(method, path, token: offered, body: body.map { Data($0.utf8) }, within: .seconds(20))
        }
    }

    static func files(_ text: String) -> SpaceFiles { SpaceFiles(files: [.init(name: "s.yaml", text: text)]) }
}

/// The command line's client blocks; the tasks of the console need the threads it would block.
struct WaitingClient: Sendable {
    let client: AdminClient

    func get<Page: Decodable & Sendable>(_ type: Page.Type, _ path: String) async throws -> (page: Page, raw: Data) {
        try await onThreadOfItsOwn { try client.get(type, path) }
    }

    func post<Page: Decodable & Sendable>(
        _ type: Page.Type, _ path: String, _ body: some Encodable & Sendable
    ) async throws -> (page: Page, raw: Data) {
        try await onThreadOfItsOwn { try client.post(type, path, body) }
    }
}

func onThreadOfItsOwn<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}

/// Asks again and again until it is so.
func eventually(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < end {
        if try await isSo() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("never: \(what)")
}
