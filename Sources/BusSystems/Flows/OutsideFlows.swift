extension Flows {
    /// Banks, insurers and notaries' offices that reach the registers through the gateway.
    static let outside: [Flow] = [
        .asking(
            "real-estate.rights-get.v1", as: "gateway-rights", consumer: "gateway",
            "A bank looks at rights and encumbrances before a mortgage", request: Drawn.property),
        .asking(
            "legal-entities.entity-get.v1", as: "gateway-entity", consumer: "gateway",
            "A bank checks a client company", request: Drawn.company),
        .asking(
            "legal-entities.residency-check.v1", as: "gateway-residency", consumer: "gateway",
            "A bank checks the residency of a payer", request: Drawn.company),
        .asking(
            "individuals.life-status.v1", as: "gateway-life-status", consumer: "gateway",
            "An insurer checks that the insured is alive", request: Drawn.person),
    ]
}
