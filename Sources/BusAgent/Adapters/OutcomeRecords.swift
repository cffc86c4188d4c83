import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// The outbox of outcomes, `kerege_outcome`: told by a command's own transaction or by a later statement, sent until the broker has
/// them.
enum OutcomeRecords {
    /// Outcomes under way at once.
    static let batch = 64

    struct Told: Sendable {
        let id: Int64
        let command: MessageID
        let service: String
        let consumer: String
        /// 0, or why the command was not carried out.
        let code: UInt16
        /// JSON; with a code the reason in words.
        let body: String
        /// Of the command as it was taken; nil where an earlier agent took it.
        let digest: Digest32?
        let stored: PreparedMessage?
    }

    struct Ready: Sendable {
        let id: Int64
        let message: PreparedMessage
    }

    static func tell(_ command: String, code: UInt16, _ body: String, in database: Database) throws {
        try database.execute(
            sql: "INSERT INTO kerege_outcome (command, code, body) VALUES (?, ?, ?)", arguments: [command, code, body])
    }

    /// The next outcomes, with their bytes, which are stored before anybody sends them.
    static func next(_ agent: Agent, _ connection: SQLConnection) throws -> [Ready] {
        try connection.within(ClockReading.monotonic() + SQLAdapter.ownDeadline) {
            guard try connection.queue.read({ try !unsent(after: 0, $0).isEmpty }) else { return [] }
            // Read again where nobody else writes: another agent of the system may send the same outcomes.
            return try connection.queue.write { try prepared(agent, $0) }
        }
    }

    /// One that must wait, for a key of its consumer, does not hold up those for others.
    /// - Throws: why the first waits, when all do.
    private static func prepared(_ agent: Agent, _ database: Database) throws -> [Ready] {
        var ready: [Ready] = []
        var waiting: (why: BusFault, consumers: Set<String>)?
        var last: Int64 = 0
        while ready.count < batch {
            let page = try unsent(after: last, except: waiting?.consumers ?? [], database)
            guard let end = page.last?.id else { break }
            last = end
            for outcome in page where ready.count < batch {
                if let stored = outcome.stored {
                    ready.append(Ready(id: outcome.id, message: stored))
                    continue
                }
                if waiting?.consumers.contains(outcome.consumer) ?? false { continue }
                let message: PreparedMessage
                do throws(BusFault) { message = try outcome.prepare(agent) } catch {
                    waiting = (waiting?.why ?? error, (waiting?.consumers ?? []).union([outcome.consumer]))
                    continue
                }
                try store(message, outcome.id, database)
                ready.append(Ready(id: outcome.id, message: message))
            }
        }
        if ready.isEmpty, let waiting { throw waiting.why }
        return ready
    }

    private static func unsent(
        after id: Int64, except consumers: Set<String> = [], _ database: Database
    ) throws -> [Told] {
        let others =
            consumers.isEmpty ? "" : "AND o.consumer NOT IN (\(databaseQuestionMarks(count: consumers.count)))"
        let arguments = StatementArguments([id]) + StatementArguments(consumers.sorted())
        return try rows(others, arguments + StatementArguments([batch]), database)
    }

    private static func rows(
        _ others: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [Told] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT id, o.command, o.service, o.consumer, code, coalesce(body, '{}'), outcome, header, bytes, keys, digest
                FROM kerege_outcome o LEFT JOIN kerege_command c ON c.command = o.command
                WHERE sent = 0 AND id > ? \(others) ORDER BY id LIMIT ?
                """, arguments: arguments
        ).compactMap { row in
            guard let command = MessageID(row[1] as String) else { return nil }
            let id = (row[6] as String?).flatMap { MessageID($0) }
            let stored = id.flatMap { id -> PreparedMessage? in
                guard let header = row[7] as Data?, let bytes = row[8] as Data? else { return nil }
                let keys = (row[9] as Data?).map { KeyMessage.read(Array($0)) } ?? []
                return PreparedMessage(kind: .outcome, id: id, header: Array(header), body: Array(bytes), keys: keys)
            }
            return Told(
                id: row[0], command: command, service: row[2], consumer: row[3],
                code: UInt16(exactly: row[4] as Int) ?? FaultCode.commandRefused.number, body: row[5],
                digest: (row[10] as Data?).flatMap { Digest32($0) }, stored: stored)
        }
    }

    private static func store(_ message: PreparedMessage, _ id: Int64, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE kerege_outcome SET outcome = ?, header = ?, bytes = ?, keys = ? WHERE id = ?",
            arguments: [
                message.id.description, Data(message.header), Data(message.body), Data(KeyMessage.stored(message.keys)),
                id,
            ])
    }

    /// - Parameter refused: why the broker does not want it; nil when it has it.
    static func sent(_ outcome: Ready, refused: BusFault?, _ connection: SQLConnection) throws {
        try connection.queue.write { database in
            try database.execute(
                sql: """
                    UPDATE kerege_outcome SET sent = 1, refused = ?, header = NULL, bytes = NULL, keys = NULL WHERE id = ?
                    """,
                arguments: [refused?.number ?? 0, outcome.id])
        }
    }

    /// The space wants sealed what was stored before it did.
    static func prepareAnew(_ outcome: Ready, _ connection: SQLConnection) throws {
        try connection.queue.write { database in
            try database.execute(
                sql: "UPDATE kerege_outcome SET outcome = NULL, header = NULL, bytes = NULL, keys = NULL WHERE id = ?",
                arguments: [outcome.id])
        }
    }
}

extension OutcomeRecords.Told {
    /// A body that violates the contract, told by a later statement, cannot be taken back: the sender learns that as the outcome.
    fileprivate func prepare(_ agent: Agent) throws(BusFault) -> PreparedMessage {
        guard code == 0 else {
            let fault = BusFault(number: code, at: .providerSystem, body)
            return try outcome(.failure(fault), agent)
        }
        let bytes = Array(body.utf8)
        guard bytes.count <= Limits.body else {
            let fault = BusFault(.bodyTooLarge, at: .providerAgent, "the outcome is \(bytes.count) bytes")
            return try outcome(.failure(fault), agent)
        }
        do throws(BusFault) {
            return try outcome(.success(bytes), agent)
        } catch {
            // Nothing is wrong with it: it waits for the space, or for a key to seal it to.
            guard !error.isRetryable else { throw error }
            return try outcome(.failure(error), agent)
        }
    }

    private func outcome(_ result: Result<[UInt8], BusFault>, _ agent: Agent) throws(BusFault) -> PreparedMessage {
        try agent.prepareOutcome(of: command, digest, service, for: consumer, result)
    }
}
