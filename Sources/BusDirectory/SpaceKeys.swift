/// The section `keys`: an entry is the keys of an agent, or a key to which messages for a system are sealed.
extension SpaceSections {
    private static let validityMembers = ["from", "until", "revoked"]

    mutating func addKey(_ element: Element, into findings: inout Findings) {
        if element.hasMember("seal") || element.hasMember("system") {
            addSeal(element, into: &findings)
        } else {
            addAgentKey(element, into: &findings)
        }
    }

    private mutating func addAgentKey(_ element: Element, into findings: inout Findings) {
        let allowed = ["agent", "systems", "curve", "sign", "roles", "quota"] + Self.validityMembers
        guard let fields = Fields(element, kind: "key", allowed: allowed, into: &findings) else { return }
        let agent = fields.require("agent", .identifier, into: &findings)
        let systems = fields.list("systems", .identifier, into: &findings)
        let curve = fields.require("curve", .curve, into: &findings)
        let sign = fields.read("sign", .signingKey, into: &findings)
        let validity = Self.validity(fields, into: &findings)
        let roles: [(value: AgentKey.Role, place: Place)] = fields.list("roles", .choice, into: &findings)
        let quota = fields.inner("quota", allowed: TrafficQuota.members, into: &findings).map { inner in
            TrafficQuota(inner, into: &findings)
        }
        guard let agent, let curve else { return }
        if systems.isEmpty, roles.isEmpty {
            findings.error(
                .missingMember, at: fields.place, "agent `\(agent)` has neither systems nor roles",
                right: "`systems:` it serves, or `roles:`")
        }
        let key = AgentKey(
            agent: agent, systems: systems.map(\.value), curve: curve, sign: sign, validity: validity,
            roles: roles.map(\.value), quota: quota)
        keys.append(Declared(value: key, fields: fields))
    }

    private mutating func addSeal(_ element: Element, into findings: inout Findings) {
        let allowed = ["system", "seal", "order"] + Self.validityMembers
        guard let fields = Fields(element, kind: "seal", allowed: allowed, into: &findings) else { return }
        let system = fields.require("system", .identifier, into: &findings)
        let seal = fields.require("seal", .sealingKey, into: &findings)
        let order = fields.read("order", .orderSecretID, into: &findings)
        let validity = Self.validity(fields, into: &findings)
        guard let system, let seal else { return }
        seals.append(
            Declared(value: SystemSeal(system: system, seal: seal, order: order, validity: validity), fields: fields))
    }

    private static func validity(_ fields: Fields, into findings: inout Findings) -> KeyValidity {
        let validity = KeyValidity(
            from: fields.read("from", .date, into: &findings), until: fields.read("until", .date, into: &findings),
            revoked: fields.read("revoked", .date, into: &findings))
        if let from = validity.from, let until = validity.until, until < from {
            findings.error(
                .badValue, at: fields.place(of: "until"), "the key ends on \(until), before it begins on \(from)",
                right: "a day of `from` or later")
        }
        return validity
    }
}
