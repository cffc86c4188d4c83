import BusContracts
import GRDB
import GRDBSQLite

/// One SQLite connection on one thread: runs statements whose parameters are members of a JSON object, within a deadline.
///
/// Confined to the worker thread that made it.
final class SQLConnection {
    /// How long a statement waits for another connection's write.
    static let busyTimeout = 5.0
    /// How long an agent that starts waits for others to leave the register to it, microseconds.
    static let startPatience: UInt64 = 45_000_000
    /// Steps of SQLite's machine between two looks at the clock: well under a millisecond.
    static let stepsPerLook: Int32 = 2000

    let queue: DatabaseQueue
    /// Looked at by SQLite while it works, on this same thread; on the heap, so that its address stays.
    private let deadline: UnsafeMutablePointer<UInt64>
    private var names: [String: [String]] = [:]

    init(_ path: String) throws {
        var configuration = Configuration()
        configuration.label = "kerege.register"
        configuration.busyMode = .timeout(Self.busyTimeout)
        configuration.foreignKeysEnabled = true
        let deadline = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        deadline.initialize(to: .never)
        self.deadline = deadline
        let address = UInt(bitPattern: deadline)
        configuration.prepareDatabase { database in
            sqlite3_progress_handler(
                database.sqliteConnection, Self.stepsPerLook,
                { pointer in
                    guard let pointer else { return 0 }
                    return ClockReading.monotonic() >= pointer.load(as: UInt64.self) ? 1 : 0
                }, UnsafeMutableRawPointer(bitPattern: address))
        }
        do { queue = try DatabaseQueue(path: path, configuration: configuration) } catch {
            deadline.deallocate()
            throw error
        }
    }

    deinit {
        // Closed first: SQLite must not look at the deadline any more.
        try? queue.close()
        deadline.deallocate()
    }

    /// Repeats what another connection's lock prevented, as another agent of the system may keep the register busy.
    static func patiently<Value>(for limit: UInt64 = startPatience, _ body: () throws -> Value) throws -> Value {
        let end = ClockReading.monotonic() + limit
        while true {
            do { return try body() } catch let error as DatabaseError
                where error.resultCode == .SQLITE_BUSY && ClockReading.monotonic() < end
            {}
        }
    }

    /// Interrupts what runs in `body` once the time has come.
    func within<Value>(_ end: UInt64, _ body: () throws -> Value) rethrows -> Value {
        deadline.pointee = end
        defer { deadline.pointee = .never }
        return try body()
    }

    /// Runs a query.
    /// - Returns: the first column of the first row, `nil` when there is no row.
    func first(_ sql: String, _ members: [JSONMember]) throws -> DatabaseValue? {
        try queue.read { database in try firstRow(database, sql, members)?.databaseValues.first }
    }

    /// Runs a query inside a transaction of the caller.
    func firstRow(_ database: Database, _ sql: String, _ members: [JSONMember]) throws -> Row? {
        let statement = try database.cachedStatement(sql: sql)
        try statement.setArguments(arguments(of: statement, sql, members))
        return try Row.fetchOne(statement)
    }

    /// Runs one or more statements inside a transaction of the caller.
    func execute(_ database: Database, _ sql: String, _ members: [JSONMember]) throws {
        let statements = try database.allStatements(sql: sql)
        while let statement = try statements.next() {
            try statement.setArguments(Self.values(Self.parameters(of: statement), members))
            try statement.execute()
        }
    }

    private func arguments(of statement: Statement, _ sql: String, _ members: [JSONMember]) -> StatementArguments {
        let parameters: [String]
        if let known = names[sql] {
            parameters = known
        } else {
            parameters = Self.parameters(of: statement)
            names[sql] = parameters
        }
        return Self.values(parameters, members)
    }

    private static func parameters(of statement: Statement) -> [String] {
        let count = sqlite3_bind_parameter_count(statement.sqliteStatement)
        guard count > 0 else { return [] }
        var found: [String] = []
        for index in 1...count {
            guard let name = sqlite3_bind_parameter_name(statement.sqliteStatement, index) else { continue }
            let text = String(String(cString: name).dropFirst())
            if !found.contains(text) { found.append(text) }
        }
        return found
    }

    /// `:name` is the top-level member of that name; NULL when there is none.
    private static func values(_ parameters: [String], _ members: [JSONMember]) -> StatementArguments {
        var values: [String: (any DatabaseValueConvertible)?] = [:]
        for name in parameters {
            values[name] = members.first { $0.name == name }.flatMap { convert($0.value) }
        }
        return StatementArguments(values)
    }

    private static func convert(_ value: JSONValue) -> (any DatabaseValueConvertible)? {
        switch value {
        case .null: nil
        case .bool(let flag): flag ? 1 : 0
        case .number(let number): number.int.map { $0 as any DatabaseValueConvertible } ?? number.double
        case .string(let text): text
        case .array, .object: value.text()
        }
    }
}

extension ClockReading {
    /// The monotonic clock alone.
    static func monotonic() -> UInt64 { current().now }
}

extension DatabaseError {
    /// What failed, without the statement's arguments: they are the citizens' data.
    var withoutArguments: String {
        resultCode == .SQLITE_INTERRUPT
            ? "the statement took longer than the deadline"
            : "SQLite error \(extendedResultCode.rawValue): \(message ?? "")"
    }
}
