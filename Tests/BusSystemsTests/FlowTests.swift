import BusAgent
import BusContracts
import BusSystems
import Foundation
import GRDB
import Testing
import Yams

@Suite struct FlowTests {
    static let plays = 25
    static let seed: UInt64 = 20_260_203

    @Test(arguments: Flows.all.map(\.name))
    func everyFlowRunsAgainstTheRegisters(_ name: String) async throws {
        let flow = try #require(Flows.named(name))
        var bus = RegisterBus()
        if !flow.events.isEmpty || !flow.commands.isEmpty {
            let path = try SmallCountry.copy(of: try #require(Register(rawValue: flow.consumer)))
            if flow.consumer == "payments" { try owe(FlowTests.plays, path) }
            bus.registerPath = path
        }
        var random = SeededRandom(seed: FlowTests.seed)
        for play in 0..<FlowTests.plays {
            do {
                try await flow.run(bus, &random, SmallCountry.population)
            } catch {
                Issue.record("\(name), play \(play) with seed \(FlowTests.seed): \(error)")
                return
            }
        }
        #expect(bus.asked.all == Set(flow.services), "asked and declared must be the same")
        if let path = bus.registerPath {
            #expect(try SmallCountry.rows(in: "outbox", of: path) > FlowTests.plays / 2)
            try expectContracts(of: flow, path)
        }
    }

    private func owe(_ fees: Int, _ path: String) throws {
        try SmallCountry.open(path).write { database in
            for fee in 0..<fees {
                try database.execute(
                    sql: """
                        INSERT INTO invoice (reference, requester, budget_code, payer_iin, amount_tenge, requested)
                        VALUES (?, 'real-estate', '108126', ?, 3932, '2026-01-02T00:00:00Z')
                        """,
                    arguments: ["0196a3c0-5e00-7000-8000-\(padded(fee, 12))", SmallCountry.population.iin(fee)])
            }
        }
    }

    /// What will leave as a message satisfies its contract: an agent would refuse it, for good.
    private func expectContracts(of flow: Flow, _ path: String) throws {
        let rows = try SmallCountry.open(path).read { try Row.fetchAll($0, sql: "SELECT kind, body FROM outbox") }
        var kinds: Set<String> = []
        for row in rows {
            let kind: String = row["kind"]
            kinds.insert(kind)
            let name = try #require((flow.events + flow.commands).first { $0.hasSuffix(".\(kind).v1") }, "\(kind)")
            let body = Array((row["body"] as String).utf8)
            try Contracts.check(name, flow.events.contains(name) ? .event : .request, body)
        }
        #expect(kinds.count == flow.events.count + flow.commands.count)
    }

    @Test func everyServiceHasAConsumer() throws {
        let asked = Set(Flows.all.flatMap(\.services))
        let services = Set(try AgentFile.all.get().flatMap { $0.services ?? [] }.map(\.service))
        #expect(asked.filter { !AccessReference.isService($0) } == services)
        #expect(
            Set(asked.filter(AccessReference.isService)) == Set(try Contracts.names.filter(AccessReference.isService)))
    }

    @Test func thePlanOfIntegrationsIsReal() {
        let integrations = Flows.integrations
        #expect(integrations.count >= 30)
        #expect(Set(integrations.map { $0.consumer + $0.service }).count == integrations.count)
        // A system that asks itself needs no bus.
        #expect(integrations.allSatisfy { !$0.service.hasPrefix($0.consumer + ".") })
    }

    /// Whatever a flow or a subscription needs stands in the plan, so that the bus never meets traffic nobody thought of.
    @Test func everyIntegrationStandsInThePlan() throws {
        struct Plan: Decodable {
            struct Integration: Decodable {
                let consumer: String
                let service: String?
                let event: String?
            }
            let integrations: [Integration]
        }
        let file = ProjectFiles.root.appending(path: "deploy/space/integrations.yaml")
        let plan = try YAMLDecoder().decode(Plan.self, from: String(contentsOf: file, encoding: .utf8))
        let planned = Set(plan.integrations.map { "\($0.consumer) \($0.service ?? $0.event ?? "")" })
        for integration in Flows.integrations {
            #expect(planned.contains("\(integration.consumer) \(integration.service)"))
        }
        for agent in try AgentFile.all.get() {
            for subscription in agent.subscriptions ?? [] {
                #expect(planned.contains("\(agent.systems[0]) \(subscription.event)"))
            }
        }
    }

    @Test func flowsAreNamedOnceAndDrawTheSameForTheSameSeed() async throws {
        #expect(Set(Flows.all.map(\.name)).count == Flows.all.count)
        let flow = try #require(Flows.named("portal-person"))
        let first = RecordingBus()
        let second = RecordingBus()
        for bus in [first, second] {
            var random = SeededRandom(seed: 5)
            for _ in 0..<10 { try await flow.run(bus, &random, SmallCountry.population) }
        }
        #expect(first.bodies == second.bodies && Set(first.bodies).count > 5)
    }

    @Test func anAnswerThatContradictsIsAFault() async throws {
        let flow = try #require(Flows.named("service-centre-absence-certificate"))
        let bus = RecordingBus(replies: [
            "individuals.person-get.v1": #"{"iin":"990101500016"}"#,
            "real-estate.absence-certificate.v1": #"{"iin":"990101500026"}"#,
        ])
        var random = SeededRandom(seed: 5)
        await #expect(throws: FlowFault.self) { try await flow.run(bus, &random, SmallCountry.population) }
    }

    @Test func workInTheOwnRegisterNeedsOne() async throws {
        let flow = try #require(Flows.named("civil-deaths"))
        var random = SeededRandom(seed: 5)
        await #expect(throws: FlowFault.noRegister(flow: "civil-deaths")) {
            try await flow.run(RecordingBus(), &random, SmallCountry.population)
        }
    }
}

/// Replies as told, an empty object otherwise, and remembers what was asked.
final class RecordingBus: FlowBus, @unchecked Sendable {  // guarded by the lock
    private let lock = NSLock()
    private let replies: [String: String]
    private var asked: [String] = []

    init(replies: [String: String] = [:]) { self.replies = replies }

    var bodies: [String] { lock.withLock { asked } }

    func ask(_ service: String, _ body: [UInt8]) async throws -> [UInt8] {
        lock.withLock { asked.append(String(decoding: body, as: UTF8.self)) }
        return Array((replies[service] ?? "{}").utf8)
    }

    func publish(_ event: String, _ body: [UInt8]) async throws {}
}
