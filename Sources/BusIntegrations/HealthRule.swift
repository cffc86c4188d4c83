/// The health of a system; dormant is well, but nobody uses it.
package enum SystemHealth: String, Sendable, Codable, Hashable, CaseIterable {
    case unknown, up, dormant
    case nonFunctional = "non-functional"
}

/// Why a system is non-functional, in the order of precedence; the raw values are stable codes.
package enum SystemCause: String, Sendable, Codable, Hashable, CaseIterable {
    case reportedDown = "reported-down"
    case noAgents = "no-agents"
    case missedHeartbeats = "missed-heartbeats"
    case errors
    case stale

    /// The system gives no sign of life, so everything it provides is down with it.
    package var isDown: Bool { severity == 3 }

    var severity: Int {
        switch self {
        case .reportedDown, .noAgents, .missedHeartbeats: 3
        case .errors: 2
        case .stale: 1
        }
    }
}

/// What the rule says of a system at one moment, before hysteresis.
struct HealthVerdict: Sendable, Hashable {
    var health: SystemHealth
    var cause: SystemCause?

    init(_ health: SystemHealth, _ cause: SystemCause? = nil) {
        self.health = health
        self.cause = cause
    }

    var severity: Int { cause?.severity ?? 0 }
}

/// The rule of a system's health: a pure function.
struct HealthRule {
    let declared: DeclaredSystem
    let record: SystemRecord
    let traffic: SystemTraffic
    /// Since when the bus itself has been listening: nobody missed a heartbeat before.
    let listeningSince: Int64
    let thresholds: Thresholds
    let now: Int64

    /// The first row that matches wins.
    func verdict() -> HealthVerdict {
        if let cause = downCause { return HealthVerdict(.nonFunctional, cause) }
        if mostlyFails { return HealthVerdict(.nonFunctional, .errors) }
        if isStale { return HealthVerdict(.nonFunctional, .stale) }
        if record.lastHeartbeat == nil { return HealthVerdict(.unknown) }
        return HealthVerdict(isDormant ? .dormant : .up)
    }

    /// Why it gives no sign of life; nil while it does, and for one never heard of, which is unknown and not down.
    private var downCause: SystemCause? {
        guard record.lastHeartbeat != nil else { return nil }
        if record.downSince != nil { return .reportedDown }
        if record.agents.isEmpty { return .noAgents }
        let present = record.agents.filter { $0.lostSince == nil && missed($0) < thresholds.missedHeartbeats }
        if present.isEmpty { return .missedHeartbeats }
        return present.contains(where: \.up) ? nil : .reportedDown
    }

    /// Heartbeats that were due since the agent's last and did not come.
    private func missed(_ agent: AgentLife) -> Int64 {
        let interval = max(1, declared.heartbeatInterval ?? thresholds.heartbeatInterval)
        return (now - max(agent.lastHeartbeat, listeningSince)) / interval
    }

    private var mostlyFails: Bool {
        let window = traffic.provided
        return window.judged >= thresholds.minimumSamples
            && window.errors * 1000 >= window.judged * thresholds.nonFunctionalErrors
    }

    private var isStale: Bool {
        guard let promise = declared.freshnessPromise, let updated = record.dataUpdatedAt else { return false }
        return now - updated > promise
    }

    private var isDormant: Bool {
        traffic.last.map { now - $0 >= thresholds.dormancy } ?? false
    }
}

/// The traffic of one system over all its integrations.
struct SystemTraffic: Sendable, Hashable {
    /// The window over every integration that it provides.
    var provided = WindowTotals()
    /// All successes of those.
    var successes: UInt64 = 0
    /// The latest traffic of any integration that it provides or consumes.
    var last: Int64?

    mutating func seen(at: Int64?) {
        guard let at else { return }
        last = max(last ?? at, at)
    }
}

extension HealthRule {
    /// The verdict as a clause with its figures.
    func why(_ verdict: HealthVerdict) -> String {
        switch verdict.cause {
        case .reportedDown: reportedDownClause
        case .noAgents: "every agent that serves it left; the last sign of life came at \(lastSign)"
        case .missedHeartbeats: missedClause
        case .errors: errorClause
        case .stale: staleClause
        case nil: wellClause(verdict.health)
        }
    }

    private var lastSign: String { record.lastHeartbeat.map(UnixTime.text) ?? "never" }

    private var reportedDownClause: String {
        if let since = record.downSince {
            return "\(record.downReason ?? "reported down") since \(UnixTime.text(since))"
        }
        let agents = record.agents.filter { !$0.up }.map(\.name).joined(separator: ", ")
        return "no agent reaches it (\(agents))"
    }

    private var missedClause: String {
        let missed = record.agents.map(missed).min() ?? 0
        // Its connection may break before the first heartbeat is missed.
        if missed == 0 { return "the connection is gone without a goodbye, the last sign of life came at \(lastSign)" }
        return
            "\(Wording.plural(UInt64(max(0, missed)), "heartbeat", "heartbeats")) missed, the last came at \(lastSign)"
    }

    private var errorClause: String {
        let share = Wording.share(traffic.provided.errors, of: traffic.provided.judged)
        return "\(share) of \(traffic.provided.judged) requests to it within \(Wording.span(thresholds.window)) failed"
    }

    private var staleClause: String {
        let age = Wording.span(now - (record.dataUpdatedAt ?? now))
        return "its data are \(age) old, promised is at most \(Wording.span(declared.freshnessPromise ?? 0))"
    }

    private func wellClause(_ health: SystemHealth) -> String {
        switch health {
        case .unknown: "no heartbeat was ever received"
        case .dormant: "it lives, but has had no traffic for \(Wording.span(now - (traffic.last ?? now)))"
        case .up, .nonFunctional: "heartbeats arrive, the last at \(lastSign)"
        }
    }
}
