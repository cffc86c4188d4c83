import Dispatch
import Synchronization

/// Many seeds at once, on as many threads as there are cores: no two of them share anything.
package enum SeedRun {
    package struct Total: Sendable {
        package var seeds = 0
        package var steps = 0
        package var messages = 0
        /// By seed.
        package var failures: [SimulationReport] = []
    }

    package static func run(from first: UInt64, count: Int) -> Total {
        let total = Mutex(Total())
        DispatchQueue.concurrentPerform(iterations: count) { index in
            let report = report(first &+ UInt64(index))
            total.withLock { total in
                total.seeds += 1
                total.steps += report.steps
                total.messages += report.messages
                if report.violation != nil { total.failures.append(report) }
            }
        }
        var result = total.withLock { $0 }
        result.failures.sort { $0.seed < $1.seed }
        return result
    }

    private static func report(_ seed: UInt64) -> SimulationReport {
        do { return try Simulation(seed: seed).run() } catch {
            return SimulationReport(
                seed: seed, steps: 0, virtualTime: 0, messages: 0, hash: 0, violation: "cannot begin: \(error)",
                lines: [])
        }
    }

    /// One seed after the other until one breaks a promise.
    package static func firstFailure(from first: UInt64, count: Int) throws -> SimulationReport? {
        for index in 0..<count {
            let report = try Simulation(seed: first &+ UInt64(index)).run()
            if report.violation != nil { return report }
        }
        return nil
    }
}
