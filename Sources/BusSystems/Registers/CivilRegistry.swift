import BusContracts
package import GRDB

/// What the registry offices write into the register of individuals: deaths, births, new addresses.
///
/// Each act changes the person and puts the event into the outbox in one transaction, so an event is published if and
/// only if the register really changed.
package struct CivilRegistry: Sendable {
    private let database: any DatabaseWriter

    /// How long a writer waits for the agent's own transactions on the same file.
    static let busyTimeoutSeconds = 5.0

    /// Shares a connection that is already open.
    package init(database: any DatabaseWriter) {
        self.database = database
    }

    /// - Throws: GRDB's `DatabaseError` if there is no register at `path`.
    package init(path: String) throws {
        database = try openRegister(path)
    }

    /// Marks a death.
    ///
    /// - Parameter at: Unix milliseconds; the date of death is its day in UTC.
    /// - Returns: false if the person was dead already: nothing changes and no second event leaves.
    /// - Throws: `RegisterFault.noSuchRecord` if nobody has this number.
    @discardableResult
    package func recordDeath(iin: String, at moment: Int64) throws -> Bool {
        let date = CivilDate(daysSince1970: Int(moment / Moment.millisecondsPerDay)).text
        return try database.write { database in
            try database.execute(
                sql: "UPDATE person SET died = ?, verified_at = ?, updated_at = ? WHERE iin = ? AND died IS NULL",
                arguments: [date, moment, moment, iin])
            guard database.changesCount == 1 else {
                try requirePerson(iin, database)
                return false
            }
            let event: JSONValue = [
                "iin": .string(iin), "date": .string(date), "recordedAt": .string(Moment.text(moment)),
            ]
            try appendToOutbox(database, kind: "person-died", event, at: moment)
            return true
        }
    }

    /// Registers a newborn child of `motherIin` and gives it a number.
    ///
    /// - Parameters:
    ///   - moment: Unix milliseconds; the birthday is its day in UTC, not before the population's epoch.
    /// - Returns: the child's IIN.
    /// - Throws: `RegisterFault`: no such mother, she is dead, or the day has no free number left.
    package func recordBirth(
        motherIin: String, sex: Sex, given: BilingualName, at moment: Int64, in population: Population
    ) throws -> String {
        let born = CivilDate(daysSince1970: Int(moment / Moment.millisecondsPerDay))
        return try database.write { database in
            guard
                let mother = try Row.fetchOne(
                    database, sql: "SELECT * FROM person WHERE iin = ? AND sex = 'female'", arguments: [motherIin])
            else { throw RegisterFault.noSuchRecord(register: "individuals", key: motherIin) }
            guard mother["died"] == String?.none else {
                throw RegisterFault.notPossible("the mother \(motherIin) is dead; record the birth by hand")
            }
            let child = try freeNumber(born: born, sex: sex, population, database)
            try insertChild(child, of: mother, sex: sex, given: given, born: born, at: moment, database)
            return child.iin
        }
    }

    /// Registers a person at the address `rka`.
    ///
    /// - Parameter moment: Unix milliseconds; registered there since its day in UTC.
    /// - Returns: false if the person is registered there already.
    /// - Throws: `RegisterFault.noSuchRecord` for an unknown number or address.
    @discardableResult
    package func recordAddressChange(iin: String, rka: String, at moment: Int64) throws -> Bool {
        let since = CivilDate(daysSince1970: Int(moment / Moment.millisecondsPerDay)).text
        return try database.write { database in
            guard
                let kato = try String.fetchOne(
                    database, sql: "SELECT kato FROM address WHERE rka = ?", arguments: [rka])
            else { throw RegisterFault.noSuchRecord(register: "individuals", key: rka) }
            try database.execute(
                sql: """
                    UPDATE person SET rka = ?, address_since = ?, verified_at = ?, updated_at = ?
                    WHERE iin = ? AND rka <> ?
                    """,
                arguments: [rka, since, moment, moment, iin, rka])
            guard database.changesCount == 1 else {
                try requirePerson(iin, database)
                return false
            }
            let event: JSONValue = [
                "iin": .string(iin), "rka": .string(rka), "kato": .string(kato), "since": .string(since),
                "recordedAt": .string(Moment.text(moment)),
            ]
            try appendToOutbox(database, kind: "address-changed", event, at: moment)
            return true
        }
    }

    /// The next row and the first number of the day that exists and is nobody's.
    private func freeNumber(
        born: CivilDate, sex: Sex, _ population: Population, _ database: Database
    ) throws -> (id: Int, iin: String) {
        let id = try Int.fetchOne(database, sql: "SELECT coalesce(max(id), -1) + 1 FROM person") ?? 0
        // Under 1 % of serials have no check digit, and neighbours are rarely taken: a few tries always suffice.
        for serial in id..<id + 100 {
            guard let iin = population.newborn(serial, on: born, sex: sex) else { continue }
            let taken = try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM person WHERE iin = ?)", arguments: [iin])
            if taken == false { return (id, iin) }
        }
        throw RegisterFault.notPossible(
            "no free number for a birth on \(born.text); the day must not be before \(population.epoch.text)")
    }

    private func insertChild(
        _ child: (id: Int, iin: String), of mother: Row, sex: Sex, given: BilingualName, born: CivilDate,
        at moment: Int64, _ database: Database
    ) throws {
        let motherIin: String = mother["iin"]
        let father = try Row.fetchOne(
            database, sql: "SELECT * FROM person WHERE iin = ?", arguments: [mother["spouse_iin"] as String?])
        let family = father ?? mother
        let fatherName = father.map { BilingualName($0["given_kk"], $0["given_ru"]) } ?? given
        let patronymic = Names.patronymic(.kazakh, father: fatherName, for: sex)
        func surname(_ column: String) -> String {
            let name: String = family[column]
            let masculine = father == nil && name.hasSuffix("а") ? String(name.dropLast()) : name
            return sex == .male ? masculine : masculine + "а"
        }
        let rka: String = mother["rka"]
        try database.execute(
            sql: """
                INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 'active', 'KAZ', ?, ?, NULL, ?, ?, ?, ?)
                """,
            arguments: [
                child.id, child.iin, surname("surname_kk"), given.kk, patronymic.kk, surname("surname_ru"), given.ru,
                patronymic.ru, sex.rawValue, born.text, father?["iin"] as String?, motherIin, rka, born.text, moment,
                moment,
            ])
        let kato = try String.fetchOne(database, sql: "SELECT kato FROM address WHERE rka = ?", arguments: [rka])
        let fatherIin = (father?["iin"] as String?).map(JSONValue.string) ?? .null
        let event: JSONValue = [
            "iin": .string(child.iin), "born": .string(born.text), "sex": .string(sex.rawValue),
            "motherIin": .string(motherIin), "fatherIin": fatherIin, "kato": .string(kato ?? ""),
            "recordedAt": .string(Moment.text(moment)),
        ]
        try appendToOutbox(database, kind: "person-born", event, at: moment)
    }

    private func requirePerson(_ iin: String, _ database: Database) throws {
        let known = try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM person WHERE iin = ?)", arguments: [iin])
        if known != true { throw RegisterFault.noSuchRecord(register: "individuals", key: iin) }
    }
}
