package import BusContracts
package import GRDB

/// What citizens order on the portal: an order in its register, and the command that carries it out, which its agent then sends.
package struct PortalDesk: Sendable {
    private let database: any DatabaseWriter

    /// Shares a connection that is already open.
    package init(database: any DatabaseWriter) {
        self.database = database
    }

    /// - Throws: GRDB's `DatabaseError` if there is no register at `path`.
    package init(path: String) throws {
        database = try openRegister(path)
    }

    /// Enters an order and its command in one transaction.
    ///
    /// - Parameters:
    ///   - kind: of the row in the outbox, by which the agent's file finds the service.
    ///   - moment: Unix milliseconds; the order is due three days later.
    /// - Returns: the order's number.
    @discardableResult
    package func order(_ kind: String, _ command: JSONValue, by iin: String, at moment: Int64) throws -> String {
        try database.write { database in
            try appendToOutbox(database, kind: kind, command, at: moment)
            let row = database.lastInsertedRowID
            // The series of this desk; the generated orders are of other years.
            let number = "O-\(Moment.text(moment).prefix(4))-\(padded(Int(row), 7))"
            let due = Moment.text(moment + 3 * Moment.millisecondsPerDay)
            try database.execute(
                sql: "INSERT INTO service_order VALUES (?, ?, ?, 'accepted', ?, ?, NULL, ?)",
                arguments: [number, kind, iin, Moment.text(moment), due, moment])
            try database.execute(
                sql: "INSERT INTO order_command (row, number) VALUES (?, ?)", arguments: [row, number])
            return number
        }
    }
}
