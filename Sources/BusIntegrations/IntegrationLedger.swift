/// Planned against implemented: the fold over what the bus observed.
///
/// The bus records observations as they are committed, evaluates now and then, and journals the changes that come back.
/// The ledger reads no clock. Its own time is the latest it was given: an observation with an earlier time, from a
/// clock that stepped back, counts as of now, so no window is ever corrupted.
///
/// A saved ledger that goes on with the later observations equals one that was never stopped.
package struct IntegrationLedger: Sendable, Hashable {
    /// Integrations and systems no longer in the plan whose history is kept, so many of each. Beyond it the one gone
    /// longest is forgotten.
    package static let departedLimit = 10_000

    package internal(set) var plan: Plan
    package internal(set) var thresholds: Thresholds
    var links: PlanLinks
    /// One for each of `plan.integrations`.
    var records: [IntegrationRecord]
    /// One for each of `plan.systems`.
    var systemRecords: [SystemRecord]
    var departed: [Departed<DeclaredIntegration, IntegrationRecord>] = []
    var departedSystems: [Departed<DeclaredSystem, SystemRecord>] = []
    var refusals = RefusalTable()

    /// The latest time it was given, Unix milliseconds.
    package internal(set) var clock: Int64 = 0
    /// Nil until the first evaluation.
    package internal(set) var lastEvaluated: Int64?
    /// Since when the bus has been listening without a break.
    var listeningSince: Int64 = 0
    /// How many systems were non-functional when a calendar year ended.
    var nonFunctionalAtYearEnd: [YearAmount] = []
    /// Observations that named an integration or system the plan does not have.
    package internal(set) var strayObservations: UInt64 = 0

    package init(plan: Plan, thresholds: Thresholds = Thresholds()) {
        self.plan = plan
        self.thresholds = thresholds.bounded
        links = PlanLinks(plan)
        records = plan.integrations.map { declared in
            var record = IntegrationRecord()
            record.stageSince = declared.stageSince.map(UnixTime.clamped)
            return record
        }
        systemRecords = plan.systems.map { _ in SystemRecord() }
    }

    /// Refusals of pairs for which the table had no room.
    package var refusalOverflow: UInt64 { refusals.overflow }

    /// Takes a time as the present and returns the ledger's, which never runs back.
    @inline(__always)
    mutating func advance(to time: Int64) -> Int64 {
        if time > clock { clock = min(time, UnixTime.latest) }
        return clock
    }

    var bucketWidth: Int64 { TrafficWindow.bucketWidth(thresholds) }
}

// MARK: - Observations

extension IntegrationLedger {
    /// Records a finished request or a delivered event.
    package mutating func record(_ exchange: Exchange) {
        let at = advance(to: exchange.at)
        let index = exchange.integration
        guard records.indices.contains(index) else { return countStray() }
        records[index].record(exchange, at: at, promised: links.promised[index], bucketWidth: bucketWidth)
    }

    /// Records an accepted attempt whose outcome is still outstanding; the outcome is recorded as an exchange as well.
    package mutating func attempted(integration index: Int, at time: Int64) {
        let at = advance(to: time)
        guard records.indices.contains(index) else { return countStray() }
        records[index].attempted(at: at)
    }

    /// Records traffic that was refused because the plan does not allow it.
    package mutating func record(_ refusal: Refusal) {
        let at = advance(to: refusal.at)
        refusals.record(refusal, at: at, limit: thresholds.refusalPairs)
    }

    package mutating func record(_ heartbeat: Heartbeat) {
        let at = advance(to: heartbeat.at)
        guard let index = links.system[heartbeat.system] else { return countStray() }
        systemRecords[index].record(heartbeat, at: at)
    }

    /// The bus knows by itself that a system is down. A heartbeat that reaches the system ends it.
    /// `reason` is a clause, such as `its last session was closed for a protocol fault`.
    package mutating func systemDown(_ system: String, reason: String, at time: Int64) {
        let at = advance(to: time)
        guard let index = links.system[system] else { return countStray() }
        systemRecords[index].down(reason: reason, at: at)
    }

    /// An agent said good-bye; when it was the last, the system is down at once.
    package mutating func agentLeft(_ agent: String, system: String, at time: Int64) {
        _ = advance(to: time)
        guard let index = links.system[system] else { return countStray() }
        systemRecords[index].left(agent: agent)
    }

    /// An agent fell silent, or its connection broke, without a goodbye: it is missed until it comes back or says that it left.
    package mutating func agentLost(_ agent: String, system: String, at time: Int64) {
        let at = advance(to: time)
        guard let index = links.system[system] else { return countStray() }
        systemRecords[index].lost(agent: agent, at: at)
    }

    /// Records faults that only an agent of one end saw, such as an answer that broke its contract. What is no error of the
    /// provider's side is none here either.
    package mutating func record(_ reported: ReportedFaults) {
        let at = advance(to: reported.at)
        guard records.indices.contains(reported.integration) else { return countStray() }
        guard Outcome(code: reported.code) == .error else { return }
        for _ in 0..<min(reported.count, ReportedFaults.mostAtOnce) {
            records[reported.integration].reported(at: at, bucketWidth: bucketWidth)
        }
    }

    private mutating func countStray() { strayObservations &+= 1 }

    /// The bus itself was away until now, so the heartbeats before were not missed by anyone.
    package mutating func resumed(at time: Int64) {
        listeningSince = advance(to: time)
    }
}

/// What the plan says, by dense index; rebuilt from the plan.
struct PlanLinks: Sendable, Hashable {
    /// The position of a system in `Plan.systems` by its id.
    var system: [String: Int]
    /// The positions of the provider and the consumer of each integration in `Plan.systems`.
    var provider: [Int]
    var consumer: [Int]
    /// The promised p95 of each integration, microseconds; the largest number where nothing is promised.
    var promised: [UInt32]

    init(_ plan: Plan) {
        let system = Dictionary(plan.systems.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.system = system
        // The plan lists every system that it names, so the default is never taken.
        provider = plan.integrations.map { system[$0.provider, default: 0] }
        consumer = plan.integrations.map { system[$0.consumer, default: 0] }
        promised = plan.integrations.map { $0.promisedP95 ?? .max }
    }
}

/// What left the plan, with its last declaration: deleting an unfinished integration must not improve a year's figures.
struct Departed<Declared: Sendable & Codable & Hashable, Record: Sendable & Hashable>: Sendable, Hashable {
    var declared: Declared
    var record: Record
}
