import BusTesting
import Testing

@Suite struct SimulationTests {
    private static let seeds = 300

    /// Other seeds each time; the first is printed, and `kerege-chaos simulate --seed` replays any.
    @Test func nothingPromisedIsBroken() {
        let first = UInt64.random(in: 0...UInt64(UInt32.max))
        print("seeds \(first) to \(first + UInt64(Self.seeds) - 1)")
        let total = SeedRun.run(from: first, count: Self.seeds)
        for report in total.failures {
            Issue.record("seed \(report.seed), step \(report.steps): \(report.violation ?? "")")
        }
        #expect(total.steps > Self.seeds * 500, "the histories are too short to say anything: \(total.steps) steps")
        #expect(total.messages > Self.seeds * 10)
    }

    /// What found a mistake once is looked at for ever.
    @Test(arguments: [28, 97, 175, 361, 693, 713] as [UInt64])
    func whatWasBrokenStaysMended(seed: UInt64) throws {
        let report = try Simulation(seed: seed).run()
        #expect(report.violation == nil, "seed \(seed), step \(report.steps)")
    }

    @Test func aSeedIsOneHistory() throws {
        let seed = UInt64.random(in: 0...UInt64(UInt32.max))
        print("seed \(seed)")
        let first = try Simulation(seed: seed).run()
        let second = try Simulation(seed: seed, tracing: true).run()
        #expect(first.hash == second.hash)
        #expect(first.steps == second.steps)
        #expect(!second.lines.isEmpty)
        #expect(try Simulation(seed: seed &+ 1).run().hash != first.hash)
    }
}
