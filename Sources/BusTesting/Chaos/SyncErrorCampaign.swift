import BusSystems
import Foundation

/// Lets the broker's sync fail: it confirms nothing more and stops, and the next one has everything that was confirmed.
package struct SyncErrorCampaign: Campaign {
    package let name = "sync-error"
    package let fault = "a sync fails"
    package let injector = "`fsync` and `fdatasync` answer EIO, by a library loaded before the C library"
    package let runs = (usual: 20, long: 100)

    package init() {}

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        guard let sync = FailingSync() else {
            var result = begun
            result.notRun = FailingSync.notRun
            return result
        }
        defer { sync.remove() }
        return try await OrderRun(environment: sync.environment).run(begun) { mesh, _, load, result in
            var random = SeededRandom(seed: order.seed)
            for number in 1...max(order.runs, 1) {
                try? await Task.sleep(for: .milliseconds(.random(in: 50...500, using: &random)))
                sync.begin()
                guard await mesh.broker.waitForExit(within: .seconds(20)) else {
                    throw CampaignEnd.broken("the broker goes on after a failed sync")
                }
                guard let code = mesh.broker.exitCode, code != 0, code < 128 else {
                    throw CampaignEnd.broken("the broker ended with \(mesh.broker.exitCode ?? -1) on a failed sync")
                }
                sync.end()
                result.count("failed sync")
                let begin = ContinuousClock.now
                try mesh.broker.start(environment: sync.environment)
                try await load.recover(from: begin, mesh)
                order.progress(number)
            }
        }
    }
}
