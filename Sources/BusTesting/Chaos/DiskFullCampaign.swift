import BusProtocol
import BusSystems

/// Takes all the room of the broker's disk, and gives it back: senders are told, reading goes on, and the broker goes on by itself.
package struct DiskFullCampaign: Campaign {
    package let name = "disk-full"
    package let fault = "the disk is full"
    package let injector = "all the room of a file system in memory taken, and given back"
    package let runs = (usual: 10, long: 50)

    /// Room for the journal: a base, and what is written until the broker runs out.
    private static let megabytes = (base: 64, aRun: 24)
    /// A body so large that the journal soon needs more room.
    private static let noteBytes = 8000

    package init() {}

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        guard let disk = SmallDisk(megabytes: Self.megabytes.base + order.runs * Self.megabytes.aRun) else {
            var result = begun
            result.notRun = SmallDisk.notRun
            return result
        }
        defer { disk.remove() }
        return try await OrderRun(folder: disk.data).run(begun) { mesh, _, load, result in
            var random = SeededRandom(seed: order.seed)
            for number in 1...max(order.runs, 1) {
                try await fill(disk, mesh, load)
                try? await Task.sleep(for: .milliseconds(.random(in: 0...1500, using: &random)))
                try disk.free()
                try await load.recover(from: .now, mesh)
                result.count("full")
                order.progress(number)
            }
        }
    }

    private func fill(_ disk: SmallDisk, _ mesh: Mesh, _ load: OrderLoad) async throws {
        let code = FaultCode.storageFull.number
        let before = await load.record.refusals(of: code)
        try disk.fill()
        load.pad(to: Self.noteBytes)
        let isTold = await eventually(within: .seconds(60)) { await load.record.refusals(of: code) > before }
        load.pad(to: 0)
        guard isTold else { throw CampaignEnd.broken("no sender is told that the disk is full") }
        guard mesh.broker.isRunning else {
            throw CampaignEnd.broken("the broker ended on a full disk:\n\(mesh.broker.logTail())")
        }
        guard try await mesh.admin.get("/v1/status")["broker"]["open_calls"].int != nil else {
            throw CampaignEnd.broken("a full disk keeps the broker from being read")
        }
    }
}
