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

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        try await OrderRun().run(begun) { mesh, _, load, result in
            var random = SeededRandom(seed: order.seed)
            await kill(mesh, after: .milliseconds(.random(in: 50...300, using: &random)))
            result.count("at random")
            for number in 1..<max(order.runs, 2) {
                try await killOnce(number, mesh, load, &random, &result)
                order.progress(number + 1)
            }
            let begin = ContinuousClock.now
            try mesh.broker.start()
            try await load.recover(from: begin, mesh)
        }
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
