import Testing

@testable import BusIntegrations

@Suite("Hysteresis")
struct RecoveryTests {
    @Test("Worse is immediate; better waits for the hold and a success, through every step down")
    func bothWays() {
        var one = OneIntegration()
        one.exchange(10)
        one.exchange(10, code: 502)
        #expect(one.state() == .nonFunctional)
        one.exchange(20, at: noon + minute)  // 10 of 40 failed: degraded by the rule
        #expect(one.state(at: noon + minute) == .nonFunctional)
        #expect(one.why(at: noon + minute).hasPrefix("Recovering since 2021-03-04 12:01:00Z, not yet proven. 25.0 %"))
        #expect(one.state(at: noon + 6 * minute - 1) == .nonFunctional)
        #expect(one.state(at: noon + 6 * minute) == .degraded)
        one.exchange(200, at: noon + 7 * minute)
        #expect(one.state(at: noon + 7 * minute) == .degraded)
        #expect(one.state(at: noon + 12 * minute - 1) == .degraded)
        #expect(one.state(at: noon + 12 * minute) == .implemented)
    }

    @Test("A relapse starts the wait anew")
    func relapse() {
        var one = OneIntegration()
        one.exchange(19)
        one.exchange(19, code: 502)
        #expect(one.state() == .nonFunctional)
        one.exchange(2, at: noon)
        #expect(one.state(at: noon + minute) == .nonFunctional)
        one.exchange(2, code: 502, at: noon + 2 * minute)
        #expect(one.state(at: noon + 2 * minute) == .nonFunctional)
        one.exchange(1000, at: noon + 3 * minute)
        #expect(one.state(at: noon + 3 * minute) == .nonFunctional)
        #expect(one.state(at: noon + 8 * minute - 1) == .nonFunctional)
        #expect(one.state(at: noon + 8 * minute) == .implemented)
    }

    @Test("Errors that only leave the window prove nothing; one success does")
    func silenceIsNoRecovery() {
        var one = OneIntegration()
        one.exchange(20, code: 502)
        one.exchange(1)
        #expect(one.state() == .nonFunctional)
        #expect(one.state(at: noon + 2 * hour) == .nonFunctional)
        #expect(one.state(at: noon + 3 * hour) == .nonFunctional)
        one.exchange(1, at: noon + 3 * hour)
        #expect(one.state(at: noon + 3 * hour) == .implemented)
    }

    @Test("Dormancy ends a bad state without a success")
    func dormancy() {
        var one = OneIntegration()
        one.exchange(20, code: 502)
        #expect(one.state() == .nonFunctional)
        #expect(one.state(at: noon + 30 * day) == .nonFunctional)
        #expect(one.state(at: noon + 30 * day + 5 * minute) == .dormant)
    }

    @Test("A provider that comes back needs no traffic to prove it")
    func provider() {
        var one = OneIntegration()
        one.exchange(1)
        one.heartbeat(at: noon)
        #expect(one.state() == .implemented)
        #expect(one.state(at: noon + 30_000 - 1) == .implemented)
        #expect(one.state(at: noon + 30_000) == .nonFunctional)
        #expect(
            one.why(at: noon + 30_000)
                == "Its provider individuals is down: 3 heartbeats missed, the last came at 2021-03-04 12:00:00Z.")
        for second in stride(from: Int64(60), to: 60 + 300, by: 10) {
            one.heartbeat(at: noon + second * 1000)
            #expect(one.state(at: noon + second * 1000) == .nonFunctional)
        }
        one.heartbeat(at: noon + 360_000)
        #expect(one.state(at: noon + 360_000) == .implemented)
    }

    @Test("A state that stays is reported once")
    func once() {
        var one = OneIntegration()
        one.exchange(1)
        #expect(one.ledger.evaluate(now: noon).map(\.to) == ["implemented"])
        #expect(one.ledger.evaluate(now: noon).isEmpty)
        #expect(one.ledger.evaluate(now: noon + minute).isEmpty)
    }
}
