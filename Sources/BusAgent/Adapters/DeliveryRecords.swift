import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// What the agent keeps in the register's own database, so that it becomes durable together with the register's changes: what was
/// taken, what is being sent, and what became of commands.
enum DeliveryRecords {
    /// Ids of what was taken and sent are kept this long; the broker does not redeliver after it. Milliseconds.
    static let retention: Int64 = 30 * 86_400_000

    static func prepare(_ connection: SQLConnection) throws {
        try connection.queue.write { database in
            try database.execute(sql: tables)
            try widen(database)
            try database.execute(sql: triggers)
        }
    }

    /// `kerege_inbox` has events and outcomes by their sender and message id (earlier agents noted the id alone), `kerege_command` the commands this system was sent,
    /// `kerege_notice` what people are to be told; ids of rows that are gone are never given again.
    /// `digest` is the leaf of a command: what its outcome is bound to. `kerege_sending.code` is NULL as long as the message is being sent, 0 when the broker has it, else why it never will.
    private static let tables = """
        CREATE TABLE IF NOT EXISTS kerege_inbox (event TEXT PRIMARY KEY, taken_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS kerege_command (
            command TEXT PRIMARY KEY, service TEXT NOT NULL, consumer TEXT NOT NULL, state TEXT NOT NULL,
            taken_at INTEGER NOT NULL, digest BLOB) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS kerege_outcome (
            id INTEGER PRIMARY KEY, command TEXT NOT NULL UNIQUE, service TEXT, consumer TEXT,
            code INTEGER NOT NULL DEFAULT 0, body TEXT,
            outcome TEXT, header BLOB, bytes BLOB, sent INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0,
            keys BLOB);
        CREATE INDEX IF NOT EXISTS kerege_outcome_unsent ON kerege_outcome (id) WHERE sent = 0;
        CREATE TABLE IF NOT EXISTS kerege_outbox (event TEXT PRIMARY KEY, published INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS kerege_sending (
            event TEXT NOT NULL, row INTEGER NOT NULL, message TEXT NOT NULL, header BLOB, body BLOB,
            code INTEGER, settled_at INTEGER, keys BLOB, digest BLOB, PRIMARY KEY (event, row)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS kerege_notice (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
        """

    /// A statement tells an outcome by command, code and body; the rest of the row is known from the inbox. An outcome of a command
    /// nobody sent would never reach anybody: the statement that tells it fails instead.
    private static let triggers = """
        CREATE INDEX IF NOT EXISTS kerege_sending_message ON kerege_sending (message);
        CREATE INDEX IF NOT EXISTS kerege_inbox_taken ON kerege_inbox (taken_at);
        CREATE INDEX IF NOT EXISTS kerege_command_taken ON kerege_command (taken_at);
        CREATE INDEX IF NOT EXISTS kerege_sending_settled ON kerege_sending (settled_at);
        CREATE TRIGGER IF NOT EXISTS kerege_outcome_told AFTER INSERT ON kerege_outcome BEGIN
            SELECT RAISE(ABORT, 'an outcome was told of a command that is not in kerege_command')
            WHERE NOT EXISTS (SELECT 1 FROM kerege_command WHERE command = NEW.command);
            UPDATE kerege_outcome SET (service, consumer) = (
                SELECT service, consumer FROM kerege_command WHERE command = NEW.command) WHERE id = NEW.id;
            UPDATE kerege_command SET state = iif(NEW.code = 0, 'completed', 'failed') WHERE command = NEW.command;
        END;
        """

    /// Earlier agents kept only the id of what they were sending, sealed nothing, and bound no outcome to its command.
    private static func widen(_ database: Database) throws {
        let sending = [
            ("header", "BLOB"), ("body", "BLOB"), ("code", "INTEGER"), ("settled_at", "INTEGER"), ("keys", "BLOB"),
            ("digest", "BLOB"),
        ]
        try widen("kerege_sending", sending, database)
        try widen("kerege_command", [("digest", "BLOB")], database)
        try widen("kerege_outcome", [("keys", "BLOB")], database)
    }

    private static func widen(_ table: String, _ columns: [(String, String)], _ database: Database) throws {
        let known = Set(try database.columns(in: table).map(\.name))
        for (column, type) in columns where !known.contains(column) {
            try database.execute(sql: "ALTER TABLE \(table) ADD COLUMN \(column) \(type)")
        }
    }

    /// Rows of a table that are forgotten in one transaction: others write into the register too.
    static let forgottenAtOnce = 1000

    /// Forgets some of what is older than the retention. A command without an end, and an outcome that was not sent, are kept however
    /// old they are.
    /// - Returns: whether there may be more.
    static func forgetOld(_ connection: SQLConnection) throws -> Bool {
        try connection.queue.write { database in
            let oldest = ClockReading.current().wall - retention
            let arguments: StatementArguments = ["oldest": oldest, "most": forgottenAtOnce]
            var most = 0
            for statement in forgetting {
                try database.execute(sql: statement, arguments: arguments)
                most = max(most, database.changesCount)
            }
            return most == forgottenAtOnce
        }
    }

    private static let forgetting = [
        """
        DELETE FROM kerege_inbox WHERE event IN (
            SELECT event FROM kerege_inbox WHERE taken_at < :oldest LIMIT :most)
        """,
        """
        DELETE FROM kerege_sending WHERE (event, row) IN (
            SELECT event, row FROM kerege_sending WHERE settled_at < :oldest LIMIT :most)
        """,
        """
        DELETE FROM kerege_outcome WHERE id IN (
            SELECT o.id FROM kerege_command c JOIN kerege_outcome o ON o.command = c.command
            WHERE c.taken_at < :oldest AND o.sent = 1 LIMIT :most)
        """,
        """
        DELETE FROM kerege_command WHERE command IN (
            SELECT command FROM kerege_command c WHERE taken_at < :oldest AND state <> 'taken'
                AND NOT EXISTS (SELECT 1 FROM kerege_outcome o WHERE o.command = c.command) LIMIT :most)
        """,
    ]

    // MARK: - What was taken

    /// The broker's own outcomes count under a name that no system has: whatever id it chose, the provider's still counts.
    static let broker = "(broker)"

    /// An event or the outcome of a command.
    /// - Parameter sender: the system it is of: nobody can use up the id of another's message.
    /// - Returns: false when it was taken before.
    static func remember(_ message: String, of sender: String, in database: Database) throws -> Bool {
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO kerege_inbox (event, taken_at) SELECT ?, ?
                WHERE NOT EXISTS (SELECT 1 FROM kerege_inbox WHERE event = ?)
                """, arguments: ["\(sender) \(message)", ClockReading.current().wall, message])
        return database.changesCount == 1
    }

    /// - Returns: false when the command was taken before.
    /// - Throws: 4090 when another system's command has this id.
    static func remember(_ command: TakenCommand, in database: Database) throws -> Bool {
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO kerege_command (command, service, consumer, state, taken_at, digest)
                VALUES (?, ?, ?, 'taken', ?, ?)
                """,
            arguments: [
                command.id, command.service, command.consumer, ClockReading.current().wall,
                command.digest.map { Data($0.bytes) },
            ])
        if database.changesCount == 1 { return true }
        guard try consumer(of: command.id, database) == command.consumer else {
            throw BusFault(.idReused, at: .providerAgent, "another system's command has this id")
        }
        return false
    }

    static func isTaken(_ command: TakenCommand, _ connection: SQLConnection) throws -> Bool {
        try connection.queue.read { try consumer(of: command.id, $0) } == command.consumer
    }

    private static func consumer(of command: String, _ database: Database) throws -> String? {
        try String.fetchOne(
            database, sql: "SELECT consumer FROM kerege_command WHERE command = ?", arguments: [command])
    }
}
