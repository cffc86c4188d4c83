import BusDirectory
import Testing

struct PassportTests {
    private let day = CalendarDate("2026-01-01")

    /// Every mandatory field filled.
    private func full() throws -> Space {
        let date = try #require(CalendarDate("2020-05-05"))
        let system = InformationSystem(
            id: "register", shortName: "R", name: LocalizedName(kk: "Т", ru: "Р", en: "R"),
            uuid: "6513270e-269e-4d37-b2a7-4de452e6b438", owner: "ministry", operator: "ministry",
            purpose: "To register.",
            topics: ["t"], contacts: .init(email: "r@m.example"), legislation: ["l"], storedData: ["d"],
            functions: [.init(name: "f", operations: [])], security: .init(class: 1, level: .high, lastAudit: date),
            status: .operation, commissioned: date, hosting: "h", freshness: .days(1))
        return Space(
            id: "s", title: LocalizedName(en: "S"), broker: BrokerFacts(id: "b", endpoint: "tcp://h:1"),
            agencies: [Agency(id: "ministry", name: LocalizedName(en: "M"), bin: "700140100005")], systems: [system],
            services: [OfferedService(name: "register.changed.v1", kind: .event, system: "register")])
    }

    @Test func fullPassportIsAHundredPercent() throws {
        let filling = Passport.filling(of: try full(), on: day)
        #expect(filling == Passport.Filling(filled: 22, mandatory: 22, missing: [:]))
        #expect(filling.percent == 100)
    }

    @Test func eachEmptyFieldCountsOnce() throws {
        let changes: [(Passport.Field, (inout Space) -> Void)] = [
            (.shortName, { $0.systems[0].shortName = "" }), (.nameKk, { $0.systems[0].name.kk = nil }),
            (.nameRu, { $0.systems[0].name.ru = nil }), (.nameEn, { $0.systems[0].name.en = "" }),
            (.uuid, { $0.systems[0].uuid = "not-a-uuid" }), (.ownerBIN, { $0.agencies[0].bin = "700140100006" }),
            (.operator, { $0.systems[0].operator = "nobody" }), (.purpose, { $0.systems[0].purpose = nil }),
            (.topics, { $0.systems[0].topics = [] }), (.contacts, { $0.systems[0].contacts = .init(office: "o") }),
            (.legislation, { $0.systems[0].legislation = [] }), (.storedData, { $0.systems[0].storedData = [] }),
            (.functions, { $0.systems[0].functions = [] }), (.services, { $0.services = [] }),
            (.securityClass, { $0.systems[0].security?.class = 4 }),
            (.securityLevel, { $0.systems[0].security?.level = nil }),
            (.lastAudit, { $0.systems[0].security?.lastAudit = CalendarDate("2026-01-02") }),
            (.commissioned, { $0.systems[0].commissioned = nil }), (.hosting, { $0.systems[0].hosting = nil }),
            (.freshness, { $0.systems[0].freshness = nil }),
        ]
        for (field, change) in changes {
            var space = try full()
            change(&space)
            let filling = Passport.filling(of: space, on: day)
            #expect(filling.missing == ["register": [field]])
            #expect(filling.filled == 21)
        }
        // An unknown owner has no number either; the status is always there.
        #expect(changes.count == Passport.Field.allCases.count - 2)
    }

    @Test func unknownOwnerHasNoNumberEither() throws {
        var space = try full()
        space.systems[0].owner = "nobody"
        #expect(Passport.filling(of: space).missing == ["register": [.owner, .ownerBIN]])
    }

    @Test func retiredSystemsDoNotCount() throws {
        var space = try full()
        space.systems.append(InformationSystem(id: "old", owner: "ministry", status: .retired))
        #expect(Passport.filling(of: space, on: day).mandatory == 22)
        space.systems[1].status = .trial
        let filling = Passport.filling(of: space, on: day)
        #expect(filling.mandatory == 44 && filling.filled == 22 + 3, "owner, its BIN and status")
        #expect(filling.percent == 25.0 * 100 / 44)
    }

    @Test func nothingToFillIsNotAPercentage() throws {
        var space = try full()
        space.systems = []
        #expect(Passport.filling(of: space).percent == nil)
    }
}
