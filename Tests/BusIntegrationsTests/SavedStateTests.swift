import Foundation
import Testing

@testable import BusIntegrations

@Suite("Saved state and a new plan")
struct SavedStateTests {
    /// A seeded stream of everything that can be observed, over two simulated years with quiet weeks and steps back.
    struct RandomTraffic {
        var numbers: SeededNumbers
        var now: Int64 = noon

        init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

        static let plan = Plan(
            integrations: (0..<24).map { index in
                declared(
                    "i\(index)", stage: Stage.allCases[index % 6], consumer: "c\(index % 4)", provider: "p\(index % 5)",
                    promisedP95: index.isMultiple(of: 2) ? 200_000 : nil)
            },
            systems: [DeclaredSystem(id: "p0", heartbeatInterval: day, freshnessPromise: day)])

        /// Feeds one random observation, or evaluates and returns the changes.
        mutating func step(_ ledger: inout IntegrationLedger) -> [StateChange] {
            let kind = Int.random(in: 0..<100, using: &numbers)
            let index = Int.random(in: 0..<24, using: &numbers)
            let system = "p\(index % 5)"
            now += kind == 0 ? 20 * day : Int64.random(in: -2000...60_000, using: &numbers)
            switch kind {
            case 0..<70:
                let code: UInt16 = [0, 0, 0, 0, 0, 404, 422, 408, 502, 503].randomElement(using: &numbers) ?? 0
                let latency = UInt32.random(in: 0...400_000, using: &numbers)
                let stage = RandomTraffic.plan.integrations[index].stage
                ledger.record(
                    Exchange(integration: index, code: code, latencyMicroseconds: latency, at: now, stage: stage))
            case 70..<75: ledger.attempted(integration: index, at: now)
            case 75..<80: ledger.record(Refusal(consumer: "c\(index)", service: "s", code: 403, at: now))
            case 80..<90:
                ledger.record(
                    Heartbeat(
                        system: system, agent: "a\(index % 3)", at: now, uptimeMs: UInt64(index),
                        dataUpdatedAt: index.isMultiple(of: 2) ? now : nil, up: index != 7))
            case 90: ledger.systemDown(system, reason: "cable cut", at: now)
            case 91: ledger.agentLeft("a\(index % 3)", system: system, at: now)
            case 92: ledger.resumed(at: now)
            default: return ledger.evaluate(now: now)
            }
            return []
        }
    }

    static func reloaded(_ ledger: IntegrationLedger) throws -> IntegrationLedger {
        try JSONDecoder().decode(IntegrationLedger.self, from: JSONEncoder().encode(ledger))
    }

    @Test(
        "A fold that is saved and reloaded at random equals one that never stopped",
        arguments: 1...12 as ClosedRange<UInt64>)
    func replay(seed: UInt64) throws {
        var cuts = SeededNumbers(seed: seed &+ 1000)
        var continuous = IntegrationLedger(plan: RandomTraffic.plan)
        var stopped = continuous
        var first = RandomTraffic(seed: seed)
        var second = first
        var changes = 0
        for step in 0..<4000 {
            let expected = first.step(&continuous)
            if Int.random(in: 0..<200, using: &cuts) == 0 { stopped = try Self.reloaded(stopped) }
            #expect(second.step(&stopped) == expected, "seed \(seed), step \(step)")
            changes += expected.count
        }
        #expect(try Self.reloaded(stopped) == continuous, "seed \(seed)")
        #expect(changes > 50, "seed \(seed): the traffic changes nothing")
        #expect(continuous.integrations(now: first.now) == stopped.integrations(now: first.now))
        #expect(continuous.systems(now: first.now) == stopped.systems(now: first.now))
    }

    @Test("The same ledger gives the same bytes, and few of them")
    func bytes() throws {
        var ledger = IntegrationLedger(plan: RandomTraffic.plan)
        var traffic = RandomTraffic(seed: 5)
        for _ in 0..<5000 { _ = traffic.step(&ledger) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(ledger)
        #expect(try encoder.encode(Self.reloaded(ledger)) == data)
        #expect(data.count < 24 * 1500, "\(data.count)")
    }

    @Test("A damaged record is refused, never followed", arguments: 1...40 as ClosedRange<UInt64>)
    func damaged(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        var one = OneIntegration(promisedP95: 10)
        for step in 0..<50 {
            one.exchange(1, code: step % 7 == 0 ? 502 : 0, latency: UInt32(step * 999), at: noon + Int64(step) * 60_000)
        }
        let whole = Array(one.ledger.records[0].packed.utf8)
        let width = one.ledger.bucketWidth
        #expect(
            try IntegrationRecord(packed: one.ledger.records[0].packed, bucketWidth: width) == one.ledger.records[0])
        #expect(throws: PackedFault.self) {
            try IntegrationRecord(packed: String(decoding: whole.dropLast(4), as: UTF8.self), bucketWidth: width)
        }
        for _ in 0..<200 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                bytes[Int.random(in: bytes.indices, using: &numbers)] = UInt8.random(in: 32...126, using: &numbers)
            }
            // Either refused, or a record that can be gone on with: nothing may trap.
            guard
                let record = try? IntegrationRecord(packed: String(decoding: bytes, as: UTF8.self), bucketWidth: width)
            else { continue }
            one.ledger.records[0] = record
            one.exchange(1, at: noon + hour)
            _ = one.ledger.evaluate(now: noon + 2 * hour)
            _ = one.ledger.integrations(now: noon + 2 * hour)
        }
    }

    @Test("History follows the id through a new order, a new stage, removal and return")
    func newPlan() {
        func plan(_ ids: [String], stage: Stage = .approved) -> Plan {
            Plan(integrations: ids.map { declared($0, stage: stage, provider: "p-\($0)") })
        }
        var ledger = IntegrationLedger(plan: plan(["a", "b", "c"]))
        for (index, count) in [1, 2, 3].enumerated() {
            for _ in 0..<count {
                ledger.record(Exchange(integration: index, latencyMicroseconds: 9, at: noon, stage: .approved))
            }
        }
        ledger.record(Heartbeat(system: "p-b", agent: "x", at: noon))
        _ = ledger.evaluate(now: noon)
        ledger.apply(newPlan: plan(["d", "c", "a"]))
        let successes = { (ledger: IntegrationLedger) in ledger.integrations(now: noon).map(\.successes) }
        #expect(successes(ledger) == [0, 3, 1])
        #expect(ledger.integrations(now: noon).map(\.window.successes) == [0, 3, 1])
        ledger.apply(newPlan: plan(["b", "a"], stage: .testing))
        #expect(successes(ledger) == [2, 1])
        #expect(ledger.systems(now: noon)[0].lastHeartbeat == noon)
        #expect(ledger.integrations(now: noon).map(\.stageSince) == [noon, noon])
        #expect(ledger.integrations(now: noon)[0].window.successes == 0, "a removed one keeps no window")
        #expect(ledger.departed.map(\.declared.id) == ["d", "c"])
        ledger.apply(newPlan: plan([]))
        ledger.apply(newPlan: plan(["c", "b", "a", "d"]))
        #expect(successes(ledger) == [3, 2, 1, 0] && ledger.departed.isEmpty)
    }

    @Test("A window of another length begins anew; totals stay")
    func newWindow() {
        var one = OneIntegration()
        one.exchange(5)
        var thresholds = Thresholds()
        thresholds.window = 10 * minute
        one.ledger.apply(newPlan: one.ledger.plan, thresholds: thresholds)
        one.exchange(1)
        let status = one.ledger.integrations(now: noon)[0]
        #expect(status.window.successes == 1 && status.successes == 6)
    }

    @Test("A repeated id keeps its first declaration; systems that only integrations name are there")
    func plan() {
        let plan = Plan(integrations: [declared("a"), declared("a", provider: "other")])
        #expect(plan.integrations.count == 1 && plan.systems.map(\.id) == ["individuals", "portal"])
    }
}
