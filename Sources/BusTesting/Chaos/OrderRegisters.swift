import Foundation
import GRDB

/// The registers of two systems, as their own agents work on them: `alpha` has an outbox of orders, `bravo` counts what was carried
/// out. Nothing in them would hide a second effect.
final class OrderRegisters: Sendable {
    private let alpha: DatabaseQueue
    private let bravo: DatabaseQueue

    private static let keys = 8
    /// Orders under way beyond which none is added.
    private static let mostUnderWay = 200
    private static let pause: Duration = .milliseconds(50)

    /// Makes the files, before any agent opens them.
    init(folder: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        alpha = try DatabaseQueue(path: folder + "/alpha.sqlite", configuration: configuration)
        bravo = try DatabaseQueue(path: folder + "/bravo.sqlite", configuration: configuration)
        try alpha.write { try $0.execute(sql: Self.alphaTables) }
        try bravo.write { try $0.execute(sql: Self.bravoTables) }
    }

    // MARK: - The load

    /// Adds orders, one of each key in a transaction, until the task is cancelled.
    func run() async throws {
        var count = 0
        do {
            while true {
                if try await underWay() < Self.mostUnderWay {
                    count += 1
                    try await add(count)
                }
                try await Task.sleep(for: Self.pause)
            }
        } catch is CancellationError {}
    }

    private func add(_ count: Int) async throws {
        try await alpha.write { database in
            for key in 0..<Self.keys {
                try database.execute(sql: "INSERT INTO orders (key, count) VALUES (?, ?)", arguments: [key, count])
            }
        }
    }

    func underWay() async throws -> Int {
        try await number("SELECT (SELECT count(*) FROM orders) - (SELECT count(*) FROM ended)", in: alpha)
    }

    /// Orders whose outcome came back.
    func ended() async throws -> Int { try await number("SELECT count(*) FROM ended", in: alpha) }

    /// Every order has its outcome, and every change was heard of.
    func isSettled() async throws -> Bool {
        let unended = "SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT 1 FROM ended WHERE row = o.id)"
        let unheard = """
            SELECT (SELECT count(*) FROM orders) - (SELECT count(*) FROM (SELECT DISTINCT key, count FROM heard))
            """
        let waiting = try await number(unended, in: alpha)
        return try await waiting + number(unheard, in: alpha) == 0
    }

    private func number(_ sql: String, in queue: DatabaseQueue) async throws -> Int {
        try await queue.read { try Int.fetchOne($0, sql: sql) ?? 0 }
    }

    // MARK: - The count

    private struct Row: Sendable {
        var id: Int64
        var message: CampaignRecord.Message
        var code: Int
        var name: String { "key \(message.key) count \(message.count)" }
    }

    /// Reads the registers into the record, as if it had seen everything happen.
    /// - Parameter isWhole: everything had its time to come to an end; else only what happened too often is counted.
    func count(_ record: CampaignRecord, _ result: inout CampaignResult, isWhole: Bool) async throws {
        let orders = try await rows("SELECT id, key, count, 0 FROM orders ORDER BY id", in: alpha)
        for order in orders {
            await record.promiseCommand(order.name, order.message)
            await record.promiseEvent("change of \(order.name)", order.message)
        }
        for effect in try await rows("SELECT id, key, count, 0 FROM effect ORDER BY id", in: bravo) {
            await record.takeEffect(effect.name, effect.message)
        }
        for heard in try await rows("SELECT id, key, count, 0 FROM heard ORDER BY id", in: alpha) {
            await record.hear("change of \(heard.name)")
        }
        await result.take(record)
        guard isWhole else { return }
        let unsent = Set(try await rows(Self.unsent, in: alpha).map(\.name))
        let missing = await record.missing
        result.stick(missing.filter(unsent.contains))
        result.lose(missing.filter { !unsent.contains($0) })
        try await countOutcomes(orders, &result)
    }

    /// One outcome an order, and it is that of its effect.
    private func countOutcomes(_ orders: [Row], _ result: inout CampaignResult) async throws {
        let ended = try await rows("SELECT row, 0, coalesce(count, 0), code FROM ended ORDER BY id", in: alpha)
        let outcomes = Dictionary(grouping: ended, by: \.id)
        for order in orders {
            let own = outcomes[order.id] ?? []
            if own.isEmpty { result.lose(["outcome of \(order.name)"]) }
            if own.count > 1 { result.duplicate(["outcome of \(order.name)"]) }
            if let first = own.first, first.code != 0 || first.message.count != order.message.count {
                result.breakPromise(["\(order.name) has outcome \(first.code), count \(first.message.count)"])
            }
        }
    }

    private func rows(_ sql: String, in queue: DatabaseQueue) async throws -> [Row] {
        try await queue.read { database in
            try GRDB.Row.fetchAll(database, sql: sql).map {
                Row(id: $0[0], message: .init(key: $0[1], count: $0[2]), code: $0[3])
            }
        }
    }

    // MARK: - Tables and agents' files

    private static let unsent = """
        SELECT id, key, count, 0 FROM orders
        WHERE id > coalesce((SELECT published FROM kerege_outbox WHERE event = '\(OrderSpace.order)'), 0)
        """

    private static let alphaTables = """
        CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL, count INTEGER NOT NULL);
        CREATE TABLE ended (id INTEGER PRIMARY KEY AUTOINCREMENT, row INTEGER, code INTEGER NOT NULL, count INTEGER);
        CREATE INDEX ended_row ON ended (row);
        CREATE TABLE heard (id INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL, count INTEGER NOT NULL);
        """

    private static let bravoTables = """
        CREATE TABLE effect (
            id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, key INTEGER NOT NULL, count INTEGER NOT NULL);
        """

    static let alphaFile = """
        database: alpha.sqlite
        sends:
          - service: \(OrderSpace.order)
            sql: SELECT id, json_object('key', key, 'count', count) FROM orders WHERE id > :after ORDER BY id LIMIT 100
        outcomes:
          - service: \(OrderSpace.order)
            sql: INSERT INTO ended (row, code, count) VALUES (:row, :outcome, :count)
        subscriptions:
          - event: \(OrderSpace.changed)
            sql: INSERT INTO heard (key, count) VALUES (:key, :count)

        """

    static let bravoFile = """
        database: bravo.sqlite
        commands:
          - service: \(OrderSpace.order)
            sql: INSERT INTO effect (command, key, count) VALUES (:command, :key, :count)
            outcome: SELECT json_object('count', :count)
        publications:
          - event: \(OrderSpace.changed)
            sql: SELECT id, json_object('key', key, 'count', count) FROM effect WHERE id > :after ORDER BY id LIMIT 100

        """
}
