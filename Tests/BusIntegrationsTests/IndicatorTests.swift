import Testing

@testable import BusIntegrations

@Suite("Indicators of a year")
struct IndicatorTests {
    static let study: [(year: Int, planned: Int, implemented: Int, percent: String)] = [
        (2018, 67, 17, "25.4 %"), (2019, 170, 146, "85.9 %"), (2020, 115, 91, "79.1 %"), (2021, 135, 120, "88.9 %"),
    ]

    static func yearEnd(_ year: Int) -> Int64 {
        UnixTime.start(ofYear: year + 1, offset: Thresholds().calendarOffset)
    }

    /// The study's four years played as traffic: so many first production successes within each year.
    static func playedStudy() -> IntegrationLedger {
        let plan = study.flatMap { row in
            (0..<row.planned).map { declared("\(row.year)-\($0)", planYear: row.year, due: yearEnd(row.year) - 1) }
        }
        var ledger = IntegrationLedger(plan: Plan(integrations: plan))
        var first = 0
        for row in study {
            let at = yearEnd(row.year) - 40 * day
            for index in first..<(first + row.implemented) {
                ledger.record(Exchange(integration: index, latencyMicroseconds: 1, at: at, stage: .approved))
            }
            _ = ledger.evaluate(now: at)
            first += row.planned
        }
        return ledger
    }

    @Test("The study's arithmetic, from traffic")
    func arithmetic() {
        let ledger = Self.playedStudy()
        let years = Self.study.map { ledger.indicators(year: $0.year, now: ledger.clock) }
        #expect(years.map(\.baseline.planned) == Self.study.map { UInt64($0.planned) })
        #expect(years.map(\.baseline.implemented) == Self.study.map { UInt64($0.implemented) })
        #expect(years.map(\.baseline.share.text) == Self.study.map(\.percent))
        let pooled = YearIndicators.pooled(years).baseline.share
        #expect(pooled == Share(374, of: 487) && pooled.text == "76.8 %")
        #expect(ledger.years(now: ledger.clock) == Self.study.map(\.year))
        #expect(Share(0, of: 0).tenthsOfPercent == nil && Share(0, of: 0).text == "–", "unknown, not zero")
    }

    @Test(
        "The last millisecond of 31 December counts, the first of January is late",
        arguments: [
            (Int64(-1), UInt64(1), UInt64(0)), (0, 0, 1),
        ])
    func boundary(shift: Int64, implemented: UInt64, late: UInt64) {
        var one = OneIntegration()
        let at = Self.yearEnd(2021) + shift
        #expect(UnixTime.text(Self.yearEnd(2021)) == "2021-12-31 19:00:00Z", "midnight at UTC+5")
        one.exchange(1, at: at)
        _ = one.state(at: at + hour)  // evaluated only in the new year
        let count = one.ledger.indicators(year: 2021, now: at + hour).baseline
        #expect(count.implemented == implemented && count.implementedLate == late && count.planned == 1)
    }

    @Test("A success in a test, or while non-functional, implements nothing")
    func notImplemented() {
        var testing = OneIntegration(stage: .testing)
        testing.exchange(30)
        _ = testing.state()
        #expect(testing.ledger.indicators(year: 2021, now: noon).baseline.implemented == 0)
        var failing = OneIntegration()
        failing.exchange(1)
        failing.exchange(30, code: 502)
        _ = failing.state()
        #expect(failing.ledger.indicators(year: 2021, now: noon).baseline.implemented == 0)
    }

    @Test("Additions stand apart; cancelled and removed ones stay planned; regressions stand beside")
    func kinds() {
        let integrations = [
            declared("kept"), declared("added", baseline: false), declared("cancelled", stage: .cancelled),
            declared("removed"),
        ]
        var ledger = IntegrationLedger(plan: Plan(integrations: integrations))
        for index in [0, 1, 3] {
            ledger.record(Exchange(integration: index, latencyMicroseconds: 1, at: noon, stage: .approved))
        }
        _ = ledger.evaluate(now: noon)
        for _ in 0..<20 {
            ledger.record(Exchange(integration: 0, code: 502, latencyMicroseconds: 1, at: noon, stage: .approved))
        }
        _ = ledger.evaluate(now: noon)
        ledger.apply(newPlan: Plan(integrations: Array(integrations.dropLast())))
        let indicators = ledger.indicators(year: 2021, now: noon)
        #expect(indicators.baseline.planned == 3 && indicators.baseline.implemented == 2)
        #expect(indicators.baseline.cancelled == 1 && indicators.baseline.removed == 1)
        #expect(indicators.baseline.laterRegressed == 1 && indicators.baseline.regressedNow == 1)
        #expect(indicators.additions.planned == 1 && indicators.additions.implemented == 1)
        #expect(ledger.indicators(year: 2020, now: noon).baseline == YearIndicators.Count())
    }

    @Test("Non-functional systems: the snapshot at the year's end, and system-days split over the years")
    func systems() {
        var ledger = IntegrationLedger(
            plan: Plan(integrations: [declared("a", provider: "p"), declared("b", provider: "q")]))
        let end = Self.yearEnd(2020)
        ledger.record(Heartbeat(system: "p", agent: "a", at: end - 10 * day))
        _ = ledger.evaluate(now: end - 10 * day)
        ledger.systemDown("p", reason: "fire", at: end - 3 * day)
        _ = ledger.evaluate(now: end - 3 * day)
        _ = ledger.evaluate(now: end + 2 * day)
        let last = ledger.indicators(year: 2020, now: end + 2 * day)
        #expect(last.nonFunctionalSystems == 1 && last.nonFunctionalSystemDays == 3)
        let running = ledger.indicators(year: 2021, now: end + 4 * day)
        #expect(running.nonFunctionalSystems == 1 && running.nonFunctionalSystemDays == 4)
        #expect(ledger.systems(now: end + 4 * day).first { $0.declared.id == "p" }?.nonFunctionalTime == 7 * day)
        #expect(ledger.indicators(year: 2019, now: end + 4 * day).nonFunctionalSystems == nil, "not observed")
    }

    @Test(
        "The civil calendar",
        arguments: [
            (Int64(0), "1970-01-01 00:00:00Z", 1970), (951_782_400_000, "2000-02-29 00:00:00Z", 2000),
            (1_609_459_199_999, "2020-12-31 23:59:59Z", 2020), (1_609_459_200_000, "2021-01-01 00:00:00Z", 2021),
            (4_107_542_399_000, "2100-02-28 23:59:59Z", 2100), (UnixTime.latest, "9999-12-31 23:59:59Z", 9999),
        ])
    func calendar(time: Int64, text: String, year: Int) {
        #expect(UnixTime.text(time) == text)
        #expect(UnixTime.year(of: time, offset: 0) == year)
        #expect(UnixTime.start(ofYear: year, offset: 0) <= time && time < UnixTime.start(ofYear: year + 1, offset: 0))
    }
}
