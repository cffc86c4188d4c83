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
                let (isOver, knocks) = (KnockFlag(), KnockCount())
                let knocking = (0..<4).map { _ in
                    Thread {
                        while !isOver.isSet { if exchange.isListening(within: .seconds(1)) { knocks.add() } }
                        isOver.left()
                    }
                }
                for thread in knocking { thread.start() }
                while knocks.count < 20 { await Task.yield() }
                serving.cancel()
                _ = try? await serving.value
                #expect(!exchange.isListening(within: .seconds(1)), "nobody is let in any more")
                isOver.set()
                while isOver.leavers < knocking.count { await Task.yield() }
            }
        }
    }
}

private final class KnockFlag: Sendable {
    private let state = Mutex((isSet: false, left: 0))
    var isSet: Bool { state.withLock { $0.isSet } }
    var leavers: Int { state.withLock { $0.left } }
    func set() { state.withLock { $0.isSet = true } }
    func left() { state.withLock { $0.left += 1 } }
}

private final class KnockCount: Sendable {
    private let number = Mutex(0)
    var count: Int { number.withLock { $0 } }
    func add() { number.withLock { $0 += 1 } }
}
