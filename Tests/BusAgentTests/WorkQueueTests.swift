import BusDirectory
import BusProtocol
import Dispatch
import GRDB
import Synchronization
import Testing

@testable import BusAgent

@Suite("Work of a register's agent", .timeLimit(.minutes(1)))
struct WorkQueueTests {
    private final class Body: Sendable {}
    private final class Kept: Sendable {
        private let body = Mutex<Body?>(Body())
        /// The one strong reference there was.
        func give() -> Body? {
            body.withLock { body in
                defer { body = nil }
                return body
            }
        }
    }

    @Test("what was done is let go, though something always waits")
    func doneIsLetGo() async throws {
        let queue = try WorkQueue<Int>("test", threads: 1, limit: 10_000) { 0 }
        let gate = DispatchSemaphore(value: 0)
        weak var first: Body?
        do {
            let body = try #require(Kept().give())
            first = body
            let isPut = queue.put { _ in withExtendedLifetime(body) {} }
            #expect(isPut)
        }
        for _ in 0..<5_000 { _ = queue.put { _ in } }
        _ = queue.put { _ in gate.wait() }
        for _ in 0..<10 { _ = queue.put { _ in } }
        #expect(await comes { queue.waiting == 10 })
        #expect(first == nil, "the first job is done, and ten wait")
        gate.signal()
        queue.close()
    }

    @Test("a ticket is never given twice: what comes late for one caller reaches no other")
    func tickets() throws {
        var table = WaiterTable()
        let key = KeyMessage(
            RecordName(EpochName(1, of: "portal"), for: "register"), event: "", id: ScriptedBroker.id(1), record: [])
        let first = table.add(.key(key), call: 1)
        #expect(table.take(first) != nil && table.take(first) == nil)
        let second = table.add(.key(key), call: 2)
        #expect(second != first && table.take(first) == nil, "the row is the same, the ticket is not")
        #expect(table.ticket(ofCall: 2) == second && table.ticket(ofCall: 1) == nil)
        #expect(table.take(second) != nil)
        #expect(table.take(Submission.noTicket) == nil && table.system(second) == nil)
    }

    @Test("what was not proven in one session is asked for in the next")
    func receiptsOutliveSessions() {
        func receipt(_ size: UInt64) -> LogReceipt {
            LogReceipt(treeSize: size, root: [UInt8](repeating: UInt8(size), count: 32))
        }
        var watch = LogWatch(nil)
        var random = SystemRandomNumberGenerator()
        watch.begin(isSpoken: true, knowsKey: true, after: receipt(5), at: 0, &random)
        #expect(watch.ask(receipt(7), 0, at: 0).wish.heads.contains(5))
        watch.begin(isSpoken: true, knowsKey: true, after: receipt(7), at: 0, &random)
        let again = watch.ask(receipt(9), 0, at: 0)
        #expect(again.wish.heads.contains(5) && again.unanswered)
    }

    @Test("rows wait while people make the keys one; what no repetition mends is given up")
    func rowsThatWait() {
        let outbox = Outbox(.init(event: "land.moved.v1", sql: "", place: .init(file: "", line: 1, column: 1)))
        for code in [FaultCode.badSignature, .keyNotValid, .unknownKey, .keyNotForSystem, .queueFull, .draining] {
            #expect(!outbox.isFinal(BusFault(code, at: .broker)), "\(code)")
        }
        for code in [FaultCode.idReused, .eventViolatesContract, .bodyTooLarge, .idTooOld] {
            #expect(outbox.isFinal(BusFault(code, at: .broker)), "\(code)")
        }
    }

    @Test("an id used by one system is not used up for another's message")
    func inboxOfSenders() async throws {
        let stage = try await LandStage()
        let run = try await stage.start()
        let id = ScriptedBroker.id(7).description
        try await stage.database.write { database in
            #expect(try DeliveryRecords.remember(id, of: "pay", in: database))
            #expect(try DeliveryRecords.remember(id, of: "notary", in: database))
            #expect(try !DeliveryRecords.remember(id, of: "pay", in: database))
            // As earlier agents noted it.
            let old = ScriptedBroker.id(8).description
            try database.execute(sql: "INSERT INTO kerege_inbox (event, taken_at) VALUES (?, 1)", arguments: [old])
            #expect(try !DeliveryRecords.remember(old, of: "pay", in: database))
        }
        await stage.end(run)
    }

    @Test("outcomes for a consumer without a valid seal key wait, and those for others go")
    func outcomesWithoutKey() async throws {
        let past = try #require(CalendarDate("2020-01-01"))
        let stage = try SealStage(portalValidity: KeyValidity(until: past))
        let broker = try MiniBroker(stage.behaviour("register-1"))
        let agent = try await stage.agent("register-1", broker)
        let scratch = try Scratch()
        try await DatabaseQueue(path: scratch.file("register.sqlite")).write { _ in }
        let connection = try SQLConnection(scratch.file("register.sqlite"))
        try DeliveryRecords.prepare(connection)
        // More in front than go at once.
        let count = 2 * OutcomeRecords.batch + 10
        try await connection.queue.write { database in
            for number in 1...count {
                let command = ScriptedBroker.id(UInt64(number)).description
                try database.execute(
                    sql: """
                        INSERT INTO kerege_command (command, service, consumer, state, taken_at)
                        VALUES (?, ?, ?, 'taken', 0)
                        """,
                    arguments: [command, SealStage.order, number > count - 3 ? "notary" : "portal"])
                try OutcomeRecords.tell(command, code: 0, "{}", in: database)
            }
        }
        let ready = try OutcomeRecords.next(agent, connection)
        #expect(ready.map(\.id) == [Int64(count) - 2, Int64(count) - 1, Int64(count)])
        for outcome in ready { try OutcomeRecords.sent(outcome, refused: nil, connection) }
        #expect(throws: BusFault.self) { try OutcomeRecords.next(agent, connection) }
        await agent.close()
        broker.stop()
    }
}
