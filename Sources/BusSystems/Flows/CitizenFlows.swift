import BusContracts

extension Flows {
    /// What people ask from a telephone: the application of mobile government and the chatbots.
    static let citizens: [Flow] = [
        .asking(
            "portal.service-status.v1", as: "mobile-order-status", consumer: "mobile",
            "How an order of the portal is doing", request: Drawn.document(.order)),
        .asking(
            "individuals.person-get.v1", as: "mobile-person", consumer: "mobile",
            "Digital documents on the telephone", request: Drawn.person),
        .asking(
            "citizens-service-centre.application-status.v1", as: "chatbots-application-status", consumer: "chatbots",
            "How an application made at the counter is doing", request: Drawn.document(.application)),
        .asking(
            "portal.service-status.v1", as: "chatbots-order-status", consumer: "chatbots",
            "How an order of the portal is doing", request: Drawn.document(.order)),
    ]

    /// State bodies among themselves.
    static let offices: [Flow] = [
        .asking(
            "intranet.directory-get.v1", as: "edms-directory", consumer: "edms",
            "To whom in a department a document goes"
        ) { random, population in
            ["department": .string(population.departmentCode(random.below(population.departments)))]
        },
        .asking(
            "architecture.passport-get.v1", as: "intranet-passport", consumer: "intranet",
            "The passport of a system, for the page about it"
        ) { random, _ in
            ["system": .string(random.pick(Register.allCases).rawValue)]
        },
    ]
}
