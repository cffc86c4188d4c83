@testable import BusIntegrations

/// Noon of 2021-03-04 UTC, at the start of a bucket of the default window.
let noon: Int64 = 1_614_859_200_000
let minute = Thresholds.minute
let hour = 60 * Thresholds.minute
let day = Thresholds.day

func declared(
    _ id: String, stage: Stage = .approved, consumer: String = "portal", provider: String = "individuals",
    service: String? = nil, planYear: Int = 2021, due: Int64 = noon + 365 * day, baseline: Bool = true,
    promisedP95: UInt32? = nil, stageSince: Int64? = nil
) -> DeclaredIntegration {
    DeclaredIntegration(
        id: id, consumer: consumer, service: service ?? "\(provider).\(id).v1", provider: provider, owner: "justice",
        planYear: planYear, due: due, stage: stage, baseline: baseline, promisedP95: promisedP95,
        stageSince: stageSince)
}

/// One integration and its ledger, with words for what happens to it.
struct OneIntegration {
    var ledger: IntegrationLedger
    let stage: Stage

    init(stage: Stage = .approved, promisedP95: UInt32? = nil, thresholds: Thresholds = Thresholds()) {
        self.stage = stage
        let plan = Plan(integrations: [declared("one", stage: stage, promisedP95: promisedP95)])
        ledger = IntegrationLedger(plan: plan, thresholds: thresholds)
    }

    mutating func exchange(
        _ count: Int = 1, code: UInt16 = 0, latency: UInt32 = 1000, at: Int64 = noon, stage: Stage? = nil
    ) {
        for _ in 0..<count {
            ledger.record(
                Exchange(
                    integration: 0, code: code, latencyMicroseconds: latency, at: at, stage: stage ?? self.stage))
        }
    }

    mutating func heartbeat(at: Int64, up: Bool = true) {
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: at, up: up))
    }

    /// Evaluates and returns the shown state.
    mutating func state(at: Int64 = noon) -> ObservedState {
        _ = ledger.evaluate(now: at)
        return ledger.records[0].state
    }

    func why(at: Int64) -> String { ledger.integrations(now: at)[0].why }
}

/// SplitMix64 (S. Vigna); a seed gives one sequence for ever.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
