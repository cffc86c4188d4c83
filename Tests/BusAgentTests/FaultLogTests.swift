import BusProtocol
import Logging
import Synchronization
import Testing

@testable import BusAgent

@Suite("Log of faults")
struct FaultLogTests {
    /// Keeps what is logged.
    private struct Kept: LogHandler {
        final class Lines: Sendable { let all = Mutex<[Logger.Metadata]>([]) }
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { lines.all.withLock { $0.append(event.metadata ?? [:]) } }
    }

    @Test("A provider's own failures are told with their reason, one line a second, and nobody else's")
    func tellsItsOwn() {
        let lines = Kept.Lines()
        let logger = Logger(label: "test") { _ in Kept(lines: lines) }
        var log = FaultLog()
        let broken = BusFault.providerFault("no such table: person")
        let id = ScriptedBroker.id(7)
        for now in [10, 20, 30] as [UInt64] { log.tell(broken, "a.b.v1", id, at: now, logger) }
        log.tell(.nothingFound(), "a.b.v1", id, at: 2_000_000, logger)
        log.tell(BusFault(.requestViolatesContract, at: .providerAgent), "a.b.v1", id, at: 2_000_000, logger)
        log.tell(broken, "a.b.v1", id, at: 2_000_000, logger)
        let told = lines.all.withLock { $0 }
        #expect(told.map { $0["detail"] } == ["no such table: person", "no such table: person"])
        #expect(told.map { $0["request"] } == [.string(id.description), .string(id.description)])
        #expect(told.map { $0["others"] } == [nil, "2"])
    }

    @Test("A message that is not taken is told with its reason and place; a full queue and an agent's end are not")
    func tellsWhatIsNotTaken() {
        let lines = Kept.Lines()
        let logger = Logger(label: "test") { _ in Kept(lines: lines) }
        var log = FaultLog()
        let id = ScriptedBroker.id(7)
        let broken = BusFault(.eventViolatesContract, at: .consumerAgent, "too long", pointer: "/name")
        for fault in [BusFault(.queueFull, at: .providerAgent), BusFault(.draining, at: .providerAgent), broken] {
            log.tell(notTaken: fault, "a.b.v1", id, at: 10, logger)
        }
        let told = lines.all.withLock { $0 }
        #expect(told.map { $0["pointer"] } == ["/name"])
        #expect(told.map { $0["message"] } == [.string(id.description)])
    }
}
