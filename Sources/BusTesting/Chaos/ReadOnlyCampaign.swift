import BusSystems
import Foundation

/// Starts the broker on a disk that became read-only, after it was stopped or killed: a clear refusal, and nothing changed.
package struct ReadOnlyCampaign: Campaign {
    package let name = "read-only"
    package let fault = "the disk is read-only"
    package let injector = "a file system remounted `ro` under a stopped or killed broker"
    package let runs = (usual: 10, long: 50)

    /// A start that cannot succeed ends with this.
    private static let refusedStart: Int32 = 2

    package init() {}

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        guard let disk = SmallDisk(megabytes: 256) else {
            var result = begun
            result.notRun = SmallDisk.notRun
            return result
        }
        defer { disk.remove() }
        return try await OrderRun(folder: disk.data).run(begun) { mesh, _, load, result in
            var random = SeededRandom(seed: order.seed)
            for number in 1...max(order.runs, 1) {
                try? await Task.sleep(for: .milliseconds(.random(in: 50...500, using: &random)))
                let isKilled = number % 2 == 0
                if isKilled { mesh.broker.kill() } else { await mesh.broker.stop() }
                await mesh.broker.waitForExit(within: .seconds(10))
                try disk.remount("ro")
                try await expectRefusedStart(mesh)
                try disk.remount("rw")
                result.count(isKilled ? "after a kill" : "after a stop")
                let begin = ContinuousClock.now
                try mesh.broker.start()
                try await load.recover(from: begin, mesh)
                order.progress(number)
            }
        }
    }

    private func expectRefusedStart(_ mesh: Mesh) async throws {
        try mesh.broker.start()
        guard await mesh.broker.waitForExit(within: .seconds(20)) else {
            throw CampaignEnd.broken("the broker runs on a read-only folder")
        }
        guard mesh.broker.exitCode == Self.refusedStart else {
            throw CampaignEnd.broken(
                "exit code \(mesh.broker.exitCode ?? -1) on a read-only folder:\n\(mesh.broker.logTail())")
        }
    }
}
