import BusContracts
package import GRDB

/// What payers do at the payment gateway.
package struct PaymentDesk: Sendable {
    private let database: any DatabaseWriter

    /// Shares a connection that is already open.
    package init(database: any DatabaseWriter) {
        self.database = database
    }

    /// - Throws: GRDB's `DatabaseError` if there is no register at `path`.
    package init(path: String) throws {
        database = try openRegister(path)
    }

    /// Pays the oldest fee that was asked for and not paid; the receipt goes into the outbox in the same transaction.
    ///
    /// - Parameter moment: Unix milliseconds.
    /// - Returns: the reference it was asked for under; nil when nobody owes anything.
    @discardableResult
    package func payNext(at moment: Int64) throws -> String? {
        try database.write { database in
            let open = try Row.fetchOne(
                database, sql: "SELECT * FROM invoice WHERE payment_code IS NULL ORDER BY number LIMIT 1")
            guard let open else { return nil }
            let number: Int = open["number"]
            // Numbers from 9·10¹⁰ on are those of this desk: the generated payments have others.
            let code = "P\(90_000_000_000 + number)"
            try database.execute(
                sql: "UPDATE invoice SET payment_code = ? WHERE number = ?", arguments: [code, number])
            try database.execute(
                sql: "INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    code, open["budget_code"] as String, open["payer_iin"] as String, open["amount_tenge"] as Int,
                    Moment.text(moment), moment,
                ])
            try appendToOutbox(database, kind: "payment-confirmed", receipt(open, code, moment), at: moment)
            return open["reference"]
        }
    }

    private func receipt(_ invoice: Row, _ code: String, _ moment: Int64) -> JSONValue {
        [
            "paymentCode": .string(code), "reference": .string(invoice["reference"]),
            "payerIin": .string(invoice["payer_iin"]), "budgetCode": .string(invoice["budget_code"]),
            "amountTenge": JSONValue(invoice["amount_tenge"] as Int), "paidAt": .string(Moment.text(moment)),
        ]
    }
}
