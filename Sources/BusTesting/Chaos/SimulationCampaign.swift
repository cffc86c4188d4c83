/// Many histories in virtual time, each with faults of its own (docs/SIMULATION.md).
package struct SimulationCampaign: Campaign {
    package let name = "simulation"
    package let fault = "all of these at once, and worse clocks, in virtual time"
    package let injector = "the seeded simulator, one history a seed"
    package let runs = (usual: 20_000, long: 100_000)

    /// Seeds between two words of progress.
    private static let stretch = 500

    package init() {}

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        var result = begun
        var (steps, messages, done) = (0, 0, 0)
        while done < order.runs {
            let count = min(Self.stretch, order.runs - done)
            let total = SeedRun.run(from: order.seed &+ UInt64(done), count: count)
            result.count("seeds", total.seeds)
            steps += total.steps
            messages += total.messages
            result.breakPromise(
                total.failures.map { "seed \($0.seed), step \($0.steps): \($0.violation ?? "")" })
            done += count
            order.progress(done)
        }
        result.load = "\(CampaignTable.grouped(messages)) durable messages, \(CampaignTable.grouped(steps)) steps"
        return result
    }
}
