import ArgumentParser
import BusContracts
import Foundation

/// Measures one contract check alone, on one thread: what each of the four checks of a request costs.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Measure one contract check of a typical body.")

    @Option(help: "Bytes of the body.") var payload = 1024
    @Option(help: "Checks in a round; the best of seven rounds is printed.") var count = 50_000

    mutating func run() throws {
        let contract = try Contract.parse(Array(BenchSpace.contract.utf8))
        let body = BenchSpace.body(bytes: payload)
        guard contract.checkRequest(body).isEmpty else { throw ValidationError("the body violates its own contract") }
        var best = Double.infinity
        for _ in 0..<7 {
            let begin = Self.threadTime()
            var violations = 0
            for _ in 0..<count { violations += contract.checkRequest(body).count }
            guard violations == 0 else { throw ValidationError("a check changed its mind") }
            best = min(best, (Self.threadTime() - begin) / Double(count))
        }
        let perKiB = best * 1024 / Double(body.count)
        print(String(format: "%d bytes: %.0f ns a check, %.0f ns per KiB", body.count, best * 1e9, perKiB * 1e9))
    }

    /// Processor time of this thread, seconds: other programs on the machine do not count.
    private static func threadTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
