import GRDB

/// The tables of `journal.sqlite`, word for word as they were made.
///
/// A damaged page can hide a table, and SQLite then makes a new, empty one beside what is lost: so the text is compared
/// before anything is written.
enum JournalSchema {
    static let tables: [(name: String, sql: String)] = [
        (
            "batch",
            """
            CREATE TABLE batch (
                position INTEGER PRIMARY KEY, count INTEGER NOT NULL, committed INTEGER NOT NULL,
                root BLOB NOT NULL, chain BLOB NOT NULL, edge BLOB NOT NULL, records BLOB NOT NULL)
            """
        ),
        ("body", "CREATE TABLE body (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"),
        ("view", "CREATE TABLE view (name TEXT PRIMARY KEY, position INTEGER NOT NULL, body BLOB NOT NULL)"),
    ]

    static func make(_ db: Database) throws {
        for table in tables { try db.execute(sql: table.sql) }
    }

    /// What does not stand in the schema as it should; `nil` when all does.
    static func difference(_ db: Database) throws -> String? {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT CAST(name AS TEXT) AS name, coalesce(CAST(sql AS TEXT), '') AS sql FROM sqlite_master
                WHERE type = 'table' AND name <> 'prefill'
                """)
        var found: [String: String] = [:]
        for row in rows { found[(row["name"] as String?) ?? ""] = Self.words(row["sql"]) }
        for table in tables {
            guard let sql = found.removeValue(forKey: table.name) else { return "there is no table \(table.name)" }
            if sql != Self.words(table.sql) { return "the table \(table.name) is not the one that was made" }
        }
        return found.keys.min().map { "a table \($0) stands here that no journal has" }
    }

    /// Earlier versions laid the same text out in other lines.
    private static func words(_ sql: String) -> String {
        sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
