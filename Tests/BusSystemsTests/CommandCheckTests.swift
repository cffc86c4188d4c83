import BusAgent
import BusContracts
import BusSystems
import Testing

/// The looks at other systems before a command, asked of the registers of the small country.
@Suite struct CommandCheckTests {
    private let population = SmallCountry.population

    private func verdict(_ name: String, _ body: JSONValue, attempt: Int = 1) async throws -> CommandCheck.Verdict {
        let check = try #require(CommandChecks.all[name])
        let bus = RegisterBus()
        let question = CommandCheck.Question(
            id: "0196a3c0-5e00-7000-8000-0000000000a1", consumer: "portal", attempt: attempt, body: body, now: bus.now)
        return try await check.run(question) { service, body in
            do { return try await bus.ask(service, body) } catch is NotFound { throw BusFault.nothingFound() }
        }
    }

    private func company(
        director: Int, _ founders: [(iin: String, numerator: Int, denominator: Int)], oked: String = "62011"
    ) -> JSONValue {
        [
            "oked": .string(oked), "directorIin": .string(population.iin(director)),
            "founders": .array(
                founders.map { founder in
                    [
                        "iin": .string(founder.iin), "bin": nil,
                        "share": [
                            "numerator": JSONValue(founder.numerator), "denominator": JSONValue(founder.denominator),
                        ],
                    ]
                }),
        ]
    }

    private var living: [Int] {
        Array((0..<1000).filter { population.person($0).isCapable(on: population.epoch) }.prefix(4))
    }

    @Test func aCompanyOfLivingPeopleWithWholeSharesGetsANumber() async throws {
        let people = living.map(population.iin)
        let body = company(director: living[0], [(people[0], 1, 3), (people[1], 1, 3), (people[2], 2, 6)])
        guard case .proceed(let members) = try await verdict("founders", body) else {
            Issue.record("it was refused")
            return
        }
        let bin = try #require(members.first { $0.name == "bin" }?.value.string)
        #expect(BIN.isValid(bin) && BIN.parts(of: bin)?.kind == .resident)
        // A number that is taken is followed by another one.
        guard case .proceed(let again) = try await verdict("founders", body, attempt: 2) else { return }
        #expect(again.first { $0.name == "bin" }?.value.string != bin)
    }

    @Test(arguments: [
        [(1, 2), (1, 3)], [(1, 2), (1, 2), (1, 1_000_000)], [(2, 1)],
        [(333_333, 1_000_000), (333_333, 1_000_000), (333_333, 1_000_000)],
    ])
    func sharesThatAreNoWholeAreRefused(_ shares: [(Int, Int)]) async throws {
        let founders = zip(living, shares).map { (population.iin($0), $1.0, $1.1) }
        let verdict = try await verdict("founders", company(director: living[0], founders))
        #expect(verdict == .refuse("the shares of the founders do not sum to exactly 1"))
    }

    /// Shares of primes whose product no number here can hold end in a refusal, not in a crash.
    @Test func sharesBeyondEveryNumberAreRefused() async throws {
        let primes = [999_983, 999_979, 999_961, 999_959, 999_953, 999_931, 999_917, 999_907]
        let founders = zip(0..<8, primes).map { (population.iin($0), 1, $1) }
        let verdict = try await verdict("founders", company(director: living[0], founders))
        #expect(verdict == .refuse("the shares of the founders do not sum to exactly 1"))
    }

    @Test func theDeadAndTheUnknownFoundNothing() async throws {
        let dead = try #require((0..<1000).first { population.person($0).died != nil })
        let alive = living[0]
        let iin = population.iin(alive)
        #expect(
            try await verdict("founders", company(director: dead, [(iin, 1, 1)])) == .refuse("the director is dead"))
        #expect(
            try await verdict("founders", company(director: alive, [(population.iin(dead), 1, 1)]))
                == .refuse("the founder is dead"))
        #expect(
            try await verdict("founders", company(director: alive, [("990101500016", 1, 1)]))
                == .refuse("the founder is not in the register of individuals"))
        #expect(
            try await verdict("founders", company(director: alive, [(iin, 1, 2), (iin, 1, 2)]))
                == .refuse("each founder is one person or one company, and is named once"))
        #expect(
            try await verdict("founders", company(director: alive, [(iin, 1, 1)], oked: "00000"))
                == .refuse("there is no activity of this code"))
    }

    @Test func aLicenceIsAppliedForByTheDirectorOfAnActiveCompany() async throws {
        let companies = (0..<population.scale.companies).map(population.company)
        let active = try #require(companies.first { $0.status == "active" })
        let closed = try #require(companies.first { $0.status == "liquidated" })
        func body(_ company: Company, applicant: Int, responsible: Int) -> JSONValue {
            [
                "bin": .string(company.bin), "activity": "62011",
                "responsibleIin": .string(population.iin(responsible)),
                "applicantIin": .string(population.iin(applicant)),
            ]
        }
        let alive = living[0]
        guard
            case .proceed = try await verdict(
                "licence-holder", body(active, applicant: active.director, responsible: alive))
        else {
            Issue.record("it was refused")
            return
        }
        #expect(
            try await verdict("licence-holder", body(closed, applicant: closed.director, responsible: alive))
                == .refuse("the company is not active"))
        let stranger = living.first { $0 != active.director } ?? alive
        #expect(
            try await verdict("licence-holder", body(active, applicant: stranger, responsible: alive))
                == .refuse("the applicant is not the company's living director"))
        let dead = try #require((0..<1000).first { population.person($0).died != nil })
        #expect(
            try await verdict("licence-holder", body(active, applicant: active.director, responsible: dead))
                == .refuse("the responsible person is dead"))
    }
}
