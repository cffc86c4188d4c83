import BusContracts
import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// Rows of a register that leave as messages, each under one id and with the same bytes however often it is tried: they are stored
/// before the first attempt.
struct Outbox: Sendable {
    /// The event or service.
    let name: String
    /// Gives id and body of the rows after `:after`.
    let sql: String
    let kind: MessageKind
    /// What is done with outcomes of the commands; a row that can never be sent is told to it as well.
    let taking: AgentFile.OutcomeTaking?

    init(_ publication: AgentFile.Publication) {
        (name, sql, kind, taking) = (publication.event, publication.sql, .event, nil)
    }

    init(_ sending: AgentFile.Sending, _ outcomes: [AgentFile.OutcomeTaking]) {
        (name, sql, kind) = (sending.service, sending.sql, .command)
        taking = outcomes.first { $0.service == sending.service }
    }

    struct Row: Sendable {
        let id: Int64
        /// Its bytes, or why it can have none.
        let message: Result<PreparedMessage, BusFault>
    }

    func prepare(_ body: [UInt8], id: MessageID?, _ agent: Agent) throws(BusFault) -> PreparedMessage {
        kind == .event
            ? try agent.prepareEvent(name, body, id: id) : try agent.prepareCommand(name, body, id: id)
    }

    /// Whether a row with this fault is given up. An event waits for whoever mends the space; a command's sender waits for its end
    /// and learns the reason instead.
    func isFinal(_ fault: BusFault) -> Bool {
        switch fault.code {
        // The keys of this agent and of the space are to be made one: people do that, and the rows wait for it.
        case nil, .logForked, .instanceConflict, .notGreeted, .unknownKey, .keyNotValid, .badSignature: false
        case .keyNotForSystem, .noIntegration, .stageForbids, .noSuchService, .wrongKind: kind == .command
        case let code?: !code.isRetryable && (400..<500).contains(code.family)
        }
    }

    // MARK: - On the writing thread

    /// The next rows, with the bytes they leave as.
    func next(_ agent: Agent, _ connection: SQLConnection) throws -> [Row] {
        try connection.within(ClockReading.monotonic() + SQLAdapter.ownDeadline) {
            // Only a look: it keeps nobody else from writing.
            guard try connection.queue.read({ try !unsent($0).isEmpty }) else { return [] }
            // Another agent of the system may send the same outbox: what it has settled since must not get bytes anew.
            return try connection.queue.write { database in
                try unsent(database).map { Row(id: $0.id, message: try message($0.id, $0.body, agent, database)) }
            }
        }
    }

    private func published(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(
            database, sql: "SELECT published FROM kerege_outbox WHERE event = ?", arguments: [name]) ?? 0
    }

    private func unsent(_ database: Database) throws -> [(id: Int64, body: String)] {
        let after = try published(database)
        return try GRDB.Row.fetchAll(database, sql: sql, arguments: ["after": after]).compactMap { row in
            guard row.count >= 2, let id = row[0] as Int64?, let body = row[1] as String? else { return nil }
            return (id, body)
        }
    }

    private func message(
        _ row: Int64, _ body: String, _ agent: Agent, _ database: Database
    ) throws -> Result<PreparedMessage, BusFault> {
        let known = try GRDB.Row.fetchOne(
            database, sql: "SELECT message, header, body, keys FROM kerege_sending WHERE event = ? AND row = ?",
            arguments: [name, row])
        let id = (known?[0] as String?).flatMap { MessageID($0) }
        if let id, let header = known?[1] as Data?, let stored = known?[2] as Data? {
            let keys = (known?[3] as Data?).map { KeyMessage.read(Array($0)) } ?? []
            return .success(PreparedMessage(kind: kind, id: id, header: Array(header), body: Array(stored), keys: keys))
        }
        let made = Result { () throws(BusFault) in try prepare(Array(body.utf8), id: id, agent) }
        if case .success(let message) = made { try store(message, row, database) }
        return made
    }

    private func store(_ message: PreparedMessage, _ row: Int64, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO kerege_sending (event, row, message, header, body, keys, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name, row, message.id.description, Data(message.header), Data(message.body),
                Data(KeyMessage.stored(message.keys)), Data(message.leaf.bytes),
            ])
    }

    /// The space wants sealed what was stored before it did: the same message gets other bytes. The broker has refused those of before, so
    /// there is only one.
    func prepareAnew(_ row: Row, _ connection: SQLConnection) throws {
        try connection.queue.write { database in
            try database.execute(
                sql: "UPDATE kerege_sending SET header = NULL, body = NULL, keys = NULL WHERE event = ? AND row = ?",
                arguments: [name, row.id])
        }
    }

    /// The broker has a row, or never will: the outbox goes on behind it, and never back.
    func settle(_ row: Row, _ fault: BusFault?, _ connection: SQLConnection) throws {
        try connection.within(ClockReading.monotonic() + SQLAdapter.ownDeadline) {
            try connection.queue.write { database in
                // Settled by another agent of the system, which sent the same bytes.
                guard try row.id > published(database) else { return }
                try database.execute(
                    sql: "INSERT OR REPLACE INTO kerege_outbox (event, published) VALUES (?, ?)",
                    arguments: [name, row.id])
                try note(row, fault, database)
                guard let fault, let taking else { return }
                let command = try? row.message.get().id.description
                let detail = JSONMember("detail", .string(fault.detail))
                let parameters = OutcomeParameters.of(command, code: fault.number, row: row.id, [detail])
                try connection.execute(database, taking.sql, parameters)
            }
        }
    }

    /// A published event needs no more memory. A command is remembered, so that its outcome finds the row it came from.
    private func note(_ row: Row, _ fault: BusFault?, _ database: Database) throws {
        if fault == nil, kind == .event {
            return try database.execute(
                sql: "DELETE FROM kerege_sending WHERE event = ? AND row = ?", arguments: [name, row.id])
        }
        let message = try? row.message.get()
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO kerege_sending (event, row, message, code, settled_at, digest) VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name, row.id, message?.id.description ?? "", fault?.number ?? 0, ClockReading.current().wall,
                message.map { Data($0.leaf.bytes) },
            ])
    }

    /// The row a command was sent from, and its leaf.
    static func sent(
        _ command: String, _ service: String, _ database: Database
    ) throws -> (row: Int64, digest: Digest32?)? {
        try GRDB.Row.fetchOne(
            database, sql: "SELECT row, digest FROM kerege_sending WHERE message = ? AND event = ?",
            arguments: [command, service]
        ).map { (row: $0[0], digest: ($0[1] as Data?).flatMap { Digest32($0) }) }
    }
}
