import Foundation
import Glibc

/// A daemon started by a mesh, with the faults that can befall one.
///
/// Its standard input is a pipe held by this process: daemons started with `--stop-with-parent` end when it closes, so nothing
/// stays behind even when the parent is killed.
public final class ChildProcess: Sendable {
    public let name: String
    public let executable: String
    public let arguments: [String]
    /// Both output streams, appended.
    public let log: String

    private struct State {
        var process: Process?
        var input: Pipe?
        var starts = 0
    }
    // `Process` is not Sendable; it is only touched under the lock.
    private let state: Lock<State>

    public init(name: String, executable: String, arguments: [String], log: String) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.log = log
        state = Lock(State())
    }

    /// The same daemon started in another way: through another program, or with other arguments.
    public func moved(executable: String? = nil, arguments: [String]) -> ChildProcess {
        ChildProcess(name: name, executable: executable ?? self.executable, arguments: arguments, log: log)
    }

    /// Starts it, again after it has ended.
    /// - Parameter environment: added to this process's own, for this run.
    public func start(environment: [String: String] = [:]) throws {
        try state.withLock { state in
            if state.process?.isRunning == true { return }
            if !FileManager.default.fileExists(atPath: log) {
                _ = FileManager.default.createFile(atPath: log, contents: nil)
            }
            let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
            try output.seekToEnd()
            let process = Process()
            process.executableURL = URL(fileURLWithPath: executable)
            process.arguments = arguments
            if !environment.isEmpty {
                process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            }
            let input = Pipe()
            process.standardInput = input
            process.standardOutput = output
            process.standardError = output
            try process.run()
            try? output.close()
            state.process = process
            state.input = input
            state.starts += 1
        }
    }

    public var isRunning: Bool { state.withLock { $0.process?.isRunning ?? false } }
    public var processID: Int32? { state.withLock { $0.process.flatMap { $0.isRunning ? $0.processIdentifier : nil } } }
    /// Exit code of the last run, or 128 + signal; `nil` while it runs.
    public var exitCode: Int32? {
        state.withLock { state in
            guard let process = state.process, !process.isRunning else { return nil }
            return process.terminationReason == .uncaughtSignal
                ? 128 + process.terminationStatus : process.terminationStatus
        }
    }

    /// SIGKILL: as a crash or a lost power supply.
    public func kill() { send(SIGKILL) }
    /// SIGSTOP: alive, and silent.
    public func pause() { send(SIGSTOP) }
    public func resume() { send(SIGCONT) }
    /// SIGTERM: drain and stop.
    public func terminate() { send(SIGTERM) }

    /// Waits until it has ended.
    /// - Returns: whether it did within the time.
    @discardableResult
    public func waitForExit(within limit: Duration) async -> Bool {
        await eventually(within: limit) { !self.isRunning }
    }

    /// Terminates, and kills what has not ended in time.
    public func stop(within limit: Duration = .seconds(15)) async {
        resume()
        terminate()
        if await waitForExit(within: limit) { return }
        kill()
        await waitForExit(within: .seconds(5))
    }

    /// The end of what it wrote, for error messages.
    public func logTail(lines: Int = 20) -> String {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return "" }
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    private func send(_ signal: Int32) {
        guard let processID else { return }
        _ = Glibc.kill(processID, signal)
    }
}

/// A value that is only touched under a lock. Unlike `Mutex` it may hold values that are not Sendable, because they never
/// leave `withLock`.
// @unchecked: the lock is the justification.
final class Lock<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value
    init(_ value: Value) { self.value = value }
    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}

/// Waits until a condition holds, asking every few milliseconds: tests wait for a state, never for a time.
/// - Returns: whether it held before the limit.
public func eventually(
    within limit: Duration, every step: Duration = .milliseconds(20), _ condition: @Sendable () async throws -> Bool
) async rethrows -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while true {
        if try await condition() { return true }
        if clock.now >= end { return false }
        do { try await clock.sleep(for: step) } catch { return try await condition() }
    }
}
