import BusProtocol
import BusSystems
import Foundation

/// Kills a real broker again and again, at every step of its journal and at random, while commands and events are under way.
package struct BrokerKillCampaign: Campaign {
    package let name = "broker-kill"
    package let fault = "the broker dies"
    package let injector = "`kill -9` at every step of the journal and at random"
    package let runs = (usual: 300, long: 2000)

    package init() {}

    /// Kills of one broker: its start reads everything since the first record, and that is not what is to be waited for.
    private static let killsOfABroker = 50

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        var result = begun
        var random = SeededRandom(seed: order.seed)
        while result.runs < order.runs, result.isClean {
            let last = min(result.runs + Self.killsOfABroker, order.runs)
            result = try await OrderRun().run(result) { mesh, _, load, result in
                await kill(mesh, after: .milliseconds(.random(in: 50...300, using: &random)))
                result.count("at random")
                while result.runs < last {
                    try await killOnce(result.runs, mesh, load, &random, &result)
                    order.progress(result.runs)
                }
                let begin = ContinuousClock.now
                try mesh.broker.start()
                try await load.recover(from: begin, mesh)
            }
        }
        return result
    }

    private func killOnce(
        _ number: Int, _ mesh: Mesh, _ load: OrderLoad, _ random: inout SeededRandom, _ result: inout CampaignResult
    ) async throws {
        let isRandom = Int.random(in: 0..<3, using: &random) == 0 || !Failpoint.areCompiledIn
        let point = Failpoint.ofJournal[number % Failpoint.ofJournal.count]
        let passage = Int.random(in: 1...passages(point), using: &random)
        let begin = ContinuousClock.now
        try mesh.broker.start(environment: isRandom ? [:] : [Failpoint.variable: "\(point.rawValue):\(passage)"])
        try await load.recover(from: begin, mesh)
        var kind = "at random"
        if isRandom {
            await kill(mesh, after: .milliseconds(.random(in: 0...250, using: &random)))
        } else if await mesh.broker.waitForExit(within: .seconds(6)) {
            kind = point.rawValue
        } else {
            // A step that is never reached (nothing to checkpoint yet) dies at random.
            await kill(mesh, after: .zero)
        }
        guard mesh.broker.exitCode == 128 + SIGKILL else {
            throw CampaignEnd.broken("the broker ended by itself:\n\(mesh.broker.logTail())")
        }
        result.count(kind)
    }

    /// Checkpoints and views are rare.
    private func passages(_ point: Failpoint) -> Int {
        switch point {
        case .beforeCheckpoint, .afterCheckpoint, .beforeView, .afterView: 1
        default: 60
        }
    }

    private func kill(_ mesh: Mesh, after time: Duration) async {
        try? await Task.sleep(for: time)
        mesh.broker.kill()
        await mesh.broker.waitForExit(within: .seconds(10))
    }
}
