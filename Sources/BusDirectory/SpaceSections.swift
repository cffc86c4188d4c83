/// An entry of a file together with where it stands, kept until the references between entries are checked.
struct Declared<Value> {
    var value: Value
    var fields: Fields

    var place: Place { fields.place }
}

/// Everything the files declare, not yet checked against each other.
///
/// A file is a mapping of sections. `space`, `broker` and `thresholds` stand once in the whole space; the lists
/// `agencies`, `systems`, `services`, `integrations` and `keys` may be spread over any files.
struct SpaceSections {
    var space: Fields?
    var broker: Fields?
    var thresholds: Fields?
    var agencies: [Declared<Agency>] = []
    var systems: [Declared<InformationSystem>] = []
    var services: [Declared<OfferedService>] = []
    var integrations: [Declared<Integration>] = []
    var keys: [Declared<AgentKey>] = []
    var seals: [Declared<SystemSeal>] = []
    /// Services whose entry has another error: a reference to them does not dangle as well.
    var brokenServices: Set<String> = []

    private static let names = [
        "space", "broker", "thresholds", "agencies", "systems", "services", "integrations", "keys",
    ]

    /// Takes in one file.
    mutating func add(_ root: Element, into findings: inout Findings) {
        guard let sections = Fields(root, kind: "the space", allowed: Self.names, into: &findings) else { return }
        addSingle(\.space, "space", Self.spaceMembers, from: sections, into: &findings)
        addSingle(\.broker, "broker", Self.brokerMembers, from: sections, into: &findings)
        addSingle(\.thresholds, "thresholds", Self.thresholdMembers, from: sections, into: &findings)
        for element in sections.elements("agencies", into: &findings) { addAgency(element, into: &findings) }
        for element in sections.elements("systems", into: &findings) { addSystem(element, into: &findings) }
        for element in sections.elements("services", into: &findings) {
            addService(element, of: nil, into: &findings)
        }
        for element in sections.elements("integrations", into: &findings) { addIntegration(element, into: &findings) }
        for element in sections.elements("keys", into: &findings) { addKey(element, into: &findings) }
    }

    private mutating func addSingle(
        _ path: WritableKeyPath<SpaceSections, Fields?>, _ name: String, _ allowed: [String], from sections: Fields,
        into findings: inout Findings
    ) {
        guard let fields = sections.inner(name, allowed: allowed, calling: "the section `\(name)`", into: &findings)
        else { return }
        if let first = self[keyPath: path] {
            findings.error(
                .duplicateID, at: fields.place, "the section `\(name)` is already at \(first.place)",
                right: "one `\(name)` in the whole space")
            return
        }
        self[keyPath: path] = fields
    }

    private mutating func addAgency(_ element: Element, into findings: inout Findings) {
        guard let fields = Fields(element, kind: "agency", allowed: ["id", "name", "bin"], into: &findings) else {
            return
        }
        let id = fields.require("id", .identifier, into: &findings)
        let name = Self.name(fields, into: &findings)
        let bin = fields.read("bin", .bin, into: &findings)
        guard let id else { return }
        agencies.append(Declared(value: Agency(id: id, name: name, bin: bin), fields: fields))
    }

    private mutating func addService(_ element: Element, of system: String?, into findings: inout Findings) {
        let allowed = [
            "name", "contract", "kind", "system", "deadline", "promisedP95", "freshness", "retry", "retention",
        ]
        guard let fields = Fields(element, kind: "service", allowed: allowed, into: &findings) else { return }
        let name = fields.require("name", .serviceName, into: &findings)
        let kind: OfferedService.Kind? = fields.require("kind", .choice, into: &findings)
        let contract = fields.read("contract", .serviceName, into: &findings)
        let declaredSystem = fields.read("system", .identifier, into: &findings)
        let deadline =
            kind == .event
            ? fields.read("deadline", .duration, into: &findings)
            : fields.require("deadline", .duration, into: &findings)
        let promisedP95 = fields.read("promisedP95", .duration, into: &findings)
        let freshness = fields.read("freshness", .duration, into: &findings)
        let retry = fields.inner("retry", allowed: RetryTerms.members, into: &findings).flatMap { inner in
            RetryTerms(inner, into: &findings)
        }
        if kind == .request, fields.has("retry") {
            findings.error(
                .badValue, at: fields.place(of: "retry"), "a request is not tried again by the bus",
                right: "no `retry`: the consumer is told at once and decides")
        }
        let retention = fields.read("retention", .duration, into: &findings)
        if kind == .request, fields.has("retention") {
            findings.error(
                .badValue, at: fields.place(of: "retention"), "the bus keeps no bodies of requests and replies",
                right: "no `retention`: their digests alone are kept")
        }
        guard let name, let kind, let first = Identifiers.serviceName(name)?.system else {
            if let name { brokenServices.insert(name) }
            return
        }
        if let owner = system ?? declaredSystem, owner != first {
            findings.error(
                .foreignService, at: fields.place(of: "name"),
                "service `\(name)` does not start with its system `\(owner)`",
                right: "`\(owner)\(name.dropFirst(first.count))`")
            brokenServices.insert(name)
            return
        }
        if kind == .event, let wrong = ["deadline", "promisedP95"].first(where: fields.has) {
            findings.error(
                .badValue, at: fields.place(of: wrong), "event `\(name)` has `\(wrong)`",
                right: "no `\(wrong)`: nobody waits for an event")
        }
        if let deadline, let promisedP95, promisedP95 > deadline {
            findings.error(
                .badValue, at: fields.place(of: "promisedP95"),
                "the promise of `\(name)` (\(promisedP95)) is longer than its deadline (\(deadline))",
                right: "a promise below the deadline")
        }
        services.append(
            Declared(
                value: OfferedService(
                    name: name, contract: contract, kind: kind, system: first, deadline: deadline,
                    promisedP95: promisedP95, freshness: freshness, retry: retry, retention: retention),
                fields: fields))
    }

    private mutating func addIntegration(_ element: Element, into findings: inout Findings) {
        let allowed = [
            "id", "consumer", "service", "event", "owner", "planYear", "due", "stage", "baseline", "added", "manDays",
            "quota", "purpose",
        ]
        guard let fields = Fields(element, kind: "integration", allowed: allowed, into: &findings) else { return }
        let id = fields.require("id", .identifier, into: &findings)
        let consumer = fields.require("consumer", .identifier, into: &findings)
        let service = exactlyOne("service", "event", of: fields, into: &findings)
        let owner = fields.require("owner", .identifier, into: &findings)
        let planYear = fields.require("planYear", .integer(CalendarDate.years), into: &findings)
        let due = fields.require("due", .date, into: &findings)
        let stage: Integration.Stage? = fields.require("stage", .choice, into: &findings)
        let added = Self.addition(fields, into: &findings)
        let manDays = fields.read("manDays", .integer(0...100_000), into: &findings)
        let quota = fields.inner("quota", allowed: TrafficQuota.members, into: &findings).map { inner in
            TrafficQuota(inner, into: &findings)
        }
        let purpose = fields.read("purpose", .purpose, into: &findings)
        guard let id, let consumer, let service, let owner, let planYear, let due, let stage else { return }
        integrations.append(
            Declared(
                value: Integration(
                    id: id, consumer: consumer, service: service, owner: owner, planYear: planYear, due: due,
                    stage: stage, added: added, manDays: manDays, quota: quota, purpose: purpose), fields: fields))
    }

    private func exactlyOne(_ one: String, _ other: String, of fields: Fields, into findings: inout Findings) -> String?
    {
        if fields.has(one), fields.has(other) {
            findings.error(
                .badValue, at: fields.place(of: other), "\(fields.kind) has both `\(one)` and `\(other)`",
                right: "one of them: `event` for what the consumer receives, `service` for what it calls")
            return nil
        }
        return fields.require(fields.has(other) ? other : one, .serviceName, into: &findings)
    }

    /// The day of a later addition, nil for the baseline; exactly one of the two must be said.
    private static func addition(_ fields: Fields, into findings: inout Findings) -> CalendarDate? {
        let isBaseline = fields.read("baseline", .flag, into: &findings)
        let added = fields.read("added", .date, into: &findings)
        if isBaseline == true, fields.has("added") {
            findings.error(
                .badValue, at: fields.place(of: "added"), "integration is in the baseline and added later",
                right: "`baseline: true` or `added: YYYY-MM-DD`")
        } else if isBaseline != true, !fields.has("added"), !(fields.has("baseline") && isBaseline == nil) {
            findings.error(
                .missingMember, at: fields.place(of: "baseline"),
                "integration is neither in the baseline nor added later",
                right: "`baseline: true` or `added: YYYY-MM-DD`")
        }
        return added
    }

    static func name(_ fields: Fields, _ member: String = "name", into findings: inout Findings) -> LocalizedName {
        guard let name = fields.inner(member, allowed: ["kk", "ru", "en"], into: &findings) else {
            return LocalizedName()
        }
        return LocalizedName(
            kk: name.read("kk", .text, into: &findings), ru: name.read("ru", .text, into: &findings),
            en: name.read("en", .text, into: &findings))
    }

    // MARK: - Systems

    private mutating func addSystem(_ element: Element, into findings: inout Findings) {
        let allowed = [
            "id", "shortName", "name", "uuid", "owner", "operator", "purpose", "topics", "contacts", "legislation",
            "storedData", "functions", "services", "security", "status", "commissioned", "hosting", "freshness",
        ]
        guard let fields = Fields(element, kind: "system", allowed: allowed, into: &findings) else { return }
        let id = fields.require("id", .identifier, into: &findings)
        let owner = fields.require("owner", .identifier, into: &findings)
        let status: InformationSystem.Status? = fields.require("status", .choice, into: &findings)
        // Every member is read even when one is wrong, so that one run shows all findings, and a system with an error
        // still exists for those that refer to it; the space itself is not made then.
        var system = InformationSystem(id: id ?? "", owner: owner ?? "", status: status ?? .development)
        system.shortName = fields.read("shortName", .text, into: &findings)
        system.name = Self.name(fields, into: &findings)
        system.uuid = fields.read("uuid", .uuid, into: &findings)
        system.operator = fields.read("operator", .identifier, into: &findings)
        system.purpose = fields.read("purpose", .text, into: &findings)
        system.topics = fields.list("topics", .text, into: &findings).map(\.value)
        system.contacts = Self.contacts(fields, into: &findings)
        system.legislation = fields.list("legislation", .text, into: &findings).map(\.value)
        system.storedData = fields.list("storedData", .text, into: &findings).map(\.value)
        system.functions = fields.elements("functions", into: &findings).compactMap {
            Self.function($0, into: &findings)
        }
        system.security = Self.security(fields, into: &findings)
        system.commissioned = fields.read("commissioned", .date, into: &findings)
        system.hosting = fields.read("hosting", .text, into: &findings)
        system.freshness = fields.read("freshness", .duration, into: &findings)
        for service in fields.elements("services", into: &findings) { addService(service, of: id, into: &findings) }
        guard id != nil else { return }
        systems.append(Declared(value: system, fields: fields))
    }

    private static func contacts(_ fields: Fields, into findings: inout Findings) -> InformationSystem.Contacts? {
        guard let inner = fields.inner("contacts", allowed: ["office", "email", "phone"], into: &findings) else {
            return nil
        }
        return InformationSystem.Contacts(
            office: inner.read("office", .text, into: &findings), email: inner.read("email", .email, into: &findings),
            phone: inner.read("phone", .text, into: &findings))
    }

    private static func function(_ element: Element, into findings: inout Findings) -> InformationSystem.Function? {
        guard let fields = Fields(element, kind: "function", allowed: ["name", "operations"], into: &findings) else {
            return nil
        }
        let operations = fields.list("operations", .serviceName, into: &findings).map(\.value)
        guard let name = fields.require("name", .text, into: &findings) else { return nil }
        return InformationSystem.Function(name: name, operations: operations)
    }

    private static func security(_ fields: Fields, into findings: inout Findings) -> InformationSystem.Security? {
        guard let inner = fields.inner("security", allowed: ["class", "level", "lastAudit"], into: &findings) else {
            return nil
        }
        return InformationSystem.Security(
            class: inner.read("class", .integer(1...3), into: &findings),
            level: inner.read("level", .choice, into: &findings),
            lastAudit: inner.read("lastAudit", .date, into: &findings))
    }
}
