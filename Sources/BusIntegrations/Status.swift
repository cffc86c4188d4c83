/// One row of "planned against implemented": what is declared, what is observed, and the figures behind it.
package struct IntegrationStatus: Sendable, Hashable {
    package var declared: DeclaredIntegration
    /// When the declared stage began, Unix milliseconds.
    package var stageSince: Int64?
    /// The state as of the last evaluation, which is the one in the journal.
    package var observed: ObservedState
    /// When it was first shown. Nil: it was silent from the start.
    package var since: Int64?
    /// One sentence with the figures of the moment.
    package var why: String

    /// All since the beginning.
    package var accepted: UInt64
    package var successes: UInt64
    package var productionSuccesses: UInt64
    package var errors: UInt64
    package var notJudged: UInt64
    /// The same within the window.
    package var window: WindowTotals
    /// Latencies of the successes within the window, microseconds, as accurate as `LatencyScale`. Nil: there were none.
    package var p50: UInt32?
    package var p95: UInt32?
    package var p99: UInt32?

    package var lastAttempt: Int64?
    package var lastSuccess: Int64?
    package var firstProductionSuccess: Int64?
    /// When it was first shown as implemented.
    package var implementedAt: Int64?
    /// How often it became non-functional after having been implemented, and when last.
    package var regressions: UInt64
    package var regressedAt: Int64?
    package var findings: [PlanFinding]
}

/// The health of one system and the figures behind it.
package struct SystemStatus: Sendable, Hashable {
    package var declared: DeclaredSystem
    /// The health as of the last evaluation, which is the one in the journal.
    package var health: SystemHealth
    /// Why it is non-functional; `stale` is the one that still answers.
    package var cause: SystemCause?
    package var since: Int64?
    /// One sentence with the figures of the moment.
    package var why: String
    package var agents: [AgentLife]
    package var lastHeartbeat: Int64?
    package var dataUpdatedAt: Int64?
    /// What was asked of it within the window.
    package var provided: WindowTotals
    /// The latest traffic as provider or consumer.
    package var lastTraffic: Int64?
    /// Milliseconds in which it was shown non-functional, in all years.
    package var nonFunctionalTime: Int64
}

/// Declared × observed: how many integrations stand in each pair.
package struct StageMatrix: Sendable, Hashable {
    private var counts = [Int](repeating: 0, count: Stage.allCases.count * ObservedState.allCases.count)

    package init() {}

    package internal(set) subscript(declared: Stage, observed: ObservedState) -> Int {
        get { counts[Self.position(declared, observed)] }
        set { counts[Self.position(declared, observed)] = newValue }
    }

    private static func position(_ declared: Stage, _ observed: ObservedState) -> Int {
        Int(declared.rawValue) * ObservedState.allCases.count + Int(observed.rawValue)
    }

    /// All integrations.
    package var total: Int { counts.reduce(0, +) }
}

extension IntegrationLedger {
    /// Every integration in the order of the plan. States are those of the last evaluation, figures those of `now`.
    package func integrations(now time: Int64) -> [IntegrationStatus] {
        let now = max(UnixTime.clamped(time), clock)
        let windows = records.map { $0.window.totals(now: now, bucketWidth: bucketWidth) }
        let traffic = systemTraffic(windows)
        let down = systemRecords.indices.map { index in
            healthRule(index, traffic: traffic[index], now: now).verdict().cause?.isDown ?? false
        }
        let byId = Dictionary(grouping: findings(now: now)) { $0.integration ?? "" }
        return records.indices.map { index in
            let provider = links.provider[index]
            let rule = stateRule(index, window: windows[index], providerIsDown: down[provider], now: now)
            let why = explanation(
                rule, providerWhy: providerClause(provider, traffic: traffic[provider], now: now))
            return status(rule, index, why: why, findings: byId[rule.declared.id] ?? [])
        }
    }

    private func status(
        _ rule: StateRule, _ index: Int, why: String, findings: [PlanFinding]
    ) -> IntegrationStatus {
        let record = rule.record
        let latencies = record.window.latencies(now: rule.now, bucketWidth: bucketWidth)
        return IntegrationStatus(
            declared: rule.declared, stageSince: record.stageSince, observed: record.state, since: record.stateSince,
            why: why, accepted: record.accepted, successes: record.successes,
            productionSuccesses: record.productionSuccesses, errors: record.errors, notJudged: record.notJudged,
            window: rule.window, p50: latencies.percentile(perMille: 500), p95: latencies.percentile(perMille: 950),
            p99: latencies.percentile(perMille: 990), lastAttempt: record.lastAttempt,
            lastSuccess: record.lastSuccess, firstProductionSuccess: record.firstProductionSuccess,
            implementedAt: record.implementedAt, regressions: record.regressions, regressedAt: record.regressedAt,
            findings: findings)
    }

    /// The sentence about a shown state: the rule's own, or what hysteresis waits for.
    private func explanation(_ rule: StateRule, providerWhy: @autoclosure () -> String) -> String {
        let verdict = rule.verdict()
        let why = rule.why(verdict, providerWhy: providerWhy())
        if verdict.state == rule.record.state { return why }
        guard verdict.state.severity < rule.record.state.severity else {
            return "The next evaluation will find it \(verdict.state.name). \(why)"
        }
        let since = rule.record.recovery.underway.map { " since \(UnixTime.text($0))" } ?? ""
        return "Recovering\(since), not yet proven. \(why)"
    }

    /// Every system in the order of the plan. Health is that of the last evaluation, figures are those of `now`.
    package func systems(now time: Int64) -> [SystemStatus] {
        let now = max(UnixTime.clamped(time), clock)
        let traffic = systemTraffic(records.map { $0.window.totals(now: now, bucketWidth: bucketWidth) })
        return systemRecords.indices.map { index in
            let rule = healthRule(index, traffic: traffic[index], now: now)
            return SystemStatus(
                declared: rule.declared, health: rule.record.health, cause: rule.record.cause,
                since: rule.record.since, why: explanation(rule), agents: rule.record.agents,
                lastHeartbeat: rule.record.lastHeartbeat, dataUpdatedAt: rule.record.dataUpdatedAt,
                provided: rule.traffic.provided, lastTraffic: rule.traffic.last,
                nonFunctionalTime: rule.record.nonFunctionalTime.map(\.amount).reduce(0, +)
                    + runningOutage(rule.record, now: now))
        }
    }

    private func explanation(_ rule: HealthRule) -> String {
        let verdict = rule.verdict()
        let shown = rule.record
        let why = "\(rule.declared.id) is \(verdict.health.rawValue): \(rule.why(verdict))."
        if verdict.health == shown.health, verdict.cause == shown.cause { return why }
        guard verdict.severity < shown.cause?.severity ?? 0 else { return "By the next evaluation \(why)" }
        let since = shown.recovery.underway.map { " since \(UnixTime.text($0))" } ?? ""
        return "Recovering\(since), not yet proven: \(why)"
    }

    /// The part of an outage that no evaluation has counted yet, milliseconds.
    func runningOutage(_ record: SystemRecord, now: Int64) -> Int64 {
        guard record.health == .nonFunctional, let lastEvaluated else { return 0 }
        return max(0, now - lastEvaluated)
    }

    /// Declared × observed as of the last evaluation.
    package func matrix(now: Int64) -> StageMatrix {
        var matrix = StageMatrix()
        for (declared, record) in zip(plan.integrations, records) { matrix[declared.stage, record.state] += 1 }
        return matrix
    }
}
