import BusContracts
package import GRDB

/// What notaries enter into their own register: deeds and orders to the register of real estate, which their agent then sends.
package struct NotaryDesk: Sendable {
    private let database: any DatabaseWriter

    /// Shares a connection that is already open.
    package init(database: any DatabaseWriter) {
        self.database = database
    }

    /// - Throws: GRDB's `DatabaseError` if there is no register at `path`.
    package init(path: String) throws {
        database = try openRegister(path)
    }

    /// Enters a signed deed of sale, and the order to register the transfer, in one transaction.
    ///
    /// - Parameter moment: Unix milliseconds.
    /// - Returns: the deed's number.
    @discardableResult
    package func sign(cadastralNumber: String, giverIin: String, takerIin: String, at moment: Int64) throws -> String {
        try database.write { database in
            let next = try Int.fetchOne(database, sql: "SELECT coalesce(max(rowid), 0) + 1 FROM deed") ?? 1
            let number = "D-\(Moment.text(moment).prefix(4))-\(padded(next, 7))"
            try database.execute(
                sql: "INSERT INTO deed VALUES (?, 'sale', ?, ?, ?, 'signed', ?, ?)",
                arguments: [number, cadastralNumber, giverIin, takerIin, Moment.text(moment), moment])
            let order: JSONValue = [
                "cadastralNumber": .string(cadastralNumber), "deedNumber": .string(number),
                "giverIin": .string(giverIin), "takerIin": .string(takerIin),
            ]
            try appendToOutbox(database, kind: "property-transfer", order, at: moment)
            return number
        }
    }

    package func impose(_ kind: String, on cadastralNumber: String, for creditorBin: String, at moment: Int64) throws {
        let order: JSONValue = [
            "cadastralNumber": .string(cadastralNumber), "kind": .string(kind), "creditorBin": .string(creditorBin),
        ]
        try database.write { try appendToOutbox($0, kind: "encumbrance-impose", order, at: moment) }
    }

    package func lift(imposed: String, from cadastralNumber: String, at moment: Int64) throws {
        let order: JSONValue = ["cadastralNumber": .string(cadastralNumber), "imposed": .string(imposed)]
        try database.write { try appendToOutbox($0, kind: "encumbrance-lift", order, at: moment) }
    }
}
