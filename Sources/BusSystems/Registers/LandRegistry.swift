import BusContracts
package import GRDB

/// What the registrars of property write into the register of real estate.
package struct LandRegistry: Sendable {
    private let database: any DatabaseWriter

    /// Shares a connection that is already open.
    package init(database: any DatabaseWriter) {
        self.database = database
    }

    /// - Throws: GRDB's `DatabaseError` if there is no register at `path`.
    package init(path: String) throws {
        database = try openRegister(path)
    }

    /// Registers the whole right to a property to one person, ending the rights that were, and puts the event into the
    /// outbox in the same transaction. The number of the property stays: a new owner makes no new number.
    ///
    /// - Parameter moment: Unix milliseconds; the right holds since its whole minute.
    /// - Throws: `RegisterFault.noSuchRecord` for an unknown property.
    package func registerRight(cadastralNumber: String, ownerIin: String, at moment: Int64) throws {
        let minute = Moment.text(moment / Moment.millisecondsPerMinute * Moment.millisecondsPerMinute)
        try database.write { database in
            guard
                let property = try Row.fetchOne(
                    database, sql: "SELECT kind, kato FROM property WHERE cadastral_number = ?",
                    arguments: [cadastralNumber])
            else { throw RegisterFault.noSuchRecord(register: "real-estate", key: cadastralNumber) }
            try database.execute(sql: "DELETE FROM ownership WHERE cadastral_number = ?", arguments: [cadastralNumber])
            try database.execute(
                sql: "INSERT INTO ownership VALUES (?, 1, ?, NULL, 1, 1, ?, NULL)",
                arguments: [cadastralNumber, ownerIin, minute])
            try database.execute(
                sql: "UPDATE property SET verified_at = ?, updated_at = ? WHERE cadastral_number = ?",
                arguments: [moment, moment, cadastralNumber])
            let event: JSONValue = [
                "cadastralNumber": .string(cadastralNumber), "kind": .string(property["kind"]),
                "kato": .string(property["kato"]), "registeredAt": .string(minute),
            ]
            try appendToOutbox(database, kind: "property-registered", event, at: moment)
        }
    }
}
