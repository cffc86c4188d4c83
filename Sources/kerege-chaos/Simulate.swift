import ArgumentParser
import BusTesting
import Foundation

/// Many seeds one after the other, or one of them with everything that happens.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run seeds until a promise is broken.")

    @Option(help: "How many seeds to run.") var seeds = 1000
    @Option(help: "The first of them; without it one is drawn.") var from: UInt64?
    @Option(help: "Run only this one.") var seed: UInt64?
    @Flag(help: "With --seed: print every step.") var trace = false

    func run() throws {
        if let seed { return try replay(seed) }
        let first = from ?? .random(in: 0...UInt64(Int64.max))
        print("seeds \(first) to \(first + UInt64(seeds - 1))")
        let start = ContinuousClock.now
        let total = SeedRun.run(from: first, count: seeds)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print(
            "\(total.seeds) seeds, \(total.steps) steps, \(total.messages) durable messages in "
                + String(format: "%.1f s: %.0f steps/s", seconds, Double(total.steps) / seconds))
        for report in total.failures.prefix(20) { print(Self.words(report)) }
        guard total.failures.isEmpty else {
            print("\(total.failures.count) seeds broke a promise")
            throw ExitCode.failure
        }
    }

    private func replay(_ seed: UInt64) throws {
        let report = try Simulation(seed: seed, tracing: trace).run()
        for line in report.lines { print(line) }
        print("seed \(seed): \(report.steps) steps, trace \(String(report.hash, radix: 16))")
        guard report.violation != nil else { return }
        print(Self.words(report))
        throw ExitCode.failure
    }

    private static func words(_ report: SimulationReport) -> String {
        "seed \(report.seed), step \(report.steps): \(report.violation ?? "")"
    }
}
