import Testing

@testable import BusIntegrations

@Suite("The health of systems")
struct SystemHealthTests {
    static func ledger(_ system: DeclaredSystem = DeclaredSystem(id: "individuals")) -> IntegrationLedger {
        IntegrationLedger(plan: Plan(integrations: [declared("one"), declared("two")], systems: [system]))
    }

    static func health(_ ledger: inout IntegrationLedger, at: Int64) -> String {
        _ = ledger.evaluate(now: at)
        let record = ledger.systemRecords[0]
        return record.health.rawValue + (record.cause.map { " " + $0.rawValue } ?? "")
    }

    @Test(
        "Never heard of is unknown; a heartbeat is up; the third missed one is down",
        arguments: [nil, 60_000] as [Int64?])
    func heartbeats(interval: Int64?) {
        var ledger = Self.ledger(DeclaredSystem(id: "individuals", heartbeatInterval: interval))
        let third = 3 * (interval ?? 10_000)
        #expect(Self.health(&ledger, at: noon) == "unknown")
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon))
        #expect(Self.health(&ledger, at: noon) == "up")
        #expect(Self.health(&ledger, at: noon + third - 1) == "up")
        #expect(Self.health(&ledger, at: noon + third) == "non-functional missed-heartbeats")
        #expect(
            ledger.systems(now: noon + third)[0].why
                == "individuals is non-functional: 3 heartbeats missed, the last came at 2021-03-04 12:00:00Z.")
    }

    @Test("One living agent keeps a system up; the last to leave takes it down at once")
    func agents() {
        var ledger = Self.ledger()
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon))
        ledger.record(Heartbeat(system: "individuals", agent: "b", at: noon + 25_000))
        #expect(Self.health(&ledger, at: noon + 40_000) == "up")
        ledger.agentLeft("b", system: "individuals", at: noon + 40_000)
        #expect(Self.health(&ledger, at: noon + 40_000) == "non-functional missed-heartbeats")
        ledger.agentLeft("a", system: "individuals", at: noon + 41_000)
        #expect(Self.health(&ledger, at: noon + 41_000) == "non-functional no-agents")
    }

    @Test("An agent that fell silent has not left: it is missed until it comes back or says goodbye")
    func lost() {
        var ledger = Self.ledger()
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon))
        ledger.agentLost("a", system: "individuals", at: noon + 1000)
        #expect(Self.health(&ledger, at: noon + 1000) == "non-functional missed-heartbeats")
        #expect(
            ledger.systems(now: noon + 1000)[0].why
                == "individuals is non-functional: the connection is gone without a goodbye, "
                + "the last sign of life came at 2021-03-04 12:00:00Z.")
        #expect(Self.health(&ledger, at: noon + day) == "non-functional missed-heartbeats")
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon + day + 1))
        #expect(Self.health(&ledger, at: noon + day + 6 * minute) == "non-functional missed-heartbeats")
        ledger.agentLeft("a", system: "individuals", at: noon + 2 * day)
        #expect(Self.health(&ledger, at: noon + 2 * day) == "non-functional no-agents")
        ledger.agentLost("a", system: "individuals", at: noon + 2 * day)
        #expect(Self.health(&ledger, at: noon + 2 * day) == "non-functional no-agents", "gone is gone")
    }

    @Test("What agents report counts as errors of the integration, at most a thousand a row")
    func reportedFaults() {
        var ledger = Self.ledger()
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon))
        for _ in 0..<20 {
            ledger.record(Exchange(integration: 0, latencyMicroseconds: 1, at: noon, stage: .approved))
        }
        #expect(Self.health(&ledger, at: noon) == "up")
        // A request that broke its contract is its consumer's own fault.
        ledger.record(ReportedFaults(integration: 0, code: 422, count: 500, at: noon))
        #expect(Self.health(&ledger, at: noon) == "up")
        ledger.record(ReportedFaults(integration: 0, code: 502, count: 20, at: noon))
        #expect(Self.health(&ledger, at: noon) == "non-functional errors")
        ledger.record(ReportedFaults(integration: 0, code: 502, count: .max, at: noon))
        #expect(ledger.records[0].errors == 1020)
        ledger.record(ReportedFaults(integration: 9, code: 502, count: 1, at: noon))
        #expect(ledger.strayObservations == 1)
    }

    @Test("An agent that does not reach its system, and the bus's own word")
    func reported() {
        var ledger = Self.ledger()
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon, up: false))
        #expect(Self.health(&ledger, at: noon) == "non-functional reported-down")
        #expect(ledger.systems(now: noon)[0].why == "individuals is non-functional: no agent reaches it (a).")
        ledger.record(Heartbeat(system: "individuals", agent: "b", at: noon, up: true))
        _ = Self.health(&ledger, at: noon)
        ledger.record(Heartbeat(system: "individuals", agent: "b", at: noon + 5 * minute, up: true))
        #expect(Self.health(&ledger, at: noon + 5 * minute) == "up")
        ledger.systemDown("individuals", reason: "its key was revoked", at: noon + 5 * minute)
        #expect(Self.health(&ledger, at: noon + 5 * minute) == "non-functional reported-down")
        ledger.record(Heartbeat(system: "individuals", agent: "b", at: noon + 6 * minute, up: true))
        #expect(Self.health(&ledger, at: noon + 6 * minute) == "non-functional reported-down")
        ledger.record(Heartbeat(system: "individuals", agent: "b", at: noon + 11 * minute, up: true))
        #expect(Self.health(&ledger, at: noon + 11 * minute) == "up")
    }

    @Test(
        "Errors count over everything it provides",
        arguments: [
            (9, 10, "up"), (10, 10, "non-functional errors"), (11, 10, "up"),
        ])
    func errors(successes: Int, errors: Int, expected: String) {
        var ledger = Self.ledger()
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon))
        let codes = [UInt16](repeating: 0, count: successes) + [UInt16](repeating: 503, count: errors)
        for (index, code) in codes.enumerated() {
            ledger.record(
                Exchange(integration: index % 2, code: code, latencyMicroseconds: 1, at: noon, stage: .approved))
        }
        #expect(Self.health(&ledger, at: noon) == expected)
        #expect(ledger.systems(now: noon)[1].provided == WindowTotals(), "the consumer is not to blame")
    }

    @Test("Data older than promised are stale, and that is no absence")
    func stale() {
        var ledger = Self.ledger(DeclaredSystem(id: "individuals", heartbeatInterval: day, freshnessPromise: hour))
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon, dataUpdatedAt: noon))
        ledger.record(Exchange(integration: 0, latencyMicroseconds: 1, at: noon, stage: .approved))
        #expect(Self.health(&ledger, at: noon + hour) == "up")
        #expect(Self.health(&ledger, at: noon + hour + 1) == "non-functional stale")
        #expect(ledger.records[0].state == .implemented)
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon + 2 * hour, dataUpdatedAt: noon + 2 * hour))
        #expect(Self.health(&ledger, at: noon + 2 * hour) == "non-functional stale")
        #expect(Self.health(&ledger, at: noon + 2 * hour + 5 * minute) == "up")
    }

    @Test("Dormant is reported apart")
    func dormant() {
        var ledger = Self.ledger(DeclaredSystem(id: "individuals", heartbeatInterval: 31 * day))
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon))
        ledger.record(Exchange(integration: 0, latencyMicroseconds: 1, at: noon, stage: .approved))
        #expect(Self.health(&ledger, at: noon + 30 * day - 1) == "up")
        #expect(Self.health(&ledger, at: noon + 30 * day) == "dormant")
    }

    @Test("Nobody missed a heartbeat while the bus itself was away")
    func busAway() {
        var ledger = Self.ledger()
        ledger.record(Heartbeat(system: "individuals", agent: "a", at: noon))
        ledger.resumed(at: noon + day)
        #expect(Self.health(&ledger, at: noon + day + 29_999) == "up")
        #expect(Self.health(&ledger, at: noon + day + 30_000) == "non-functional missed-heartbeats")
    }

    @Test("The table of agents is bounded; restarts are seen")
    func bounds() {
        var ledger = Self.ledger()
        for number in 0..<200 {
            ledger.record(Heartbeat(system: "individuals", agent: "a\(number)", at: noon + Int64(number), uptimeMs: 9))
        }
        ledger.record(Heartbeat(system: "individuals", agent: "a199", at: noon + 200, uptimeMs: 1))
        let agents = ledger.systems(now: noon + 200)[0].agents
        #expect(agents.count == SystemRecord.agentLimit)
        #expect(agents.last?.name == "a199" && agents.last?.restarts == 1 && agents.first?.name == "a136")
    }

    /// One seeded space: which integrations have traffic, and which of them its chosen provider carries.
    struct RandomSpace {
        var ledger: IntegrationLedger
        let systems: [String]
        let victim: String
        let dependents: Set<String>

        init(seed: UInt64) {
            var numbers = SeededNumbers(seed: seed)
            let systems = (0..<Int.random(in: 3...20, using: &numbers)).map { "system-\($0)" }
            let integrations = (0..<Int.random(in: 10...120, using: &numbers)).map { index in
                declared(
                    "i\(index)", stage: Stage.allCases.randomElement(using: &numbers) ?? .approved,
                    consumer: systems.randomElement(using: &numbers) ?? "system-0",
                    provider: systems.randomElement(using: &numbers) ?? "system-1")
            }
            var ledger = IntegrationLedger(plan: Plan(integrations: integrations))
            var busy: Set<String> = []
            for (index, integration) in integrations.enumerated() where Bool.random(using: &numbers) {
                busy.insert(integration.id)
                for _ in 0..<Int.random(in: 1...30, using: &numbers) {
                    ledger.record(
                        Exchange(integration: index, latencyMicroseconds: 100, at: noon, stage: integration.stage))
                }
            }
            let victim = systems.randomElement(using: &numbers) ?? "system-0"
            self.ledger = ledger
            self.systems = systems
            self.victim = victim
            dependents = Set(
                integrations.filter { integration in
                    integration.provider == victim && !integration.stage.isClosed
                        && (integration.stage.carriesTraffic || busy.contains(integration.id))
                }.map(\.id))
        }

        /// Every system but the victim gives its heartbeat, or all; then one evaluation.
        mutating func pass(at: Int64, victimLives: Bool) -> Set<String> {
            for system in systems where victimLives || system != victim {
                ledger.record(Heartbeat(system: system, agent: "agent", at: at))
            }
            return Set(ledger.evaluate(now: at).filter { $0.subject == .integration }.map(\.id))
        }
    }

    @Test(
        "A provider's fall and return change exactly the integrations that depend on it",
        arguments: 1...60 as ClosedRange<UInt64>)
    func exactly(seed: UInt64) {
        var space = RandomSpace(seed: seed)
        _ = space.pass(at: noon, victimLives: true)
        let before = space.ledger.records.map(\.state)
        var fallen: Set<String> = []
        for second in [10, 20, 29] as [Int64] {
            fallen.formUnion(space.pass(at: noon + second * 1000, victimLives: false))
        }
        #expect(fallen.isEmpty, "seed \(seed): fell early")
        #expect(
            space.pass(at: noon + 30_000, victimLives: false) == space.dependents,
            "seed \(seed): fall of \(space.victim)")
        var returned: Set<String> = []
        for second in stride(from: Int64(40), through: 40 + 300, by: 10) {
            returned.formUnion(space.pass(at: noon + second * 1000, victimLives: true))
        }
        #expect(returned == space.dependents, "seed \(seed): return of \(space.victim)")
        #expect(space.ledger.records.map(\.state) == before, "seed \(seed): states after the return")
    }
}
