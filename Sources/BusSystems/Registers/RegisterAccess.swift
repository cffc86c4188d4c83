import BusContracts
import GRDB

/// Opens a register that exists, for writing beside its agent.
func openRegister(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(CivilRegistry.busyTimeoutSeconds)
    configuration.prepareDatabase { database in
        // SQLite would make an empty file of a wrong path; the first statement then tells of a missing table instead.
        guard try database.tableExists("generation") else {
            throw RegisterFault.notPossible("\(path) is no generated register; generate it first")
        }
    }
    return try DatabaseQueue(path: path, configuration: configuration)
}

/// Adds an event to the register's outbox. Call it inside the transaction that changes the record.
func appendToOutbox(_ database: Database, kind: String, _ event: JSONValue, at moment: Int64) throws {
    try database.execute(
        sql: "INSERT INTO outbox (kind, body, recorded_at) VALUES (?, ?, ?)", arguments: [kind, event.text(), moment])
}
