import BusProtocol
import BusSystems
import Foundation

/// Kills agents at every step of outbox and inbox and at random, the broker now and then with them; effects are counted in the
/// registers' own databases.
package struct AgentKillCampaign: Campaign {
    package let name = "agent-kill"
    package let fault = "an agent dies"
    package let injector =
        "`kill -9` at every step of outbox and inbox and at random, a quarter together with the broker"
    package let runs = (usual: 120, long: 600)

    package init() {}

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        try await RegisterRun().run(begun) { parties, watch, result in
            var random = SeededRandom(seed: order.seed)
            var turn = 0
            while result.runs < order.runs {
                // The sender, one provider, both of them.
                let group = [[parties.sender], Array(parties.providers.prefix(1)), parties.providers][turn % 3]
                let points = turn % 3 == 0 ? Failpoint.ofSender : Failpoint.ofProvider
                try await killAtRandom(group, parties.broker, &random, &result)
                if Failpoint.areCompiledIn {
                    try await kill(group, at: points[turn / 3 % points.count], &random, &result)
                }
                for process in group { try process.start() }
                try await watch.recover(counts: turn % 3 != 1)
                turn += 1
                order.progress(result.runs)
            }
        }
    }

    private func killAtRandom(
        _ group: [ChildProcess], _ broker: ChildProcess, _ random: inout SeededRandom, _ result: inout CampaignResult
    ) async throws {
        try? await Task.sleep(for: .milliseconds(.random(in: 0...400, using: &random)))
        let takesBroker = Int.random(in: 0..<4, using: &random) == 0
        for process in group + (takesBroker ? [broker] : []) { process.kill() }
        for process in group {
            try await expectKilled(process, within: .seconds(10))
            result.count(takesBroker ? "at random, with the broker" : "at random")
        }
        guard takesBroker else { return }
        try await expectKilled(broker, within: .seconds(10))
        try broker.start()
    }

    private func kill(
        _ group: [ChildProcess], at point: Failpoint, _ random: inout SeededRandom, _ result: inout CampaignResult
    ) async throws {
        for process in group {
            let passage = Int.random(in: 1...20, using: &random)
            try process.start(environment: [Failpoint.variable: "\(point.rawValue):\(passage)"])
        }
        for process in group {
            // A step that is not reached dies at random.
            let isReached = await process.waitForExit(within: .seconds(8))
            if !isReached { process.kill() }
            try await expectKilled(process, within: .seconds(10))
            result.count(isReached ? point.rawValue : "at random")
        }
    }

    private func expectKilled(_ process: ChildProcess, within limit: Duration) async throws {
        await process.waitForExit(within: limit)
        guard process.exitCode == 128 + SIGKILL else {
            throw CampaignEnd.broken("\(process.name) ended by itself, or not at all:\n\(process.logTail())")
        }
    }
}
