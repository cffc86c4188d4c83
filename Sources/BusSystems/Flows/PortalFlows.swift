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
    ]

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
