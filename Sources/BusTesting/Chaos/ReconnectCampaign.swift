import BusAgent
import BusSystems

/// Many agents lose their broker in the same moment, and meet the next one together.
package struct ReconnectCampaign: Campaign {
    package let name = "reconnect"
    package var fault: String { "\(agents) agents come back at once" }
    package let injector = "`kill -9` of the broker, all agents with a command in hand"
    package let runs = (usual: 3, long: 20)

    private let agents: Int
    private static let limit: Duration = .seconds(60)

    package init(agents: Int = 500) { self.agents = agents }

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        try await OrderRun(extraAgents: agents, sends: false).run(begun) { mesh, space, load, result in
            var crowd: [Agent] = []
            for number in 0..<agents {
                crowd.append(try await space.connect(mesh, OrderSpace.extra(number), "alpha"))
            }
            for number in 1...max(order.runs, 1) {
                mesh.broker.kill()
                await mesh.broker.waitForExit(within: .seconds(10))
                try mesh.broker.start()
                let left = await send(number, crowd, load)
                result.count("restart")
                result.stick((0..<left).map { _ in "an agent was not served within \(Self.limit)" })
                order.progress(number)
            }
            for agent in crowd { await agent.close() }
        }
    }

    /// One command of each agent.
    /// - Returns: how many were not accepted.
    private func send(_ round: Int, _ crowd: [Agent], _ load: OrderLoad) async -> Int {
        let begin = ContinuousClock.now
        return await withTaskGroup(of: Bool.self) { group in
            for (number, agent) in crowd.enumerated() {
                group.addTask {
                    let message = CampaignRecord.Message(key: number, count: round)
                    guard await load.send(message, from: agent, until: begin + Self.limit) else { return false }
                    await load.record.recovered(after: begin.duration(to: .now))
                    return true
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 0 : 1) }
        }
    }
}
