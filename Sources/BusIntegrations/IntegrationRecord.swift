/// What the ledger remembers of the traffic of one integration. All times are Unix milliseconds.
struct IntegrationRecord: Sendable, Hashable {
    var window = TrafficWindow()
    /// Attempts accepted, whether finished or not.
    var accepted: UInt64 = 0
    var successes: UInt64 = 0
    var productionSuccesses: UInt64 = 0
    var errors: UInt64 = 0
    var notJudged: UInt64 = 0
    /// Exchanges committed in a stage that carries none. The bus refuses them, so one of them is a fault of the bus.
    var withoutRight: UInt64 = 0
    var withoutRightSince: Int64?
    /// The latest sign of traffic: an attempt or an outcome.
    var lastAttempt: Int64?
    var lastSuccess: Int64?
    var firstProductionSuccess: Int64?
    /// The first attempt after the last success; nil while nothing was attempted since.
    var failingSince: Int64?
    /// Outcomes other than successes since then.
    var failedInRun: UInt64 = 0

    /// When the declared stage began.
    var stageSince: Int64?
    var state = ObservedState.silent
    var stateSince: Int64?
    var recovery = Recovery()
    /// When it was first shown as implemented.
    var implementedAt: Int64?
    /// When it last became non-functional after having been implemented.
    var regressedAt: Int64?
    var regressions: UInt64 = 0

    mutating func attempted(at: Int64) {
        accepted &+= 1
        lastAttempt = at
        if failingSince == nil { failingSince = at }
    }

    @inline(__always)
    mutating func record(_ exchange: Exchange, at: Int64, promised: UInt32, bucketWidth: Int64) {
        let outcome = Outcome(code: exchange.code)
        window.record(
            outcome, latency: exchange.latencyMicroseconds, promised: promised, at: at, bucketWidth: bucketWidth)
        lastAttempt = at
        if outcome == .success { succeeded(at: at, stage: exchange.stage) } else { failed(outcome, at: at) }
        if !exchange.stage.carriesTraffic { refusedTooLate(at: at) }
    }

    /// An error beside the exchange that seemed to have ended well.
    mutating func reported(at: Int64, bucketWidth: Int64) {
        window.record(.error, latency: 0, promised: .max, at: at, bucketWidth: bucketWidth)
        failed(.error, at: at)
    }

    @inline(__always)
    private mutating func succeeded(at: Int64, stage: Stage) {
        successes &+= 1
        lastSuccess = at
        failingSince = nil
        failedInRun = 0
        guard stage == .approved else { return }
        productionSuccesses &+= 1
        if firstProductionSuccess == nil { firstProductionSuccess = at }
    }

    private mutating func failed(_ outcome: Outcome, at: Int64) {
        if outcome == .error { errors &+= 1 } else { notJudged &+= 1 }
        failedInRun &+= 1
        if failingSince == nil { failingSince = at }
    }

    private mutating func refusedTooLate(at: Int64) {
        withoutRight &+= 1
        if withoutRightSince == nil { withoutRightSince = at }
    }

    /// Shows a state, and remembers when it was first implemented and when it regressed.
    mutating func show(_ state: ObservedState, at: Int64) {
        if state == .implemented, implementedAt == nil {
            // From a good state it was implemented as soon as the success came; from a bad one, when it recovered.
            implementedAt = self.state.severity == 0 ? firstProductionSuccess ?? at : at
        }
        if state == .nonFunctional, implementedAt != nil {
            regressedAt = at
            regressions &+= 1
        }
        self.state = state
        stateSince = at
    }
}

extension IntegrationRecord {
    /// The layout of `packed`; a saved state of another layout is refused.
    private static let layout: UInt64 = 1

    /// The record as compact text.
    var packed: String {
        var bytes = PackedWriter()
        bytes.put(unsigned: Self.layout)
        for count in [
            accepted, successes, productionSuccesses, errors, notJudged, withoutRight, failedInRun, regressions,
        ] {
            bytes.put(unsigned: count)
        }
        for time in [
            withoutRightSince, lastAttempt, lastSuccess, firstProductionSuccess, failingSince, stageSince, stateSince,
            implementedAt, regressedAt,
        ] { bytes.put(time) }
        bytes.put(unsigned: UInt64(state.rawValue))
        recovery.pack(into: &bytes)
        window.pack(into: &bytes)
        return bytes.text
    }

    /// The record that `packed` gave. Throws `PackedFault` when the text is none.
    init(packed: String, bucketWidth: Int64) throws(PackedFault) {
        var bytes = try PackedReader(text: packed)
        guard try bytes.unsigned() == Self.layout else { throw .outOfRange }
        accepted = try bytes.unsigned()
        successes = try bytes.unsigned()
        productionSuccesses = try bytes.unsigned()
        errors = try bytes.unsigned()
        notJudged = try bytes.unsigned()
        withoutRight = try bytes.unsigned()
        failedInRun = try bytes.unsigned()
        regressions = try bytes.unsigned()
        withoutRightSince = try bytes.time()
        lastAttempt = try bytes.time()
        lastSuccess = try bytes.time()
        firstProductionSuccess = try bytes.time()
        failingSince = try bytes.time()
        stageSince = try bytes.time()
        stateSince = try bytes.time()
        implementedAt = try bytes.time()
        regressedAt = try bytes.time()
        let number = try bytes.unsigned()
        guard let raw = UInt8(exactly: number), let state = ObservedState(rawValue: raw) else { throw .outOfRange }
        self.state = state
        recovery = try Recovery(unpacking: &bytes)
        window = try TrafficWindow(unpacking: &bytes, bucketWidth: bucketWidth)
        try bytes.end()
    }
}
