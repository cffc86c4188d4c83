import ArgumentParser
import BusAgent
import Foundation
import Histogram
import Synchronization

/// What a requester measured. Latencies in microseconds.
struct RequestResult: Codable {
    var requests: Int
    /// With the warm-up.
    var all: Int
    var failures: Int
    var seconds: Double
    var p50: Double
    var p99: Double
    var p999: Double
    var max: Double
    var cpuSeconds: Double
}

/// The requester's process: as many loops of asks as the window is wide, on the agent's own thread.
struct Request: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "request", shouldDisplay: false)

    @Option var broker: String
    @Option var folder: String
    @Option var window: Int
    @Option var payload: Int
    @Option var seconds: Double
    @Flag var opaque = false

    /// Not measured: connections, first pages, the branch predictor.
    static let warmUp: Int64 = 1_000_000_000

    mutating func run() async throws {
        let agent = try await BenchFolder.connect(
            "bench-requester", broker: broker, folder: folder, opaque: opaque, systems: [BenchSpace.consumer])
        let body = opaque ? [UInt8](repeating: 0x61, count: payload) : BenchSpace.body(bytes: payload)
        let meter = Meter(start: Meter.now() + Self.warmUp, length: Int64(seconds * 1e9))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<window {
                group.addTask(executorPreference: agent.executor) {
                    // The end of one request is the begin of the next: one look at the clock a turn.
                    var begin = Meter.now()
                    while meter.isOpen(at: begin) {
                        do {
                            _ = try await agent.ask(BenchSpace.service, body, deadline: .seconds(30))
                            let end = Meter.now()
                            meter.note(begin, end)
                            begin = end
                        } catch {
                            meter.noteFailure("\(error)")
                            if meter.failures > 10_000 { return }
                            begin = Meter.now()
                        }
                    }
                }
            }
        }
        let result = meter.result
        await agent.close()
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }
}

/// Counts what ended within the measured time.
final class Meter: Sendable {
    private struct State {
        // 1 ns to 60 s at three digits.
        var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
        var requests = 0
        var all = 0
        var failures = 0
        var last: Int64 = 0
        var cpuAtStart: Double?
        var cpuAtEnd = 0.0
        var firstFailure: String?
    }
    private let start: Int64
    private let end: Int64
    private let state = Mutex(State())

    init(start: Int64, length: Int64) {
        self.start = start
        end = start + length
    }

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    func isOpen(at time: Int64) -> Bool { time < end }
    var failures: Int { state.withLock { $0.failures } }

    func note(_ begin: Int64, _ finish: Int64) {
        state.withLock { state in
            state.all += 1
            guard finish >= start, finish <= end else { return }
            if state.cpuAtStart == nil { state.cpuAtStart = ProcessCost.own().cpuSeconds }
            state.requests += 1
            state.last = finish
            state.histogram.record(UInt64(max(1, finish - begin)))
        }
    }

    func noteFailure(_ why: String) {
        state.withLock { state in
            state.failures += 1
            if state.firstFailure == nil {
                state.firstFailure = why
                FileHandle.standardError.write(Data("first failure: \(why)\n".utf8))
            }
        }
    }

    var result: RequestResult {
        state.withLock { state in
            func percentile(_ value: Double) -> Double { Double(state.histogram.valueAtPercentile(value)) / 1000 }
            return RequestResult(
                requests: state.requests, all: state.all, failures: state.failures,
                seconds: Double(Swift.max(1, state.last - start)) / 1e9, p50: percentile(50), p99: percentile(99),
                p999: percentile(99.9), max: Double(state.histogram.max) / 1000,
                cpuSeconds: ProcessCost.own().cpuSeconds - (state.cpuAtStart ?? 0))
        }
    }
}
