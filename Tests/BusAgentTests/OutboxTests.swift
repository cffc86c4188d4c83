import BusProtocol
import GRDB
import Synchronization
import Testing

@testable import BusAgent

@Suite("What a register sends", .timeLimit(.minutes(1)))
struct OutboxTests {
    private func add(_ kind: String, _ count: Int, to stage: LandStage) async throws {
        try await stage.database.write { database in
            for number in 1...count {
                try database.execute(
                    sql: "INSERT INTO outbox (kind, body) VALUES (?, ?)", arguments: [kind, "{\"n\":\(number)}"])
            }
        }
    }

    @Test func aCommandIsTheSameBytesAfterARestart() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.withholdsAccept = true
        let stage = try await LandStage(behaviour)
        try await add("fee", 1, to: stage)
        let first = try await stage.start()
        _ = await stage.untilSent(.command, 1)
        await first.end()
        let stored = "SELECT count(*) FROM kerege_sending WHERE header IS NOT NULL AND code IS NULL"
        #expect(try await stage.value(stored) == "1")
        // What was sent is what counts, whatever the row says by now.
        try await stage.database.write { try $0.execute(sql: "UPDATE outbox SET body = '{\"other\":1}'") }
        stage.broker.change { $0.withholdsAccept = false }
        let second = try await stage.start()
        try await stage.until("SELECT code FROM kerege_sending", is: "0")
        let sent = stage.broker.durable(.command)
        #expect(sent.count >= 2 && sent.allSatisfy { $0 == sent[0] })
        #expect(try await stage.value("SELECT message FROM kerege_sending") == "\(try sent[0].fields.id)")
        await stage.end(second)
    }

    @Test func anEventIsTheSameBytesAfterARestart() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.withholdsAccept = true
        let stage = try await LandStage(behaviour)
        try await add("moved", 1, to: stage)
        let first = try await stage.start()
        while stage.broker.events.withLock({ $0.isEmpty }) { await Task.yield() }
        await first.end()
        stage.broker.change { $0.withholdsAccept = false }
        let second = try await stage.start()
        try await stage.until("SELECT published FROM kerege_outbox", is: "1")
        let sent = stage.broker.events.withLock { $0 }
        #expect(sent.count >= 2 && sent.allSatisfy { $0 == sent[0] })
        #expect(try await stage.value("SELECT count(*) FROM kerege_sending") == "0")
        await stage.end(second)
    }

    @Test func aRowThatCanNeverLeaveIsRecordedToldAndPassed() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.refuses[.command] = [.noIntegration]
        let stage = try await LandStage(behaviour)
        try await add("fee", 2, to: stage)
        let run = try await stage.start()
        let codes = "SELECT group_concat(code) FROM (SELECT code FROM kerege_sending ORDER BY row)"
        try await stage.until(codes, is: "4030,0")
        #expect(stage.broker.durable(.command).count == 2)
        #expect(try await stage.value("SELECT code || ' ' || row FROM told") == "4030 1")
        await stage.end(run)
    }

    @Test func aRowThatMustWaitIsRepeatedUnchangedAndHoldsUpTheNext() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.refuses[.command] = [.queueFull, .storageFull]
        let stage = try await LandStage(behaviour)
        try await add("fee", 2, to: stage)
        let run = try await stage.start()
        try await stage.until("SELECT published FROM kerege_outbox WHERE event = 'pay.request.v1'", is: "2")
        let sent = stage.broker.durable(.command)
        #expect(sent.map(\.isRefused) == [true, true, false, false])
        #expect(sent[0] == sent[1] && sent[1].header == sent[2].header && sent[2].header != sent[3].header)
        await stage.end(run)
    }

    @Test func twoAgentsOfASystemSendEachRowAsOneMessage() async throws {
        let stage = try await LandStage()
        try await add("moved", 100, to: stage)
        let runs = [try await stage.start(), try await stage.start()]
        try await stage.until("SELECT published FROM kerege_outbox", is: "100")
        for run in runs { await run.end() }
        let ids = try stage.broker.events.withLock { try $0.map { try Header(decoding: $0).id } }
        #expect(Set(ids).count == 100, "\(ids.count) were sent")
        #expect(try await stage.value("SELECT published FROM kerege_outbox") == "100", "the outbox went back")
    }

    @Test func anOutcomeThatComesTwiceIsTakenOnceAndFindsItsRow() async throws {
        let stage = try await LandStage()
        try await add("fee", 1, to: stage)
        let run = try await stage.start()
        let command = try await stage.untilSent(.command, 1)[0].fields.id
        let payments = try await Agent.connect(AgentTests.configuration(stage.broker, "pay"))
        try await stage.until("SELECT code FROM kerege_sending", is: "0")
        let outcome = try payments.prepareOutcome(
            of: command, nil, "pay.request.v1", for: "land", .success(Array(#"{"invoice":"P-7"}"#.utf8)))
        for _ in 0..<2 { _ = try await payments.submit(outcome) }
        #expect(await stage.untilSettled(2) == [.ack, .ack])
        #expect(try await stage.value("SELECT count(*) FROM told") == "1")
        #expect(try await stage.value("SELECT command || code || row || invoice FROM told") == "\(command)01P-7")
        await payments.close()
        await stage.end(run)
    }

    @Test func theRecordsOfAnEarlierAgentAreWidened() async throws {
        let old = """
            CREATE TABLE kerege_sending (
                event TEXT NOT NULL, row INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY (event, row)) WITHOUT ROWID;
            INSERT INTO kerege_sending VALUES ('land.moved.v1', 1, '\(ScriptedBroker.id(5))');
            """
        let stage = try await LandStage(before: old)
        try await add("moved", 1, to: stage)
        let run = try await stage.start()
        try await stage.until("SELECT published FROM kerege_outbox", is: "1")
        let ids = try stage.broker.events.withLock { try $0.map { try Header(decoding: $0).id } }
        #expect(ids == [ScriptedBroker.id(5)])
        await stage.end(run)
    }
}
