import BusBroker
import BusDirectory
import BusIntegrations

/// Systems, services and integrations.
extension AdminAnswers {
    func systems() -> SystemsPage {
        let statuses = broker.readModel.ledger.systems(now: now)
        let space = broker.readModel.overview.snapshot.space
        let passports = Passport.filling(of: space)
        let known = Dictionary(space.systems.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let services = Dictionary(grouping: space.services, by: \.system)
        return SystemsPage(
            systems: statuses.map { status in
                let id = status.declared.id
                return SystemsPage.Item(
                    status, system: known[id], services: services[id]?.count ?? 0,
                    missing: passports.missing[id]?.map(\.rawValue) ?? [])
            })
    }

    /// - Parameters:
    ///   - state: Observed state; nil for all.
    ///   - stage: Declared stage; nil for all.
    /// - Throws: `AdminError` for names that do not exist.
    func integrations(state: String?, stage: String?) throws(AdminError) -> IntegrationsPage {
        let states = ObservedState.allCases.map(\.name)
        let stages = Stage.allCases.map(\.name)
        try Self.check(state, "state", states)
        try Self.check(stage, "stage", stages)
        let items = broker.readModel.ledger.integrations(now: now).filter { item in
            (state ?? item.observed.name) == item.observed.name
                && (stage ?? item.declared.stage.name) == item.declared.stage.name
        }
        return IntegrationsPage(integrations: items.map(IntegrationsPage.Item.init))
    }

    private static func check(_ value: String?, _ name: String, _ known: [String]) throws(AdminError) {
        guard let value, !known.contains(value) else { return }
        throw .badRequest(
            "`\(value)` is no \(name)", why: "the parameter `\(name)` takes one name",
            next: "use one of \(known.joined(separator: ", "))")
    }

    func services() -> ServicesPage {
        let now = now
        let ledger = broker.readModel.ledger
        let space = broker.readModel.overview.snapshot.space
        let uses = Dictionary(grouping: ledger.integrations(now: now).filter { !$0.declared.stage.isClosed }) {
            $0.declared.service
        }
        let health = Dictionary(
            ledger.systems(now: now).map { ($0.declared.id, $0.health.rawValue) },
            uniquingKeysWith: { first, _ in first })
        return ServicesPage(
            services: space.services.map { service in
                let uses = uses[service.name] ?? []
                return ServicesPage.Item(
                    name: service.name, kind: service.kind.rawValue, system: service.system, contract: service.contract,
                    deadlineMs: service.deadline?.count, promisedP95Ms: service.promisedP95?.count,
                    freshnessMs: service.freshness?.count,
                    health: health[service.system] ?? SystemHealth.unknown.rawValue,
                    consumers: Set(uses.map(\.declared.consumer)).sorted(),
                    implemented: uses.count { $0.observed == .implemented }, window: WindowPart(sum: uses.map(\.window))
                )
            })
    }
}

extension SystemsPage.Item {
    init(_ status: SystemStatus, system: InformationSystem?, services: Int, missing: [String]) {
        self.init(
            id: status.declared.id, title: system?.name.anything ?? status.declared.id, owner: system?.owner ?? "",
            status: system?.status.rawValue ?? "", health: status.health.rawValue, cause: status.cause?.rawValue,
            since: RFC3339.text(status.since), sinceMs: status.since, why: status.why,
            agents: status.agents.map {
                SystemsPage.AgentLife(
                    name: $0.name, lastHeartbeatMs: $0.lastHeartbeat, uptimeMs: $0.uptimeMs, up: $0.up,
                    restarts: $0.restarts)
            },
            lastHeartbeatMs: status.lastHeartbeat, dataUpdatedMs: status.dataUpdatedAt,
            provided: WindowPart(status.provided), lastTrafficMs: status.lastTraffic,
            nonFunctionalMs: status.nonFunctionalTime, services: services, passportMissing: missing)
    }
}

extension IntegrationsPage.Item {
    init(_ status: IntegrationStatus) {
        let declared = status.declared
        self.init(
            id: declared.id, consumer: declared.consumer, service: declared.service, provider: declared.provider,
            owner: declared.owner, planYear: declared.planYear, due: RFC3339.text(declared.due), dueMs: declared.due,
            baseline: declared.baseline, declared: declared.stage.name, declaredSince: RFC3339.text(status.stageSince),
            declaredSinceMs: status.stageSince, observed: status.observed.name, since: RFC3339.text(status.since),
            sinceMs: status.since, why: status.why, window: WindowPart(status.window), accepted: status.accepted,
            successes: status.successes, productionSuccesses: status.productionSuccesses, errors: status.errors,
            p50Us: status.p50, p95Us: status.p95, p99Us: status.p99, promisedP95Us: declared.promisedP95,
            lastAttemptMs: status.lastAttempt, lastSuccessMs: status.lastSuccess,
            firstProductionSuccessMs: status.firstProductionSuccess, implementedAtMs: status.implementedAt,
            regressions: status.regressions, findings: status.findings.map(\.code.rawValue))
    }
}

extension WindowPart {
    init(sum windows: [WindowTotals]) {
        self.init(
            successes: windows.map(\.successes).reduce(0, +), errors: windows.map(\.errors).reduce(0, +),
            notJudged: windows.map(\.notJudged).reduce(0, +), slow: windows.map(\.slow).reduce(0, +))
    }
}
