import BusContracts

extension Flows {
    /// The portal egov.kz, for the citizen who is signed in.
    static let portal: [Flow] = [
        .asking(
            "individuals.person-get.v1", as: "portal-person", consumer: "portal",
            "The portal fills a form with what the register knows of the citizen", request: Drawn.person),
        Flow(
            "portal-address-certificate", consumer: "portal",
            "A certificate of address: the register of individuals and that of real estate joined by the address code",
            services: ["individuals.address-get.v1", "real-estate.property-list.v1"], run: addressCertificate),
        .asking(
            "real-estate.absence-certificate.v1", as: "portal-absence-certificate", consumer: "portal",
            "Whether the citizen owns property, promised in 20 minutes", request: Drawn.person),
        .asking(
            "legal-entities.participation-list.v1", as: "portal-participation", consumer: "portal",
            "Companies that the citizen directs or founded", request: Drawn.person),
        .asking(
            "e-licensing.license-get.v1", as: "portal-licence", consumer: "portal",
            "A licence shown to anybody who knows its number", request: Drawn.document(.licence)),
        .asking(
            "e-akimat.kindergarten-queue.v1", as: "portal-kindergarten", consumer: "portal",
            "A parent looks where the child stands in the queue", request: Drawn.child),
        .asking(
            "e-notary.deed-status.v1", as: "portal-deed", consumer: "portal",
            "A party of a deed looks whether it is registered", request: Drawn.document(.deed)),
        .asking(
            "real-estate.property-get.v1", as: "portal-property", consumer: "portal",
            "Particulars of a property by its cadastral number", request: Drawn.property),
        Flow(
            "portal-own-accesses", consumer: "portal",
            "A citizen looks who asked about him or her, register by register",
            services: accountKeepers
        ) { bus, random, population in
            let citizen = population.iin(random.below(population.scale.people))
            for service in accountKeepers { _ = try await bus.ask(service, ["subject": .string(citizen)]) }
        },
        Flow(
            "portal-company-orders", consumer: "portal", "A citizen founds a company", services: [],
            commands: ["legal-entities.entity-register.v1"], run: companyOrder),
        Flow(
            "portal-licence-orders", consumer: "portal", "A director applies for a licence", services: [],
            commands: ["e-licensing.license-apply.v1"], run: licenceOrder),
    ]

    /// What the agents of the registers answer by themselves about accesses to somebody's data.
    private static let accountKeepers = ["individuals", "legal-entities", "real-estate", "e-akimat"].map {
        "\($0).access-reference.v1"
    }

    @Sendable private static func companyOrder(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        let model = population.company(random.below(population.scale.companies))
        let address = population.address(random.below(population.scale.properties))
        let director = population.iin(population.capablePerson(&random))
        let partner = population.iin(population.capablePerson(&random))
        let owners = partner == director ? [director] : [director, partner]
        let founders = zip(owners, Share.split(into: owners.count, &random)).map { owner, share -> JSONValue in
            [
                "iin": .string(owner), "bin": nil,
                "share": [
                    "numerator": JSONValue(share.numerator), "denominator": JSONValue(share.denominator),
                ],
            ]
        }
        let command: JSONValue = [
            "name": ["kk": .string(model.name.kk), "ru": .string(model.name.ru)], "oked": .string(model.oked.code),
            "kato": .string(address.kato), "rka": .string(address.rka), "directorIin": .string(director),
            "founders": .array(founders),
        ]
        let desk = try PortalDesk(path: bus.ownRegister("portal-company-orders"))
        try desk.order("entity-register", command, by: director, at: bus.now)
    }

    @Sendable private static func licenceOrder(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        let company = population.company(random.below(population.scale.companies))
        let director = population.iin(company.director)
        let command: JSONValue = [
            "bin": .string(company.bin), "activity": .string(random.pick(Population.activities).code),
            "responsibleIin": .string(population.iin(population.capablePerson(&random))),
            "applicantIin": .string(director),
        ]
        let desk = try PortalDesk(path: bus.ownRegister("portal-licence-orders"))
        try desk.order("license-apply", command, by: director, at: bus.now)
    }

    /// The two registers must mean the same place: every property found carries the code and locality of the address.
    @Sendable private static func addressCertificate(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        let address = try await bus.ask("individuals.address-get.v1", Drawn.person(&random, population))
        let rka = try address.string("rka")
        let kato = try address.string("kato")
        let found = try await bus.ask("real-estate.property-list.v1", ["rka": .string(rka)])
        for property in try found.array("properties") {
            guard property["rka"]?.string == rka, property["kato"]?.string == kato else {
                throw FlowFault.contradiction("the registers place the address \(rka) in different localities")
            }
        }
    }
}
