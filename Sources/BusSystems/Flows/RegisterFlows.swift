import BusContracts

extension Flows {
    /// Registers that check what they keep against the registers it comes from.
    static let registers: [Flow] = [
        Flow(
            "legal-entities-director", consumer: "legal-entities",
            "The director of a company must be alive, with a number in force",
            services: ["individuals.life-status.v1"]
        ) { bus, random, population in
            let company = population.company(random.below(population.scale.companies))
            _ = try await bus.ask("individuals.life-status.v1", ["iin": .string(population.iin(company.director))])
        },
        Flow(
            "legal-entities-founder", consumer: "legal-entities",
            "The founders of a company that are people are compared with the register of individuals",
            services: ["individuals.person-get.v1"]
        ) { bus, random, population in
            for (founder, _) in population.company(random.below(population.scale.companies)).founders {
                guard case .person(let index) = founder else { continue }
                _ = try await bus.ask("individuals.person-get.v1", ["iin": .string(population.iin(index))])
            }
        },
        .asking(
            "individuals.person-get.v1", as: "real-estate-owner", consumer: "real-estate",
            "An owner's name before an entry is made", request: Drawn.person),
        .asking(
            "legal-entities.entity-get.v1", as: "real-estate-company-owner", consumer: "real-estate",
            "A company that owns or lends, before an entry is made", request: Drawn.company),
        .asking(
            "e-notary.deed-status.v1", as: "real-estate-deed", consumer: "real-estate",
            "The deed on which an entry will rest", request: Drawn.document(.deed)),
        .asking(
            "legal-entities.entity-get.v1", as: "e-licensing-holder", consumer: "e-licensing",
            "The holder of a licence", request: Drawn.company),
        .asking(
            "individuals.person-get.v1", as: "e-licensing-responsible", consumer: "e-licensing",
            "The person responsible for a licensed activity"
        ) { random, population in
            let licence = random.below(population.documents(.licence))
            return ["iin": .string(population.applicant(.licence, licence).iin)]
        },
        Flow(
            "e-akimat-child", consumer: "e-akimat",
            "A child in the queue for a kindergarten: who and where",
            services: ["individuals.person-get.v1", "individuals.address-get.v1"], run: child),
        .asking(
            "real-estate.property-list.v1", as: "e-akimat-family-property", consumer: "e-akimat",
            "Whether a family that asks for housing owns any", request: Drawn.person),
    ]

    @Sendable private static func child(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        let request = Drawn.child(&random, population)
        let child = try await bus.ask("individuals.person-get.v1", request)
        let address = try await bus.ask("individuals.address-get.v1", request)
        guard try child.string("iin") == address.string("iin") else {
            throw FlowFault.contradiction(
                "the register of individuals answered for another child than the one asked for")
        }
    }
}
