import ArgumentParser
import BusAgent
import Foundation
import Histogram
import Synchronization

/// Measures whether one subscriber that never settles costs the others their latency, or the broker its memory.
struct SlowSubscriber: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slow-subscriber",
        abstract: "Measure what a subscriber that never settles costs the others, and the broker.",
        discussion: """
            Publishes --events twice at --rate: first with all subscribers settling at once, then with one of them settling
            nothing, so that its backlog grows to --events. Prints the latency of the other subscribers (from the call of
            publish to the handler) and the broker's memory when a tenth and when all had been published.
            """)

    @Option(help: "Subscribers, with the slow one.") var subscribers = 4
    @Option(help: "Events of each of the two parts.") var events = 100_000
    @Option(help: "Events a second.") var rate = 1_500
    @Option(help: "Bytes of a body.") var payload = 1024

    mutating func validate() throws {
        guard (2...32).contains(subscribers) else { throw ValidationError("--subscribers is 2 to 32") }
        guard events >= 1000, rate >= 1 else { throw ValidationError("--events is 1000 or more, --rate 1 or more") }
        guard (16...65_000).contains(payload) else { throw ValidationError("--payload is 16 to 65000 bytes") }
    }

    mutating func run() async throws {
        let bench = try BenchFolder(existing: nil, subscribers: subscribers)
        defer { bench.remove() }
        let broker = try await bench.startBroker(at: nil)
        defer { broker.stop() }
        let gate = SettleGate()
        let watch = DeliveryWatch()
        var agents: [Agent] = []
        for number in 0..<subscribers {
            let name = BenchSpace.subscriber(number)
            agents.append(
                try await BenchFolder.connect(
                    name, broker: broker.address, folder: bench.path, opaque: true, systems: [name]
                ) { agent in
                    let isSlow = number == 0
                    agent.subscribeDeferred(BenchSpace.event) { event, settler in
                        if isSlow { return gate.take(settler) }
                        watch.note(event.body)
                        settler.settle(.success(()))
                    }
                })
        }
        let publisher = try await BenchFolder.connect(
            "bench-responder", broker: broker.address, folder: bench.path, opaque: true, systems: [BenchSpace.provider])
        // Not measured: connections, first pages.
        _ = try await publish(publisher, rate * 2, watch, broker)
        let quick = try await publish(publisher, events, watch, broker)
        gate.close()
        let slow = try await publish(publisher, events, watch, broker)
        print(text(quick, slow, held: gate.held))
        for agent in agents + [publisher] { await agent.close() }
    }

    struct Part {
        var p50 = 0.0
        var p99 = 0.0
        var seconds = 0.0
        var pssAtTenth = 0.0
        var pssAtEnd = 0.0
    }

    /// Several loops share the schedule, so that a slow commit delays the events behind it no longer than itself.
    private static let loops = 64

    private func publish(
        _ publisher: Agent, _ count: Int, _ watch: DeliveryWatch, _ broker: RunningBroker
    ) async throws -> Part {
        watch.begin()
        let begin = Meter.now()
        try await publish(publisher, 0..<count / 10, since: begin)
        var part = Part()
        part.pssAtTenth = broker.cost().pssMegabytes
        try await publish(publisher, count / 10..<count, since: begin)
        try await watch.wait(for: count * (subscribers - 1))
        (part.p50, part.p99) = watch.percentiles
        part.seconds = Double(Meter.now() - begin) / 1e9
        part.pssAtEnd = broker.cost().pssMegabytes
        return part
    }

    /// Each event at its time; a loop that is late does not wait.
    private func publish(_ publisher: Agent, _ numbers: Range<Int>, since begin: Int64) async throws {
        let (rate, payload) = (Int64(rate), payload)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in numbers.prefix(Self.loops) {
                group.addTask {
                    for number in stride(from: first, to: numbers.upperBound, by: Self.loops) {
                        let early = begin + Int64(number) * 1_000_000_000 / rate - Meter.now()
                        if early > 0 { try await Task.sleep(for: .nanoseconds(early)) }
                        _ = try await publisher.publish(
                            BenchSpace.event, DeliveryWatch.body(payload), deadline: .seconds(30))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func text(_ quick: Part, _ slow: Part, held: Int) -> String {
        func line(_ name: String, _ part: Part) -> String {
            let growth = (part.pssAtEnd - part.pssAtTenth) * 1_000_000 / Double(events - events / 10)
            return String(
                format:
                    "  %@  p50 %7.2f ms   p99 %7.2f ms   %6.0f events/s   broker %5.1f MB, then %5.1f MB (PSS): %.0f bytes an event",
                name, part.p50 / 1e6, part.p99 / 1e6, Double(events) / part.seconds, part.pssAtTenth, part.pssAtEnd,
                growth)
        }
        return """
            \(subscribers) subscribers, \(events) events of \(payload) bytes at \(rate) a second, durable, CURVE
            \(line("all settle      ", quick))
            \(line("one never settles", slow))
              p99 of the others \(String(format: "%.2f", slow.p99 / quick.p99)) times; the slow one holds \(held), \(events - held) wait in the broker
            """
    }
}

/// The subscriber that settles until it is told to stop.
private final class SettleGate: Sendable {
    private let state = Mutex<(isClosed: Bool, held: [Settler])>((false, []))

    func close() { state.withLock { $0.isClosed = true } }
    var held: Int { state.withLock { $0.held.count } }

    func take(_ settler: Settler) {
        let isHeld = state.withLock { state in
            if state.isClosed { state.held.append(settler) }
            return state.isClosed
        }
        if !isHeld { settler.settle(.success(())) }
    }
}

/// When events were published, read from their bodies, against when they came.
private final class DeliveryWatch: Sendable {
    private let state = Mutex((count: 0, histogram: DeliveryWatch.histogram()))

    // 1 ns to 60 s at three digits.
    private static func histogram() -> Histogram<UInt64> {
        Histogram(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    }

    static func body(_ size: Int) -> [UInt8] {
        withUnsafeBytes(of: Meter.now().littleEndian) { Array($0) } + [UInt8](repeating: 0x61, count: size - 8)
    }

    func begin() { state.withLock { $0 = (0, Self.histogram()) } }

    func note(_ body: [UInt8]) {
        let began = body.prefix(8).reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        let passed = UInt64(max(1, Meter.now() - began))
        state.withLock { state in
            state.count += 1
            state.histogram.record(passed)
        }
    }

    func wait(for count: Int) async throws {
        while state.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Nanoseconds.
    var percentiles: (p50: Double, p99: Double) {
        state.withLock { state in
            (Double(state.histogram.valueAtPercentile(50)), Double(state.histogram.valueAtPercentile(99)))
        }
    }
}
