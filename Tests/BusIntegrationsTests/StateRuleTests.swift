import Testing

@testable import BusIntegrations

/// A traffic at noon, and the state that one evaluation at `after` later must show.
struct StateCase: Sendable, CustomTestStringConvertible {
    var name: String
    var stage = Stage.approved
    var promisedP95: UInt32?
    var successes = 0
    var slow = 0
    var errors = 0
    var code: UInt16 = 502
    var outstanding = 0
    var providerDown = false
    /// The successes come after the errors.
    var successesLast = true
    var after: Int64 = 0
    var expected: ObservedState
    var cause: IntegrationCause?

    var testDescription: String { name }

    func play() -> OneIntegration {
        var one = OneIntegration(stage: stage, promisedP95: promisedP95)
        if providerDown { one.ledger.systemDown("individuals", reason: "switched off", at: noon) }
        for _ in 0..<outstanding { one.ledger.attempted(integration: 0, at: noon) }
        if !successesLast { one.exchange(successes) }
        one.exchange(errors, code: code)
        if successesLast { one.exchange(successes) }
        one.exchange(slow, latency: 500_001)
        return one
    }
}

@Suite("The rule of the observed state")
struct StateRuleTests {
    static let rows: [StateCase] = [
        StateCase(name: "nothing ever", expected: .silent),
        StateCase(name: "only attempts, before T", outstanding: 1, after: 15 * minute - 1, expected: .testing),
        StateCase(
            name: "only attempts, at T", outstanding: 1, after: 15 * minute, expected: .nonFunctional,
            cause: .noSuccess),
        StateCase(name: "one error, before T", errors: 1, after: 15 * minute - 1, expected: .testing),
        StateCase(name: "one error, at T", errors: 1, after: 15 * minute, expected: .nonFunctional, cause: .noSuccess),
        StateCase(
            name: "a success ends the run of failures", successes: 1, errors: 1, after: 15 * minute,
            expected: .implemented),
        StateCase(
            name: "a failure after the success begins it anew", successes: 1, errors: 1, successesLast: false,
            after: 15 * minute, expected: .nonFunctional, cause: .noSuccess),
        StateCase(name: "success in a test", stage: .testing, successes: 1, expected: .testing),
        StateCase(name: "success in production", successes: 1, expected: .implemented),
        StateCase(
            name: "provider down", successes: 1, providerDown: true, expected: .nonFunctional, cause: .providerDown),
        StateCase(
            name: "provider down, approved without traffic", providerDown: true, expected: .nonFunctional,
            cause: .providerDown),
        StateCase(name: "provider down, only planned", stage: .planned, providerDown: true, expected: .silent),
        StateCase(name: "before D", successes: 1, after: 30 * day - 1, expected: .implemented),
        StateCase(name: "at D", successes: 1, after: 30 * day, expected: .dormant),
        StateCase(name: "retired is not judged", stage: .retired, errors: 25, after: hour, expected: .testing),
    ]

    static let boundaries: [StateCase] = [
        StateCase(name: "19 samples judge nothing", successes: 1, errors: 18, expected: .implemented),
        StateCase(name: "20 samples do", successes: 1, errors: 19, expected: .nonFunctional, cause: .errors),
        StateCase(name: "exactly 50 %", successes: 10, errors: 10, expected: .nonFunctional, cause: .errors),
        StateCase(name: "just under 50 %", successes: 11, errors: 10, expected: .degraded, cause: .errors),
        StateCase(name: "exactly 5 %", successes: 19, errors: 1, expected: .implemented),
        StateCase(name: "just over 5 %", successes: 37, errors: 2, expected: .degraded, cause: .errors),
        StateCase(name: "19 samples are never degraded", successes: 17, errors: 2, expected: .implemented),
        StateCase(name: "p95 equal to the promise", promisedP95: 1000, successes: 25, expected: .implemented),
        StateCase(
            name: "p95 one µs over the promise", promisedP95: 999, successes: 20, expected: .degraded, cause: .slow),
        StateCase(name: "exactly 5 % are slow", promisedP95: 500_000, successes: 19, slow: 1, expected: .implemented),
        StateCase(
            name: "over 5 % are slow", promisedP95: 500_000, successes: 18, slow: 2, expected: .degraded, cause: .slow),
        StateCase(name: "19 slow ones judge nothing", promisedP95: 500_000, slow: 19, expected: .implemented),
        StateCase(name: "no promise, never slow", slow: 100, expected: .implemented),
    ]

    static let precedence: [StateCase] = [
        StateCase(
            name: "no success for T before errors", errors: 40, after: 15 * minute, expected: .nonFunctional,
            cause: .noSuccess),
        StateCase(
            name: "provider down before no success", errors: 40, providerDown: true, after: 15 * minute,
            expected: .nonFunctional, cause: .providerDown),
        StateCase(
            name: "non-functional before degraded", promisedP95: 500_000, slow: 20, errors: 20,
            expected: .nonFunctional, cause: .errors),
        StateCase(
            name: "errors before slowness", promisedP95: 500_000, slow: 30, errors: 2, expected: .degraded,
            cause: .errors),
        StateCase(
            name: "non-functional before dormant", successes: 1, providerDown: true, after: 30 * day,
            expected: .nonFunctional, cause: .providerDown),
        StateCase(
            name: "attempts that ended D ago are dormancy", errors: 30, after: 30 * day, expected: .dormant),
        StateCase(name: "dormant before implemented", successes: 5, after: 31 * day, expected: .dormant),
        StateCase(name: "dormant before testing", stage: .testing, successes: 5, after: 31 * day, expected: .dormant),
    ]

    @Test("Row, boundary, precedence", arguments: rows + boundaries + precedence)
    func state(_ row: StateCase) {
        var one = row.play()
        let changes = one.ledger.evaluate(now: noon + row.after)
        #expect(one.ledger.records[0].state == row.expected, "\(one.why(at: noon + row.after))")
        let change = changes.last { $0.subject == .integration }
        #expect(change?.cause == row.cause?.rawValue)
        #expect((change == nil) == (row.expected == .silent))
        if let change { #expect(change.to == row.expected.name && change.why == one.why(at: noon + row.after)) }
    }

    @Test(
        "Only 408, 502 and 503 are errors; 'not found' is a success",
        arguments: [
            (UInt16(0), Outcome.success), (1, .success), (399, .success), (404, .success), (408, .error), (502, .error),
            (503, .error), (400, .notJudged), (403, .notJudged), (409, .notJudged), (422, .notJudged),
            (429, .notJudged),
            (500, .notJudged), (507, .notJudged),
        ])
    func outcome(code: UInt16, expected: Outcome) {
        #expect(Outcome(code: code) == expected)
    }

    @Test("The consumer's faults neither raise nor dilute the ratio of errors")
    func consumerFaults() {
        var one = OneIntegration()
        one.exchange(1000, code: 422)
        one.exchange(1)
        #expect(one.state() == .implemented)
        one.exchange(19, code: 503)
        #expect(one.state() == .nonFunctional)
        #expect(one.ledger.integrations(now: noon)[0].window == WindowTotals(successes: 1, errors: 19, notJudged: 1000))
    }

    @Test("Production is the stage at the commit, not the stage of today")
    func stageAtCommit() {
        var one = OneIntegration(stage: .approved)
        one.exchange(5, stage: .testing)
        #expect(one.state() == .testing)
        one.exchange(1, stage: .approved)
        #expect(one.state() == .implemented)
    }

    @Test("The sentences carry the figures")
    func sentences() {
        var one = OneIntegration(promisedP95: 500_000)
        #expect(one.why(at: noon) == "No traffic was ever seen.")
        one.exchange(37)
        #expect(one.state() == .implemented)
        #expect(one.why(at: noon) == "37 successes in production, the first at 2021-03-04 12:00:00Z.")
        one.exchange(3, latency: 600_000)
        #expect(one.state() == .degraded)
        #expect(
            one.why(at: noon) == "7.5 % of 40 answers took longer than the promised p95 of 500 ms; at most 5 % may.")
        one.exchange(40, code: 502)
        #expect(one.state() == .nonFunctional)
        #expect(one.why(at: noon) == "50.0 % of 80 exchanges within 1 h failed; at least 50.0 % is non-functional.")
    }
}
