import BusContracts
import BusSystems
import BusTesting
import Testing

/// Orders of the portal that other registers carry out, after they have asked still others.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CompanyMeshTests {
    private static let population = Population(seed: 1, scale: Scale(oneIn: 100))

    @Test("a company is registered when its people are alive, a licence is given when its fee is paid")
    func ordersAreCarriedOut() async throws {
        let mesh = try await Mesh.start(
            .init(root: projectRoot, agents: ["portal", "legal-entities", "individuals", "e-licensing", "payments"]))
        do {
            try await registersCompanies(mesh)
            try await givesLicences(mesh)
        } catch {
            let logs = mesh.agents.map { "\($0.name):\n\($0.logTail(lines: 5))" }.joined(separator: "\n")
            Issue.record("\(error)\n\(mesh.broker.logTail())\n\(logs)")
        }
        await mesh.stop()
    }

    private func registersCompanies(_ mesh: Mesh) async throws {
        let population = Self.population
        let people = 0..<population.scale.people
        let alive = try #require(people.first { population.person($0).isCapable(on: population.epoch) })
        let dead = try #require(people.first { population.person($0).died != nil })
        let desk = try PortalDesk(path: mesh.register("portal"))
        let before = try #require(Int(try mesh.value("SELECT count(*) FROM entity", in: "legal-entities") ?? ""))
        // While the register of individuals is away nobody can tell who is alive: the command waits for it.
        mesh.agent("individuals-1")?.kill()
        await mesh.agent("individuals-1")?.waitForExit(within: .seconds(5))
        let good = try desk.order("entity-register", company(alive), by: population.iin(alive), at: Mesh.now)
        let bad = try desk.order("entity-register", company(dead), by: population.iin(alive), at: Mesh.now)
        try await mesh.until("SELECT count(*) FROM kerege_sending WHERE code = 0", is: "2", in: "portal")
        #expect(try mesh.value("SELECT count(*) FROM kerege_command", in: "legal-entities") == "0")
        try mesh.agent("individuals-1")?.start()
        try await mesh.until(state(of: good), is: "completed", in: "portal")
        try await mesh.until(state(of: bad), is: "refused", in: "portal")
        let after = try mesh.value("SELECT count(*) FROM entity", in: "legal-entities")
        #expect(after == "\(before + 1)")
        let reason = try mesh.value("SELECT body FROM kerege_outcome WHERE code = 4093", in: "legal-entities")
        #expect(reason == "the director is dead")
    }

    private func givesLicences(_ mesh: Mesh) async throws {
        let population = Self.population
        let company = try #require(
            (0..<population.scale.companies).map(population.company).first { $0.status == "active" })
        let director = population.iin(company.director)
        func application(by applicant: String) -> JSONValue {
            [
                "bin": .string(company.bin), "activity": "06100", "responsibleIin": .string(director),
                "applicantIin": .string(applicant),
            ]
        }
        let desk = try PortalDesk(path: mesh.register("portal"))
        let stranger = population.iin((company.director + 1) % population.scale.people)
        let bad = try desk.order("license-apply", application(by: stranger), by: stranger, at: Mesh.now)
        try await mesh.until(state(of: bad), is: "refused", in: "portal")
        let good = try desk.order("license-apply", application(by: director), by: director, at: Mesh.now)
        try await mesh.until("SELECT count(*) FROM invoice", is: "1", in: "payments")
        #expect(try mesh.value(state(of: good), in: "portal") == "accepted")
        #expect(try PaymentDesk(path: mesh.register("payments")).payNext(at: Mesh.now) != nil)
        try await mesh.until(state(of: good), is: "completed", in: "portal")
        let licences = "SELECT count(*) FROM licence WHERE bin = '\(company.bin)' AND activity = '06100'"
        #expect(try mesh.value(licences + " AND status = 'valid'", in: "e-licensing") == "1")
    }

    private func state(of order: String) -> String { "SELECT state FROM service_order WHERE number = '\(order)'" }

    private func company(_ director: Int) -> JSONValue {
        let iin = Self.population.iin(director)
        let address = Self.population.address(0)
        return [
            "name": ["kk": "«Есіл Софт» ЖШС", "ru": "ТОО «Есіл Софт»"], "oked": "62011",
            "kato": .string(address.kato), "rka": .string(address.rka), "directorIin": .string(iin),
            "founders": [["iin": .string(iin), "bin": nil, "share": ["numerator": 1, "denominator": 1]]],
        ]
    }
}
