import BusContracts
import BusProtocol
import GRDB
import Logging

/// Events to and from a database.
extension SQLAdapter {
    func subscribe(_ subscription: AgentFile.Subscription, _ agent: Agent) {
        let contract =
            agent.configuration.isOpaque ? nil : agent.configuration.contracts?.contract(of: subscription.event)
        let logger = logger
        agent.subscribeDeferred(subscription.event) { [writing] event, settler in
            let taken = writing.put { connection in
                let result = Result { try Self.take(event, subscription, contract, connection) }
                if case .failure(let error) = result {
                    logger.warning(
                        "event not taken",
                        metadata: ["event": "\(event.event)", "id": "\(event.id)", "error": "\(Self.words(error))"])
                }
                settler.settle(result)
            }
            if !taken { settler.settle(.failure(BusFault(.queueFull, at: .providerAgent))) }
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as DatabaseError: error.withoutArguments
        case let fault as BusFault: "\(fault)"
        default: "\(type(of: error))"
        }
    }

    /// The change and the event's id are one transaction, so an event that comes twice has one effect.
    private static func take(
        _ event: BusEvent, _ subscription: AgentFile.Subscription, _ contract: BoundContract?,
        _ connection: SQLConnection
    ) throws {
        try contract?.checkEvent(event.body, at: .consumerAgent)
        let members = try members(of: event.body)
        try connection.within(ClockReading.monotonic() + ownDeadline) {
            try connection.queue.write { database in
                guard try DeliveryRecords.remember(event.id, in: database) else { return }
                try connection.execute(database, subscription.sql, members)
            }
        }
    }

    /// Publishes what is in the outbox, in its order. The message id is stored before the first attempt and used for every
    /// other, so that a row is one event however often the agent stops in between.
    func publish(_ publication: AgentFile.Publication, _ agent: Agent) async {
        while !Task.isCancelled {
            do {
                let rows = try await perform { try DeliveryRecords.next(publication, $0) }
                for row in rows {
                    _ = try await agent.publish(publication.event, row.body, id: row.message)
                    try await perform { try DeliveryRecords.published(publication.event, row.id, $0) }
                }
                if !rows.isEmpty { continue }
            } catch let fault as BusFault {
                logger.warning("outbox waits", metadata: ["event": "\(publication.event)", "fault": "\(fault)"])
            } catch {
                logger.error(
                    "outbox not readable", metadata: ["event": "\(publication.event)", "error": "\(Self.words(error))"])
            }
            try? await Task.sleep(for: Self.publicationInterval)
        }
    }
}

/// What the agent keeps in the register's own database: ids of events taken, and how far each outbox was published.
enum DeliveryRecords {
    /// Ids of taken events are kept this long; the broker does not redeliver after it. Milliseconds.
    static let retention: Int64 = 30 * 86_400_000

    struct OutboxRow: Sendable {
        let id: Int64
        let message: MessageID
        let body: [UInt8]
    }

    static func prepare(_ connection: SQLConnection) throws {
        let oldest = ClockReading.current().wall - retention
        try connection.queue.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS kerege_inbox (event TEXT PRIMARY KEY, taken_at INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE TABLE IF NOT EXISTS kerege_outbox (event TEXT PRIMARY KEY, published INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE TABLE IF NOT EXISTS kerege_sending (
                        event TEXT NOT NULL, row INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY (event, row)) WITHOUT ROWID;
                    """)
            try database.execute(sql: "DELETE FROM kerege_inbox WHERE taken_at < ?", arguments: [oldest])
        }
    }

    /// - Returns: false when the event was taken before.
    static func remember(_ event: String, in database: Database) throws -> Bool {
        try database.execute(
            sql: "INSERT OR IGNORE INTO kerege_inbox (event, taken_at) VALUES (?, ?)",
            arguments: [event, ClockReading.current().wall])
        return database.changesCount == 1
    }

    /// The next rows of an outbox, with the ids they are published under.
    static func next(_ publication: AgentFile.Publication, _ connection: SQLConnection) throws -> [OutboxRow] {
        try connection.within(ClockReading.monotonic() + SQLAdapter.ownDeadline) {
            let after = try connection.queue.read { database in
                try Int64.fetchOne(
                    database, sql: "SELECT published FROM kerege_outbox WHERE event = ?", arguments: [publication.event]
                ) ?? 0
            }
            let found = try connection.queue.read { database in
                try Row.fetchAll(database, sql: publication.sql, arguments: ["after": after]).compactMap { row in
                    row.count >= 2 ? (id: row[0] as Int64?, body: row[1] as String?) : nil
                }
            }
            guard !found.isEmpty else { return [] }
            return try connection.queue.write { database in
                try found.compactMap { row in
                    guard let id = row.id, let body = row.body else { return nil }
                    return OutboxRow(
                        id: id, message: try message(publication.event, id, database), body: Array(body.utf8))
                }
            }
        }
    }

    private static func message(_ event: String, _ row: Int64, _ database: Database) throws -> MessageID {
        let known = try String.fetchOne(
            database, sql: "SELECT message FROM kerege_sending WHERE event = ? AND row = ?", arguments: [event, row])
        if let known, let id = MessageID(known) { return id }
        var source = MessageIDSource()
        let id = source.next(unixMilliseconds: ClockReading.current().wall)
        try database.execute(
            sql: "INSERT OR REPLACE INTO kerege_sending (event, row, message) VALUES (?, ?, ?)",
            arguments: [event, row, id.description])
        return id
    }

    static func published(_ event: String, _ row: Int64, _ connection: SQLConnection) throws {
        try connection.queue.write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO kerege_outbox (event, published) VALUES (?, ?)", arguments: [event, row])
            try database.execute(
                sql: "DELETE FROM kerege_sending WHERE event = ? AND row <= ?", arguments: [event, row])
        }
    }
}
