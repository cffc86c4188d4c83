import BusBroker
import BusConsole
import Foundation
import Synchronization
import Testing

@testable import kerege

@Suite("The end of the admin API", .serialized, .timeLimit(.minutes(3)))
struct ConsoleEndTests {
    private static let ends = 10

    /// A connection that comes while the server ends must not end the process: NIO traps where nobody closes its writer.
    @Test func connectionsThatComeMeanwhileDoNoHarm() async throws {
        try await SmallBus.run { bus async throws in
            for _ in 0..<Self.ends {
                let console = try Console(
                    broker: bus.broker, journalFolder: bus.folder, port: 0, dataFolder: bus.folder,
                    logger: SmallBus.silent)
                let serving = Task { try await console.run() }
                let port = try #require(await console.boundPort)
                let exchange = HTTPExchange(host: "127.0.0.1", port: UInt16(port))
                let knocking = Knocking()
                let threads = (0..<4).map { _ in
                    Thread {
                        while !knocking.isOver.load(ordering: .relaxed) {
                            if exchange.isListening(within: .seconds(1)) {
                                knocking.knocks.add(1, ordering: .relaxed)
                            }
                        }
                        knocking.left.add(1, ordering: .relaxed)
                    }
                }
                for thread in threads { thread.start() }
                while knocking.knocks.load(ordering: .relaxed) < 20 { await Task.yield() }
                serving.cancel()
                _ = try? await serving.value
                #expect(!exchange.isListening(within: .seconds(1)), "nobody is let in any more")
                knocking.isOver.store(true, ordering: .relaxed)
                while knocking.left.load(ordering: .relaxed) < threads.count { await Task.yield() }
            }
        }
    }
}

/// What the test and its threads tell each other.
private final class Knocking: Sendable {
    let isOver = Atomic(false)
    let knocks = Atomic(0)
    let left = Atomic(0)
}
