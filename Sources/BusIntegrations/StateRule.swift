/// Why an integration is in a bad state; the raw values are stable codes.
package enum IntegrationCause: String, Sendable, Codable, Hashable {
    case providerDown = "provider-down"
    case noSuccess = "no-success"
    case errors
    case slow
}

/// What the rule says of an integration at one moment, before hysteresis.
struct Verdict: Sendable, Hashable {
    var state: ObservedState
    var cause: IntegrationCause?

    init(_ state: ObservedState, _ cause: IntegrationCause? = nil) {
        self.state = state
        self.cause = cause
    }

    /// Only traffic can disprove what traffic showed; a provider that comes back disproves its absence by itself.
    var isFromTraffic: Bool { cause != nil && cause != .providerDown }
}

/// The rule of the observed state: a pure function of the declaration, the record, the window and the provider's life.
struct StateRule {
    let declared: DeclaredIntegration
    let record: IntegrationRecord
    let window: WindowTotals
    /// The provider gives no sign of life; false for one that was never heard of.
    let providerIsDown: Bool
    let thresholds: Thresholds
    let now: Int64

    /// The first row that matches wins.
    func verdict() -> Verdict {
        if !declared.stage.isClosed {
            if isCutOff { return Verdict(.nonFunctional, .providerDown) }
            if neverSucceeds { return Verdict(.nonFunctional, .noSuccess) }
            if mostlyFails { return Verdict(.nonFunctional, .errors) }
            if oftenFails { return Verdict(.degraded, .errors) }
            if isSlow { return Verdict(.degraded, .slow) }
        }
        if isDormant { return Verdict(.dormant) }
        if record.firstProductionSuccess != nil { return Verdict(.implemented) }
        return Verdict(record.lastAttempt == nil ? .silent : .testing)
    }

    /// The provider is down. An integration that has neither a right nor any traffic does not yet depend on it.
    private var isCutOff: Bool {
        providerIsDown && (declared.stage.carriesTraffic || record.lastAttempt != nil)
    }

    /// Attempts for T or longer and no success since the first of them. Attempts that ended D ago are dormancy.
    private var neverSucceeds: Bool {
        guard let since = record.failingSince else { return false }
        return now - since >= thresholds.noSuccess && !isDormant
    }

    private var mostlyFails: Bool {
        hasSamples(window.judged) && window.errors * 1000 >= window.judged * thresholds.nonFunctionalErrors
    }

    private var oftenFails: Bool {
        hasSamples(window.judged) && window.errors * 1000 > window.judged * thresholds.degradedErrors
    }

    /// p95 is over the promise exactly when more than 5 % of the successes took longer than it, and those are counted,
    /// so the row does not depend on the resolution of the histogram.
    private var isSlow: Bool {
        declared.promisedP95 != nil && hasSamples(window.successes) && window.slow * 20 > window.successes
    }

    private func hasSamples(_ count: UInt64) -> Bool { count >= thresholds.minimumSamples }

    private var isDormant: Bool {
        record.lastAttempt.map { now - $0 >= thresholds.dormancy } ?? false
    }
}

extension StateRule {
    /// The verdict in one sentence with its figures. `providerWhy` is the clause about the provider's health.
    func why(_ verdict: Verdict, providerWhy: @autoclosure () -> String) -> String {
        switch (verdict.state, verdict.cause) {
        case (_, .providerDown): "Its provider \(declared.provider) is down: \(providerWhy())."
        case (_, .noSuccess): noSuccessSentence
        case (.nonFunctional, _): errorSentence("at least", limit: thresholds.nonFunctionalErrors)
        case (.degraded, .slow): slowSentence
        case (.degraded, _): errorSentence("over", limit: thresholds.degradedErrors)
        case (.dormant, _): dormantSentence
        case (.implemented, _): implementedSentence
        case (.testing, _): "\(successes(record.successes)) in tests, none yet in production."
        case (.silent, _): "No traffic was ever seen."
        }
    }

    private var noSuccessSentence: String {
        let since = record.failingSince ?? now
        let failed = record.failedInRun == 0 ? "none was answered" : "\(record.failedInRun) failed"
        let last = record.lastSuccess.map { "the last success was at \(UnixTime.text($0))" } ?? "it never succeeded"
        return "Attempts for \(Wording.span(now - since)) without a success: \(failed), \(last)."
    }

    private func errorSentence(_ relation: String, limit: UInt64) -> String {
        let share = Wording.share(window.errors, of: window.judged)
        return "\(share) of \(window.judged) exchanges within \(Wording.span(thresholds.window)) failed; "
            + "\(relation) \(Wording.share(limit, of: 1000)) is \(relation == "over" ? "degraded" : "non-functional")."
    }

    private var slowSentence: String {
        let share = Wording.share(window.slow, of: window.successes)
        return "\(share) of \(window.successes) answers took longer than the promised p95 of "
            + "\(Wording.latency(declared.promisedP95 ?? 0)); at most 5 % may."
    }

    private var dormantSentence: String {
        let last = record.lastAttempt ?? now
        return "No traffic for \(Wording.span(now - last)), since \(UnixTime.text(last))."
    }

    private var implementedSentence: String {
        let first = record.firstProductionSuccess ?? now
        return "\(successes(record.productionSuccesses)) in production, the first at \(UnixTime.text(first))."
    }

    private func successes(_ count: UInt64) -> String { Wording.plural(count, "success", "successes") }
}
