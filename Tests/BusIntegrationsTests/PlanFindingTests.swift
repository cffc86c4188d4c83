import Testing

@testable import BusIntegrations

@Suite("Declared against observed")
struct PlanFindingTests {
    static func codes(_ ledger: IntegrationLedger, at: Int64) -> [PlanFinding.Code] {
        ledger.findings(now: at).map(\.code)
    }

    @Test("Approved but never worked, after the grace")
    func neverWorked() {
        var one = OneIntegration()
        _ = one.state()
        #expect(Self.codes(one.ledger, at: noon + day - 1).isEmpty)
        let finding = one.ledger.findings(now: noon + day).first
        #expect(finding?.code == .approvedNeverWorked && finding?.since == noon && finding?.integration == "one")
        #expect(
            finding?.sentence
                == "Approved for 1 d without one success in production; 0 attempts so far. "
                + "Its provider individuals was never heard of."
        )
        one.exchange(1, at: noon + 2 * day, stage: .testing)
        #expect(Self.codes(one.ledger, at: noon + 2 * day) == [.approvedNeverWorked])
        one.exchange(1, at: noon + 2 * day)
        #expect(Self.codes(one.ledger, at: noon + 2 * day).isEmpty)
    }

    @Test("Attempted without approval: declared too early, or known to no plan")
    func attempted() {
        var ledger = IntegrationLedger(
            plan: Plan(integrations: [declared("early", stage: .inDevelopment, service: "individuals.person-get.v1")]))
        ledger.record(Refusal(consumer: "portal", service: "individuals.person-get.v1", code: 403, at: noon, count: 2))
        ledger.record(Refusal(consumer: "portal", service: "individuals.person-get.v1", code: 403, at: noon + minute))
        ledger.record(Refusal(consumer: "chatbots", service: "nowhere.get.v1", code: 404, at: noon + minute))
        let findings = ledger.findings(now: noon + hour)
        #expect(findings.map(\.code) == [.attemptedWithoutApproval, .attemptedWithoutApproval])
        #expect(findings.map(\.integration) == ["early", nil] && findings.map(\.since) == [noon, noon + minute])
        #expect(
            findings[0].sentence == "portal has no right to individuals.person-get.v1: it is declared in-development. "
                + "3 calls were refused with 403, the last at 2021-03-04 12:01:00Z.")
        #expect(findings[1].sentence.contains("no plan knows it. 1 call was refused with 404"))
    }

    @Test("Refusals end as a finding with approval, or with age")
    func refusalsEnd() {
        func plan(_ stage: Stage) -> Plan {
            Plan(integrations: [declared("early", stage: stage, service: "s.v1", due: noon + 400 * day)])
        }
        var ledger = IntegrationLedger(plan: plan(.planned))
        ledger.record(Refusal(consumer: "portal", service: "s.v1", code: 403, at: noon))
        #expect(Self.codes(ledger, at: noon) == [.attemptedWithoutApproval])
        var opened = ledger
        opened.apply(newPlan: plan(.testing))
        #expect(Self.codes(opened, at: noon).isEmpty)
        _ = ledger.evaluate(now: noon + 30 * day)
        #expect(Self.codes(ledger, at: noon + 30 * day) == [.attemptedWithoutApproval])
        _ = ledger.evaluate(now: noon + 30 * day + 1)
        #expect(Self.codes(ledger, at: noon + 30 * day + 1).isEmpty)
    }

    @Test("The table of refusals is bounded and says what it could not hold")
    func bounded() {
        var one = OneIntegration()
        for number in 0..<5000 {
            one.ledger.record(Refusal(consumer: "x\(number)", service: "s", code: 403, at: noon, count: 2))
        }
        one.ledger.record(Refusal(consumer: "x0", service: "s", code: 403, at: noon, count: 5))
        #expect(one.ledger.findings(now: noon).count == 4096)
        #expect(one.ledger.refusalOverflow == 2 * (5000 - 4096))
    }

    @Test(
        "Past due",
        arguments: [
            (Stage.planned, PlanFinding.Code.notStartedPastDue as PlanFinding.Code?),
            (.inDevelopment, .notStartedPastDue),
            (.testing, .testingPastDue), (.approved, nil), (.retired, nil), (.cancelled, nil),
        ])
    func pastDue(stage: Stage, expected: PlanFinding.Code?) {
        let plan = Plan(integrations: [declared("late", stage: stage, due: noon)])
        let ledger = IntegrationLedger(plan: plan)
        #expect(Self.codes(ledger, at: noon).isEmpty)
        let findings = ledger.findings(now: noon + 1)
        #expect(findings.map(\.code) == [expected].compactMap(\.self))
        #expect(findings.allSatisfy { $0.since == noon })
    }

    @Test("Implemented, then regressed, and well again")
    func regressed() {
        var one = OneIntegration()
        one.exchange(1)
        _ = one.state()
        one.exchange(30, code: 502, at: noon + minute)
        _ = one.state(at: noon + minute)
        let finding = one.ledger.findings(now: noon + minute).first
        #expect(finding?.code == .implementedThenRegressed && finding?.since == noon + minute)
        #expect(one.ledger.integrations(now: noon + minute)[0].findings == [finding].compactMap(\.self))
        one.exchange(1000, at: noon + minute)
        _ = one.state(at: noon + minute)
        #expect(one.state(at: noon + 6 * minute) == .implemented)
        #expect(Self.codes(one.ledger, at: noon + 6 * minute).isEmpty)
        #expect(one.ledger.integrations(now: noon + 6 * minute)[0].regressions == 1)
    }

    @Test("Approved but dormant")
    func dormant() {
        var one = OneIntegration()
        one.exchange(1)
        _ = one.state(at: noon + 30 * day)
        #expect(one.ledger.findings(now: noon + 30 * day).map(\.since) == [noon])
        #expect(Self.codes(one.ledger, at: noon + 30 * day) == [.approvedDormant])
    }

    @Test("Traffic without a right would be the bus's own fault, and is said so", arguments: Stage.allCases)
    func withoutRight(stage: Stage) {
        var one = OneIntegration(stage: stage)
        one.exchange(2)
        let expected: [PlanFinding.Code] = stage.carriesTraffic ? [] : [.trafficWithoutRight]
        #expect(Self.codes(one.ledger, at: noon) == expected)
    }

    @Test("The matrix counts every integration once")
    func matrix() {
        let stages: [Stage] = [.approved, .approved, .approved, .testing, .planned, .retired]
        var ledger = IntegrationLedger(
            plan: Plan(integrations: stages.enumerated().map { declared("i\($0.offset)", stage: $0.element) }))
        for index in [0, 1, 3] {
            ledger.record(Exchange(integration: index, latencyMicroseconds: 1, at: noon, stage: stages[index]))
        }
        _ = ledger.evaluate(now: noon)
        let matrix = ledger.matrix(now: noon)
        #expect(matrix[.approved, .implemented] == 2 && matrix[.approved, .silent] == 1)
        #expect(matrix[.testing, .testing] == 1 && matrix[.planned, .silent] == 1 && matrix[.retired, .silent] == 1)
        #expect(matrix.total == 6)
    }
}
