import BusContracts
import BusSystems
import GRDB
import Testing

@Suite struct CivilRegistryTests {
    let population = SmallCountry.population
    let moment = SmallCountry.population.epoch.milliseconds + 33 * 86_400_000 + 3_600_000

    /// The events that the agent's publication would send after position `after`.
    private func published(_ event: String, from path: String, after: Int64 = 0) throws -> [JSONValue] {
        let agents = try AgentFile.all.get()
        let publication = try #require(agents.flatMap { $0.publications ?? [] }.first { $0.event == event })
        let rows = try SmallCountry.open(path).read {
            try Row.fetchAll($0, sql: publication.sql, arguments: ["after": after])
        }
        return try rows.map { row in
            let body: String = row[1]
            try Contracts.check(event, .event, Array(body.utf8))
            return try JSONValue.parse(body)
        }
    }

    /// Runs the SQL with which an agent takes an event.
    private func deliver(_ event: String, _ body: JSONValue, to system: String, at path: String) throws {
        let agent = try #require(try AgentFile.all.get().first { $0.systems == [system] })
        let subscription = try #require(agent.subscriptions?.first { $0.event == event })
        try SmallCountry.open(path).write {
            try $0.execute(sql: subscription.sql, arguments: Binding.arguments(subscription.sql, body))
        }
    }

    @Test func aDeathReachesTheCompaniesOfTheDirector() throws {
        let individuals = try SmallCountry.copy(of: .individuals)
        let entities = try SmallCountry.copy(of: .legalEntities)
        let director = population.iin(population.company(3).director)
        let directed = (0..<population.scale.companies).filter {
            population.iin(population.company($0).director) == director
        }

        #expect(try CivilRegistry(path: individuals).recordDeath(iin: director, at: moment))
        let events = try published("individuals.person-died.v1", from: individuals)
        #expect(events.count == 1)
        #expect(events.first?["iin"]?.string == director && events.first?["date"]?.string == "2026-02-03")
        // Delivered twice, as at-least-once delivery may: the effect is one.
        for event in events + events {
            try deliver("individuals.person-died.v1", event, to: "legal-entities", at: entities)
        }

        let marked = try SmallCountry.open(entities).read {
            try Row.fetchAll($0, sql: "SELECT * FROM entity WHERE director_deceased_since IS NOT NULL")
        }
        #expect(Set(marked.map { $0["bin"] as String }) == Set(directed.map(population.bin)))
        #expect(marked.allSatisfy { $0["director_deceased_since"] == "2026-02-03" })
        #expect(marked.allSatisfy { ($0["updated_at"] as Int64) == moment / 1000 * 1000 })
    }

    @Test func aDeathReachesRightsLicencesAndTheQueue() throws {
        let realEstate = try SmallCountry.copy(of: .realEstate)
        let licensing = try SmallCountry.copy(of: .eLicensing)
        let owner = try #require(
            try SmallCountry.open(realEstate).read {
                try String.fetchOne($0, sql: "SELECT iin FROM ownership WHERE iin IS NOT NULL")
            })
        let responsible = try #require(
            try SmallCountry.open(licensing).read {
                try String.fetchOne($0, sql: "SELECT responsible_iin FROM licence")
            })
        func event(_ iin: String) -> JSONValue {
            ["iin": .string(iin), "date": "2026-02-03", "recordedAt": "2026-02-03T01:00:00Z"]
        }
        try deliver("individuals.person-died.v1", event(owner), to: "real-estate", at: realEstate)
        try deliver("individuals.person-died.v1", event(responsible), to: "e-licensing", at: licensing)
        let owned = try SmallCountry.open(realEstate).read {
            try String.fetchAll($0, sql: "SELECT DISTINCT iin FROM ownership WHERE owner_deceased_since = '2026-02-03'")
        }
        let answered = try SmallCountry.open(licensing).read {
            try String.fetchAll(
                $0, sql: "SELECT DISTINCT responsible_iin FROM licence WHERE responsible_deceased_since = '2026-02-03'")
        }
        #expect(owned == [owner])
        #expect(answered == [responsible])
    }

    @Test func aSecondDeathOfOnePersonChangesNothing() throws {
        let path = try SmallCountry.copy(of: .individuals)
        let registry = try CivilRegistry(path: path)
        let iin = population.iin(population.company(0).director)
        #expect(try registry.recordDeath(iin: iin, at: moment))
        #expect(try registry.recordDeath(iin: iin, at: moment + 86_400_000) == false)
        #expect(try published("individuals.person-died.v1", from: path).count == 1)
    }

    @Test func anUnknownNumberIsAnErrorThatNamesIt() throws {
        let registry = try CivilRegistry(path: SmallCountry.copy(of: .individuals))
        #expect(throws: RegisterFault.noSuchRecord(register: "individuals", key: "990101500016")) {
            try registry.recordDeath(iin: "990101500016", at: moment)
        }
    }

    @Test func aDeathWhoseEventCannotBeWrittenDidNotHappen() throws {
        let path = try SmallCountry.copy(of: .individuals)
        let iin = population.iin(population.company(0).director)
        let register = try SmallCountry.open(path)
        try register.write {
            try $0.execute(
                sql: "CREATE TRIGGER broken BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no outbox'); END")
        }
        #expect(throws: DatabaseError.self) { try CivilRegistry(path: path).recordDeath(iin: iin, at: moment) }
        let died = try register.read {
            try String.fetchOne($0, sql: "SELECT died FROM person WHERE iin = ?", arguments: [iin])
        }
        #expect(died == nil)
    }

    @Test func publicationsContinueAfterAPosition() throws {
        let path = try SmallCountry.copy(of: .individuals)
        let registry = try CivilRegistry(path: path)
        let directors = Set((0..<8).map { population.iin(population.company($0).director) }).sorted()
        for iin in directors { try registry.recordDeath(iin: iin, at: moment) }
        let all = try published("individuals.person-died.v1", from: path)
        let rest = try published("individuals.person-died.v1", from: path, after: 3)
        #expect(all.compactMap { $0["iin"]?.string } == directors)
        #expect(rest.compactMap { $0["iin"]?.string } == Array(directors.dropFirst(3)))
    }

    @Test func aBirthMakesAPersonWithAValidNumberAndAnEvent() throws {
        let path = try SmallCountry.copy(of: .individuals)
        let akimat = try SmallCountry.copy(of: .eAkimat)
        let mother = try #require(
            (0..<population.scale.people).lazy.map(population.person)
                .first { $0.sex == .female && $0.spouse != nil && $0.isCapable(on: population.epoch) })
        let given = BilingualName("Аружан", "Аружан")
        let registry = try CivilRegistry(path: path)
        let twins = try (0..<2).map { _ in
            try registry.recordBirth(motherIin: mother.iin, sex: .female, given: given, at: moment, in: population)
        }
        #expect(Set(twins).count == 2 && twins.allSatisfy { IIN.isValid($0) && $0.hasPrefix("260203") })
        let events = try published("individuals.person-born.v1", from: path)
        #expect(events.compactMap { $0["iin"]?.string } == twins)
        for event in events { try deliver("individuals.person-born.v1", event, to: "e-akimat", at: akimat) }
        let noticed = try SmallCountry.open(akimat).read {
            try String.fetchAll($0, sql: "SELECT iin FROM birth_notice ORDER BY rowid")
        }
        #expect(noticed == twins)
        let child = try #require(
            try SmallCountry.open(path).read {
                try Row.fetchOne($0, sql: "SELECT * FROM person WHERE iin = ?", arguments: [twins[0]])
            })
        #expect(child["mother_iin"] == mother.iin)
        #expect(child["surname_ru"] == population.person(mother.spouse ?? 0).surname.ru + "а")
    }

    @Test func aNewAddressIsAnEventWithItsLocality() throws {
        let path = try SmallCountry.copy(of: .individuals)
        let registry = try CivilRegistry(path: path)
        let person = population.person(12)
        let address = population.address(77)
        #expect(try registry.recordAddressChange(iin: person.iin, rka: address.rka, at: moment))
        #expect(try registry.recordAddressChange(iin: person.iin, rka: address.rka, at: moment) == false)
        let events = try published("individuals.address-changed.v1", from: path)
        #expect(events.map { $0["kato"]?.string } == [address.kato])
        #expect(throws: RegisterFault.noSuchRecord(register: "individuals", key: "0000000000000000")) {
            try registry.recordAddressChange(iin: person.iin, rka: "0000000000000000", at: moment)
        }
    }

    @Test func aNewOwnerKeepsTheNumberOfTheProperty() throws {
        let path = try SmallCountry.copy(of: .realEstate)
        let notary = try SmallCountry.copy(of: .eNotary)
        let number = population.cadastralNumber(10)
        let buyer = population.iin(population.company(5).director)
        try LandRegistry(path: path).registerRight(cadastralNumber: number, ownerIin: buyer, at: moment)
        let owners = try SmallCountry.open(path).read {
            try Row.fetchAll($0, sql: "SELECT * FROM ownership WHERE cadastral_number = ?", arguments: [number])
        }
        #expect(owners.count == 1 && owners[0]["iin"] == buyer && owners[0]["since"] == "2026-02-03T01:00:00Z")
        let events = try published("real-estate.property-registered.v1", from: path)
        #expect(events.map { $0["cadastralNumber"]?.string } == [number])
        for event in events + events {
            try deliver("real-estate.property-registered.v1", event, to: "e-notary", at: notary)
        }
        let notices = try SmallCountry.open(notary).read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM property_notice")
        }
        #expect(notices == 1)
    }
}
