import BusAgent
import BusTesting
import Foundation
import Testing

/// Nothing is staged: the states of the plan follow what really happens to a provider chosen by chance.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct PlanMeshTests {
    @Test("a random provider stops: exactly the integrations that depend on it change, and change back")
    func exactlyTheDependentOnesChange() async throws {
        let seed =
            ProcessInfo.processInfo.environment["KEREGE_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999)
        print("PlanMeshTests seed \(seed) (KEREGE_SEED=\(seed) repeats it)")
        var random = SplitMix(seed: seed)
        let systems = ["alpha", "bravo", "charlie", "delta"]
        var ways: [TestSpace.Way] = []
        for consumer in systems {
            for provider in systems where provider != consumer && random.next() % 3 != 0 {
                ways.append(
                    .init(
                        consumer: consumer, provider: provider, stage: random.next() % 4 == 0 ? "testing" : "approved"))
            }
        }
        for provider in systems where !ways.contains(where: { $0.provider == provider }) {
            ways.append(.init(consumer: provider == "alpha" ? "bravo" : "alpha", provider: provider))
        }
        let space = try TestSpace(systems: systems, ways: ways)
        defer { space.remove() }
        let mesh = try await Mesh.start(.init(root: space.root))
        let consumer = try await mesh.connect()
        let traffic = Task { await keepAsking(consumer, ways) }
        do {
            let victim = systems[Int(random.next() % UInt64(systems.count))]
            try await expectChange(mesh, ways, victim)
        } catch { Issue.record("\(error)") }
        traffic.cancel()
        await traffic.value
        await consumer.close()
        await mesh.stop()
    }

    private func expectChange(_ mesh: Mesh, _ ways: [TestSpace.Way], _ victim: String) async throws {
        let admin = mesh.admin
        let healthy = Dictionary(
            uniqueKeysWithValues: ways.map { ($0.id, $0.stage == "approved" ? "implemented" : "testing") })
        let broken = Dictionary(
            uniqueKeysWithValues: ways.map { ($0.id, $0.provider == victim ? "non-functional" : healthy[$0.id] ?? "") })
        try await expectStates(healthy, admin, "before")
        mesh.agent("\(victim)-1")?.kill()
        try await expectStates(broken, admin, "while \(victim) is down")
        try mesh.agent("\(victim)-1")?.start()
        try await expectStates(healthy, admin, "after \(victim) came back")
    }

    private func expectStates(_ wanted: [String: String], _ admin: MeshAdmin, _ when: String) async throws {
        var last: [String: String] = [:]
        let end = ContinuousClock().now + .seconds(60)
        repeat {
            last = (try? await admin.observedStates()) ?? [:]
            if last == wanted { return }
            try await Task.sleep(for: .milliseconds(100))
        } while ContinuousClock().now < end
        let differing = wanted.filter { last[$0.key] != $0.value }.map {
            "\($0.key): \(last[$0.key] ?? "-") not \($0.value)"
        }
        Issue.record("\(when): \(differing.sorted().joined(separator: ", "))")
    }

    /// Every integration is used ten times a second.
    private func keepAsking(_ agent: Agent, _ ways: [TestSpace.Way]) async {
        await withTaskGroup(of: Void.self) { group in
            for way in ways {
                group.addTask {
                    var token = 0
                    while !Task.isCancelled {
                        token += 1
                        _ = try? await agent.ask(
                            "\(way.provider).ping.v1", bytes(#"{"token":\#(token)}"#), as: way.consumer,
                            deadline: .seconds(1))
                        try? await Task.sleep(for: .milliseconds(100))
                    }
                }
            }
        }
    }
}

/// A small generator whose seed can be printed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
