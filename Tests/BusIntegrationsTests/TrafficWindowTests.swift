import Testing

@testable import BusIntegrations

@Suite("The window of traffic")
struct TrafficWindowTests {
    @Test("A bucket leaves with the tenth after it")
    func expiry() {
        var one = OneIntegration()
        one.exchange(7)
        let window = { (one: OneIntegration, at: Int64) in one.ledger.integrations(now: at)[0].window.successes }
        #expect(window(one, noon + hour - 1) == 7)
        #expect(window(one, noon + hour) == 0)
        one.exchange(1, at: noon + hour - 1)
        #expect(window(one, noon + hour - 1) == 8)
        one.exchange(1, at: noon + hour)
        #expect(window(one, noon + hour) == 2)
        #expect(one.ledger.integrations(now: noon + hour)[0].successes == 9)
    }

    @Test("A gap of years leaves one bucket, whatever its length", arguments: [hour, 10 * hour, 365 * day, 4000 * day])
    func gap(_ gap: Int64) {
        var one = OneIntegration()
        for step in 0..<10 { one.exchange(3, latency: 77, at: noon + Int64(step) * 6 * minute) }
        one.exchange(2, latency: 9000, at: noon + hour + gap)
        let status = one.ledger.integrations(now: noon + hour + gap)[0]
        #expect(status.window.successes == 2)
        #expect(status.p50.map { abs(Int($0) - 9000) <= 9000 / 32 } == true)
    }

    @Test("A clock that steps back counts as now and corrupts nothing")
    func stepBack() {
        var one = OneIntegration()
        one.exchange(1, at: noon)
        one.exchange(5, at: noon - 3 * hour)
        one.exchange(1, at: .min)
        #expect(one.state(at: noon - day) == .implemented)
        let status = one.ledger.integrations(now: noon)[0]
        #expect(status.window.successes == 7 && status.lastSuccess == noon && one.ledger.clock == noon)
        #expect(one.ledger.integrations(now: noon + hour)[0].window.successes == 0)
    }

    @Test("The ends of time do not trap")
    func extremes() {
        var one = OneIntegration()
        one.exchange(1, at: .max)
        one.heartbeat(at: .max)
        one.ledger.record(Heartbeat(system: "individuals", agent: "b", at: .min, dataUpdatedAt: .min))
        #expect(one.state(at: .max) == .implemented)
        #expect(one.ledger.clock == UnixTime.latest)
        var thresholds = Thresholds()
        thresholds.window = .min
        thresholds.dormancy = .max
        thresholds.minimumSamples = 0
        thresholds.nonFunctionalErrors = .max
        thresholds.missedHeartbeats = 0
        thresholds.calendarOffset = .min
        var odd = OneIntegration(thresholds: thresholds)
        odd.exchange(3, at: noon)
        odd.heartbeat(at: noon)
        #expect(odd.state(at: noon) == .implemented)
    }

    @Test("Percentiles are within the stated error at every magnitude", arguments: [1, 2, 3] as [UInt64])
    func percentiles(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for magnitude in 4..<32 {
            var one = OneIntegration()
            let all = (0..<501).map { _ in
                UInt32.random(in: 1...(UInt32.max >> UInt32(31 - magnitude)), using: &numbers)
            }
            for latency in all { one.exchange(latency: latency) }
            let sorted = all.sorted()
            let status = one.ledger.integrations(now: noon)[0]
            for (measured, rank) in [(status.p50, 251), (status.p95, 476), (status.p99, 496)] {
                let exact = Double(sorted[rank - 1])
                let allowed = max(
                    Double(LatencyScale.absoluteErrorBoundMicroseconds), exact * LatencyScale.relativeErrorBound)
                let error = abs(Double(measured ?? 0) - exact)
                #expect(
                    error <= allowed,
                    "seed \(seed), up to 2^\(magnitude + 1), rank \(rank): \(exact) as \(measured ?? 0)")
            }
        }
    }

    @Test("Every cell's middle lies in the cell, and cells ascend")
    func cells() {
        var previous: UInt32 = 0
        for cell in 0..<LatencyScale.cellCount {
            let middle = LatencyScale.middle(of: cell)
            #expect(LatencyScale.cell(of: middle) == cell)
            #expect(middle > previous)
            previous = middle
        }
        #expect(LatencyScale.cell(of: 0) == 0)
        #expect(LatencyScale.cell(of: .max) == LatencyScale.cellCount - 1)
    }

    @Test("A thousand busy integrations stay below 20 MB")
    func memory() {
        #expect(TrafficWindow.bytesWhenBusy == 16_160)
        let record = MemoryLayout<IntegrationRecord>.stride
        #expect((TrafficWindow.bytesWhenBusy + record) * 1000 < 17_000_000, "\(record)")
    }

    @Test("An observation of something unknown is counted, not followed")
    func strays() {
        var one = OneIntegration()
        one.ledger.record(Exchange(integration: 1, latencyMicroseconds: 0, at: noon, stage: .approved))
        one.ledger.record(Exchange(integration: -1, latencyMicroseconds: 0, at: noon, stage: .approved))
        one.ledger.attempted(integration: 9, at: noon)
        one.ledger.record(Heartbeat(system: "nobody", agent: "a", at: noon))
        one.ledger.systemDown("nobody", reason: "gone", at: noon)
        one.ledger.agentLeft("a", system: "nobody", at: noon)
        #expect(one.ledger.strayObservations == 6)
        #expect(one.state() == .silent)
    }
}
