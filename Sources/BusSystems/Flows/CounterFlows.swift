import BusContracts

extension Flows {
    /// The service centre: a clerk at the counter.
    static let counter: [Flow] = [
        Flow(
            "service-centre-absence-certificate", consumer: "citizens-service-centre",
            "A certificate of property for a visitor, who is identified first",
            services: ["individuals.person-get.v1", "real-estate.absence-certificate.v1"], run: absenceAtCounter),
        .asking(
            "individuals.person-search.v1", as: "service-centre-search", consumer: "citizens-service-centre",
            "A visitor without papers is looked for by name and day of birth"
        ) { random, population in
            let person = population.person(random.below(population.scale.people))
            return [
                "surname": .string(person.surname.kk), "given": .string(person.given.kk),
                "born": .string(person.born.text),
            ]
        },
        .asking(
            "real-estate.property-get.v1", as: "service-centre-property", consumer: "citizens-service-centre",
            "Particulars of a property for an application", request: Drawn.property),
        .asking(
            "legal-entities.entity-get.v1", as: "service-centre-entity", consumer: "citizens-service-centre",
            "A company for which a representative applies", request: Drawn.company),
        .asking(
            "e-akimat.certificate-get.v1", as: "service-centre-certificate", consumer: "citizens-service-centre",
            "A certificate that a visitor brings is checked at its source", request: Drawn.document(.certificate)),
        .asking(
            "e-akimat.kindergarten-queue.v1", as: "service-centre-kindergarten", consumer: "citizens-service-centre",
            "The place of a child in the queue for a kindergarten", request: Drawn.child),
    ]

    @Sendable private static func absenceAtCounter(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        let request = Drawn.person(&random, population)
        let person = try await bus.ask("individuals.person-get.v1", request)
        let certificate = try await bus.ask("real-estate.absence-certificate.v1", request)
        guard try person.string("iin") == certificate.string("iin") else {
            throw FlowFault.contradiction("the certificate names another person than the one who asked")
        }
    }
}
