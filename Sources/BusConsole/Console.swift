package import BusBroker
import Glibc
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The admin API of a broker, and the place of its page: HTTP on the loopback interface, with a token.
package struct Console: Service {
    package static let defaultPort = 7480

    package let host: String
    private let port: Int
    private let token: AdminToken
    private let answers: AdminAnswers
    private let logger: Logger
    private let bound = BoundPort()

    /// - Parameters:
    ///   - journalFolder: Where the broker's journal is, for traces.
    ///   - host: An address of the loopback interface; every other is refused.
    ///   - port: 0 takes a free one; see `boundPort`.
    ///   - dataFolder: Where the token is or will be.
    ///   - contractsFolder: Contracts that an applied space may name; nil leaves the names unchecked.
    /// - Throws: `ConsoleError`.
    package init(
        broker: Broker, journalFolder: String, host: String = "127.0.0.1", port: Int = Console.defaultPort,
        dataFolder: String, contractsFolder: String? = nil, logger: Logger
    ) throws(ConsoleError) {
        guard let address = LoopbackAddress(host) else {
            throw ConsoleError(
                "the admin API does not listen on \(host): it has no encryption, so other machines must not reach it",
                remedy: "use 127.0.0.1, and a tunnel such as ssh -L from other machines")
        }
        guard (0...65535).contains(port) else { throw ConsoleError("\(port) is no port", remedy: "use 0 to 65535") }
        self.host = address.host
        self.port = port
        token = try AdminToken.takeOrMake(in: dataFolder)
        answers = AdminAnswers(broker: broker, journalFolder: journalFolder, contractsFolder: contractsFolder)
        self.logger = logger
    }

    /// The port it listens on, as soon as it does; nil when it ended without.
    package var boundPort: Int? {
        get async { await bound.value() }
    }

    /// Serves until the task is cancelled or its service group shuts down.
    /// - Throws: `ConsoleError` when the port is taken.
    package func run() async throws {
        defer { bound.end() }
        let application = Application(
            router: AdminRoutes.router(answers, token),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: "kerege"),
            onServerRunning: { [bound] channel in bound.set(channel.localAddress?.port) }, logger: quiet(logger))
        do { try await serve(application) } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw ConsoleError(
                "\(host):\(port) is taken by another program", remedy: "stop it, or choose another port with --http")
        }
    }

    /// Requests under way have this long once the task is cancelled.
    private static let grace = Duration.seconds(5)

    /// Also a cancelled task shuts down in order, the listener first: where a server is cut off while it accepts a connection, NIO ends the
    /// whole process, as nobody closes the connection's writer.
    private func serve(_ application: some Service) async throws {
        var configuration = ServiceGroupConfiguration(services: [application], logger: quiet(logger))
        configuration.maximumGracefulShutdownDuration = Self.grace
        let group = ServiceGroup(configuration: configuration)
        let serving = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    /// The framework tells at `info` what the broker says itself.
    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        return quiet
    }
}

/// Tells those who wait where the server listens.
private final class BoundPort: Sendable {
    private struct State {
        var port: Int?
        var isKnown = false
        var waiting: [CheckedContinuation<Int?, Never>] = []
    }
    private let state = Mutex(State())

    func set(_ port: Int?) {
        let waiting = state.withLock { state in
            if !state.isKnown { state.port = port }
            state.isKnown = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: port) }
    }

    func end() { set(nil) }

    func value() async -> Int? {
        await withCheckedContinuation { continuation in
            let known: Int?? = state.withLock { state in
                if state.isKnown { return .some(state.port) }
                state.waiting.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
