import BusContracts

extension Flows {
    /// Notaries, before and after a deed.
    static let notary: [Flow] = [
        .asking(
            "real-estate.rights-get.v1", as: "e-notary-rights", consumer: "e-notary",
            "Rights and encumbrances of a property that is to be sold", request: Drawn.property),
        Flow(
            "e-notary-precheck", consumer: "e-notary",
            "Before a deed: the property, its owners and the taker in all three registers",
            services: [
                "real-estate.rights-get.v1", "individuals.life-status.v1", "legal-entities.entity-get.v1",
                "individuals.person-get.v1", "legal-entities.participation-list.v1",
            ],
            run: precheck),
        Flow(
            "e-notary-transfers", consumer: "e-notary", "A deed of sale, and the order to register the buyer",
            services: ["real-estate.rights-get.v1"], commands: ["real-estate.property-transfer.v1"], run: transfer),
        Flow(
            "e-notary-encumbrances", consumer: "e-notary",
            "A pledge over a property, or the end of what burdens it", services: ["real-estate.rights-get.v1"],
            commands: ["real-estate.encumbrance-impose.v1", "real-estate.encumbrance-lift.v1"], run: encumbrance),
    ]

    /// What cannot be sold is drawn again a few times: shares, companies and encumbrances need another deed.
    @Sendable private static func transfer(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        for _ in 0..<10 {
            let property = Drawn.property(&random, population)
            let rights = try await bus.ask("real-estate.rights-get.v1", property)
            let owners = try rights.array("rights")
            guard owners.count == 1, let giver = owners[0]["iin"]?.string, try !rights.bool("encumbered"),
                owners[0]["ownerDeceasedSince"]?.isNull == true
            else { continue }
            let taker = population.iin(population.capablePerson(&random))
            guard taker != giver else { continue }
            let desk = try NotaryDesk(path: bus.ownRegister("e-notary-transfers"))
            try desk.sign(
                cadastralNumber: try rights.string("cadastralNumber"), giverIin: giver, takerIin: taker, at: bus.now)
            return
        }
    }

    @Sendable private static func encumbrance(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        let rights = try await bus.ask("real-estate.rights-get.v1", Drawn.property(&random, population))
        let number = try rights.string("cadastralNumber")
        let inForce = try rights.array("encumbrances").first { $0["lifted"]?.isNull == true }
        let desk = try NotaryDesk(path: bus.ownRegister("e-notary-encumbrances"))
        if let imposed = inForce?["imposed"]?.string {
            try desk.lift(imposed: imposed, from: number, at: bus.now)
        } else {
            let creditor = population.bin(random.below(population.scale.companies))
            try desk.impose("pledge", on: number, for: creditor, at: bus.now)
        }
    }

    /// Owners must be able to act and creditors must exist; then the taker is identified, with the companies that
    /// would make a conflict of interest.
    @Sendable private static func precheck(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        let rights = try await bus.ask("real-estate.rights-get.v1", Drawn.property(&random, population))
        for right in try rights.array("rights").prefix(checkedOwners) {
            if let iin = right["iin"]?.string {
                _ = try await bus.ask("individuals.life-status.v1", ["iin": .string(iin)])
            } else if let bin = right["bin"]?.string {
                _ = try await bus.ask("legal-entities.entity-get.v1", ["bin": .string(bin)])
            }
        }
        for encumbrance in try rights.array("encumbrances").prefix(checkedOwners)
        where encumbrance["lifted"]?.isNull == true {
            guard let creditor = encumbrance["creditorBin"]?.string else { continue }
            _ = try await bus.ask("legal-entities.entity-get.v1", ["bin": .string(creditor)])
        }
        let taker: JSONValue = ["iin": .string(population.iin(population.capablePerson(&random)))]
        _ = try await bus.ask("individuals.person-get.v1", taker)
        _ = try await bus.ask("legal-entities.participation-list.v1", taker)
    }

    /// A deed over a property with more owners or creditors than this is checked by hand.
    private static let checkedOwners = 5
}
