import BusAgent
import BusTesting
import Foundation
import Testing

/// Many agents at once: a broker that comes back is met by all of them in the same moment.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ReconnectMeshTests {
    @Test("agents that all lose their broker at once all come back, and each is served")
    func storm() async throws {
        let count = ProcessInfo.processInfo.environment["KEREGE_AGENTS"].flatMap(Int.init) ?? 60
        let space = try OrderSpace(extraAgents: count)
        defer { space.remove() }
        let mesh = try Mesh(.init(root: space.root, agents: []))
        try mesh.broker.start()
        try await mesh.waitUntilHealthy(within: .seconds(60))
        let bravo = try await space.connect(mesh, "bravo-1", "bravo") { agent in
            agent.perform(OrderSpace.order) { _ in .completed(Array(#"{"count":1}"#.utf8)) }
        }
        var agents: [Agent] = []
        for number in 0..<count {
            agents.append(try await space.connect(mesh, OrderSpace.extra(number), "alpha"))
        }
        mesh.broker.kill()
        #expect(await mesh.broker.waitForExit(within: .seconds(10)))
        let begin = ContinuousClock.now
        try mesh.broker.start()
        let served = await withTaskGroup(of: Bool.self) { group in
            for (number, agent) in agents.enumerated() {
                group.addTask {
                    let end = ContinuousClock.now + .seconds(60)
                    guard let message = try? agent.prepareCommand(OrderSpace.order, OrderSpace.body(1, key: number))
                    else { return false }
                    while ContinuousClock.now < end {
                        if (try? await agent.submit(message, within: .seconds(5))) != nil { return true }
                    }
                    return false
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        print("\(count) agents came back and were served within \(begin.duration(to: .now))")
        #expect(served == count)
        for agent in agents + [bravo] { await agent.close() }
        await mesh.stop()
    }
}
