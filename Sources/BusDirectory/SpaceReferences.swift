/// The checks between entries: identifiers are unique and references lead somewhere.
struct SpaceReferences {
    let sections: SpaceSections
    let knownContracts: Set<String>?
    private let agencies: Set<String>
    private let systems: [String: InformationSystem]
    private let services: [String: OfferedService]

    init(_ sections: SpaceSections, knownContracts: Set<String>?) {
        self.sections = sections
        self.knownContracts = knownContracts
        agencies = Set(sections.agencies.map(\.value.id))
        systems = Dictionary(sections.systems.map { ($0.value.id, $0.value) }, uniquingKeysWith: { first, _ in first })
        services = Dictionary(
            sections.services.map { ($0.value.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    func check(into findings: inout Findings) {
        unique(sections.agencies, "agency", "id", \.id, into: &findings)
        unique(sections.systems, "system", "id", \.id, into: &findings)
        unique(sections.systems.filter { $0.value.uuid != nil }, "uuid", "uuid", { $0.uuid ?? "" }, into: &findings)
        unique(sections.services, "service", "name", \.name, into: &findings)
        unique(sections.integrations, "integration", "id", \.id, into: &findings)
        for system in sections.systems { check(system, into: &findings) }
        for service in sections.services { check(service, into: &findings) }
        for integration in sections.integrations { check(integration, into: &findings) }
        checkPairs(into: &findings)
        checkPurposes(into: &findings)
        checkKeys(into: &findings)
        checkSeals(into: &findings)
    }

    private func unique<Value>(
        _ entries: [Declared<Value>], _ kind: String, _ member: String, _ id: (Value) -> String,
        into findings: inout Findings
    ) {
        var first: [String: Place] = [:]
        for entry in entries {
            let name = id(entry.value)
            let place = entry.fields.place(of: member)
            if let earlier = first[name] {
                findings.error(
                    .duplicateID, at: place, "\(kind) `\(name)` is declared twice, first at \(earlier)",
                    right: "one entry, or another \(member)")
            } else {
                first[name] = place
            }
        }
    }

    private func dangling(
        _ kind: String, _ name: String, at place: Place, among names: some Collection<String>,
        into findings: inout Findings
    ) {
        findings.error(
            .danglingReference, at: place, "there is no \(kind) `\(name)`",
            right: Suggestion.phrase(for: name, among: names, otherwise: "declare the \(kind), or name one that exists")
        )
    }

    private func checkAgency(_ name: String, at place: Place, into findings: inout Findings) {
        if !agencies.contains(name) { dangling("agency", name, at: place, among: agencies, into: &findings) }
    }

    private func check(_ system: Declared<InformationSystem>, into findings: inout Findings) {
        if !system.value.owner.isEmpty {
            checkAgency(system.value.owner, at: system.fields.place(of: "owner"), into: &findings)
        }
        if let `operator` = system.value.operator {
            checkAgency(`operator`, at: system.fields.place(of: "operator"), into: &findings)
        }
        checkOperations(of: system, into: &findings)
    }

    private func checkOperations(of system: Declared<InformationSystem>, into findings: inout Findings) {
        for (operation, place) in system.operationPlaces {
            guard let service = services[operation] else {
                if sections.brokenServices.contains(operation) { continue }
                dangling("service", operation, at: place, among: services.keys, into: &findings)
                continue
            }
            if service.system != system.value.id {
                findings.error(
                    .foreignService, at: place, "`\(operation)` is an operation of system `\(service.system)`",
                    right: "an operation of `\(system.value.id)`; what it only uses is an integration")
            }
        }
    }

    private func check(_ service: Declared<OfferedService>, into findings: inout Findings) {
        let name = service.value.name
        if systems[service.value.system] == nil {
            dangling(
                "system", service.value.system, at: service.fields.place(of: "name"), among: systems.keys,
                into: &findings)
        }
        if let knownContracts, !knownContracts.contains(service.value.contract) {
            let member = service.fields.has("contract") ? "contract" : "name"
            dangling(
                "contract", service.value.contract, at: service.fields.place(of: member), among: knownContracts,
                into: &findings)
        }
        if service.value.kind == .request, let deadline = service.value.deadline, deadline > Self.longestRequest {
            findings.error(
                .badValue, at: service.fields.place(of: "deadline"), "somebody waits \(deadline) for request `\(name)`",
                right: "at most \(Self.longestRequest); what takes longer is a command")
        }
    }

    /// A request holds a slot in every queue on its way.
    private static let longestRequest = Milliseconds.minutes(5)

    private func check(_ integration: Declared<Integration>, into findings: inout Findings) {
        let value = integration.value
        let fields = integration.fields
        if systems[value.consumer] == nil {
            dangling("system", value.consumer, at: fields.place(of: "consumer"), among: systems.keys, into: &findings)
        }
        checkAgency(value.owner, at: fields.place(of: "owner"), into: &findings)
        if value.due.year < value.planYear {
            findings.error(
                .dueBeforePlan, at: fields.place(of: "due"), "due \(value.due), before the plan year \(value.planYear)",
                right: "a day in \(value.planYear) or later")
        }
        checkService(of: integration, into: &findings)
        let provider = services[value.service]?.system
        guard value.stage.permitsTraffic else { return }
        for system in [value.consumer, provider].compactMap(\.self) where systems[system]?.status == .retired {
            findings.error(
                .retiredSystem, at: fields.place(of: "stage"),
                "stage \(value.stage.rawValue), but system `\(system)` is retired",
                right: "stage retired, or status operation of the system")
        }
    }

    private func checkService(of integration: Declared<Integration>, into findings: inout Findings) {
        let value = integration.value
        let member = integration.fields.has("event") ? "event" : "service"
        let place = integration.fields.place(of: member)
        guard let service = services[value.service] else {
            if sections.brokenServices.contains(value.service) { return }
            let names = services.values.filter { ($0.kind == .event) == (member == "event") }.map(\.name)
            dangling(member, value.service, at: place, among: names, into: &findings)
            return
        }
        if (service.kind == .event) != (member == "event") {
            findings.error(
                .badValue, at: place, "`\(member): \(service.name)`, which is of kind \(service.kind.rawValue)",
                right: "`\(member == "event" ? "service" : "event"): \(service.name)`")
        }
        if service.system == value.consumer {
            findings.error(
                .ownService, at: place, "`\(value.consumer)` is consumer and provider",
                right: "a service of another system")
        }
    }

    private func checkPairs(into findings: inout Findings) {
        struct Pair: Hashable { var consumer, service: String }
        var first: [Pair: Declared<Integration>] = [:]
        for integration in sections.integrations {
            let pair = Pair(consumer: integration.value.consumer, service: integration.value.service)
            guard let earlier = first[pair] else {
                first[pair] = integration
                continue
            }
            findings.error(
                .duplicatePair, at: integration.place,
                "`\(pair.consumer)` → `\(pair.service)` is already integration `\(earlier.value.id)` at \(earlier.place)",
                right: "one integration for a pair; change the stage of the first")
        }
    }

    /// With `purposes: required` nobody asks for a reason that stands nowhere.
    private func checkPurposes(into findings: inout Findings) {
        // A wrong word was told when the section was read.
        var told = Findings()
        guard sections.statesPurposes(into: &told) else { return }
        for integration in sections.integrations
        where integration.value.purpose == nil && integration.fields.has("service")
            && !integration.fields.has("purpose")
        {
            findings.error(
                .missingMember, at: integration.place,
                "integration `\(integration.value.id)` does not say why \(integration.value.consumer) asks",
                right: "`purpose:` with one sentence; the space has `purposes: required`")
        }
    }

    private func checkKeys(into findings: inout Findings) {
        var holders: [String: (agent: String, place: Place)] = [:]
        for key in sections.keys {
            for system in key.value.systems where systems[system] == nil {
                dangling("system", system, at: key.fields.place(of: "systems"), among: systems.keys, into: &findings)
            }
            for (member, text) in [("curve", key.value.curve), ("sign", key.value.sign)] {
                guard let text else { continue }
                let place = key.fields.place(of: member)
                guard let holder = holders[text] else {
                    holders[text] = (key.value.agent, place)
                    continue
                }
                let whose =
                    holder.agent == key.value.agent
                    ? "this \(member) key already" : "the \(member) key of agent `\(holder.agent)`"
                findings.error(
                    .sharedKey, at: place, "agent `\(key.value.agent)` has \(whose) at \(holder.place)",
                    right: "keys of its own in every entry: `kerege keys new \(key.value.agent)`")
            }
        }
    }

    private func checkSeals(into findings: inout Findings) {
        var holders: [String: Place] = [:]
        for entry in sections.seals {
            let system = entry.value.system
            if systems[system] == nil {
                dangling("system", system, at: entry.fields.place(of: "system"), among: systems.keys, into: &findings)
            }
            let place = entry.fields.place(of: "seal")
            if let earlier = holders.updateValue(place, forKey: entry.value.seal) {
                findings.error(
                    .sharedKey, at: place, "system `\(system)` has a seal key that stands at \(earlier) already",
                    right: "one entry for a key, one key for a system: `kerege keys new AGENT --system \(system)`")
            }
        }
    }
}

extension Declared where Value == InformationSystem {
    /// Each operation of each function with its place. Read again from the fields: the value keeps no places.
    var operationPlaces: [(String, Place)] {
        var ignored = Findings()
        return fields.elements("functions", into: &ignored).flatMap { element -> [(String, Place)] in
            guard let function = Fields(element, kind: "function", allowed: ["name", "operations"], into: &ignored)
            else {
                return []
            }
            return function.list("operations", .serviceName, into: &ignored).map { ($0.value, $0.place) }
        }
    }
}
