import Foundation
import Testing

/// What a reader made of one input.
struct Verdict {
    /// The input was more than a wrong magic number or a syntax error.
    var isPastHead: Bool
    /// Codes and kinds of effect: how many different ones were seen is a measure of what was reached.
    var outcomes: [String]
}

/// A promise that was broken.
struct Broken: Error { var what: String }

/// Something that reads what others wrote.
struct FuzzTarget: Sendable {
    var name: String
    /// Inputs in a short run.
    var fewInputs: Int
    var grow: @Sendable (inout SplitMix) -> [UInt8]
    /// Throws `Broken` when a promise does not hold.
    var judge: @Sendable ([UInt8]) throws -> Verdict

    /// Runs `KEREGE_FUZZ` inputs, or a few. `KEREGE_FUZZ_SEED` and `KEREGE_FUZZ_AT` run one of them again.
    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["KEREGE_FUZZ_SEED"].flatMap { UInt64($0) } ?? .random(in: .min ... .max)
        let count = environment["KEREGE_FUZZ"].flatMap { Int($0) } ?? fewInputs
        let only = environment["KEREGE_FUZZ_AT"].flatMap { Int($0) }
        let range = only.map { $0..<$0 + 1 } ?? 0..<count
        print("fuzz \(name): KEREGE_FUZZ_SEED=\(seed)")
        // A thread of its own: readers block, and servers inside this process need the pool that a task would block.
        let tally = await withCheckedContinuation { (continuation: CheckedContinuation<Tally, Never>) in
            let thread = Thread { continuation.resume(returning: work(seed, range)) }
            thread.stackSize = 8 << 20
            thread.start()
        }
        print("fuzz \(name): \(tally.summary)")
        for broken in tally.broken { Issue.record("\(broken)") }
        if only == nil {
            #expect(tally.pastHead * 2 >= tally.inputs, "fewer than half of the inputs got past the head")
            #expect(tally.outcomes.count > 1)
        }
    }

    private func work(_ seed: UInt64, _ range: Range<Int>) -> Tally {
        var tally = Tally()
        let watch = Watch(name, seed)
        let start = ContinuousClock.now
        for index in range where tally.broken.count < 10 {
            var random = SplitMix(seed: seed, index: index)
            let input = grow(&random)
            watch.begin(index)
            do {
                tally.add(try judge(input))
            } catch {
                tally.broken.append(
                    "fuzz \(name): KEREGE_FUZZ_SEED=\(seed) KEREGE_FUZZ_AT=\(index): \(error): "
                        + input.prefix(4096).map { String(format: "%02x", $0) }.joined())
            }
        }
        watch.end()
        tally.duration = ContinuousClock.now - start
        return tally
    }
}

/// What a run saw.
struct Tally: Sendable {
    var inputs = 0
    var pastHead = 0
    var outcomes: [String: Int] = [:]
    var broken: [String] = []
    var duration = Duration.zero

    mutating func add(_ verdict: Verdict) {
        inputs += 1
        if verdict.isPastHead { pastHead += 1 }
        for outcome in verdict.outcomes { outcomes[outcome, default: 0] += 1 }
    }

    var summary: String {
        let rate = Int(Double(inputs) / max(duration / .seconds(1), 0.000_001))
        let share = inputs > 0 ? 100 * pastHead / inputs : 0
        let most = outcomes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(80)
        return "\(inputs) inputs, \(share) % past the head, \(outcomes.count) distinct outcomes, \(rate)/s: "
            + most.map { "\($0.key) ×\($0.value)" }.joined(separator: ", ")
    }
}

/// Remembers in a file which input is being read, for a crash takes the process with it; and ends a process that hangs.
final class Watch: @unchecked Sendable {
    /// Readers bound their work to far less.
    static let deadline = Duration.seconds(20)

    private let lock = NSLock()
    private var since: ContinuousClock.Instant?
    private var index = 0
    private let name: String
    private let seed: UInt64
    private let path: String
    private let descriptor: Int32
    private let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "fuzz.watch"))

    init(_ name: String, _ seed: UInt64) {
        self.name = name
        self.seed = seed
        path = NSTemporaryDirectory() + "/kerege-fuzz-\(name)-\(getpid()).at"
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        timer.schedule(deadline: .now() + 1, repeating: 1)
        timer.setEventHandler { [self] in look() }
        timer.activate()
        print("fuzz \(name): a crash leaves the input in \(path)")
    }

    func begin(_ index: Int) {
        lock.withLock {
            self.index = index
            since = .now
        }
        let text = Array("KEREGE_FUZZ_SEED=\(seed) KEREGE_FUZZ_AT=\(index)\n".utf8)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    func end() {
        timer.cancel()
        close(descriptor)
        unlink(path)
    }

    private func look() {
        let (index, since) = lock.withLock { (self.index, self.since) }
        guard let since, ContinuousClock.now - since > Self.deadline else { return }
        fatalError("fuzz \(name) hangs: KEREGE_FUZZ_SEED=\(seed) KEREGE_FUZZ_AT=\(index)")
    }
}

extension FuzzTarget {
    /// The project's folder, found from this file's own place.
    static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func files(_ folder: String, _ ending: String) throws -> [[UInt8]] {
        let place = project.appendingPathComponent(folder)
        return try FileManager.default.contentsOfDirectory(atPath: place.path).sorted().filter { $0.hasSuffix(ending) }
            .map { [UInt8](try Data(contentsOf: place.appendingPathComponent($0))) }
    }
}
