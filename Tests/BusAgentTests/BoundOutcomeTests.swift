import BusEvidence
import BusProtocol
import GRDB
import Synchronization
import Testing

@testable import BusAgent

/// An outcome says which command it was made for by the command's digest, not by its id alone.
@Suite("Outcomes and the digest of their command", .timeLimit(.minutes(1)))
struct BoundOutcomeTests {
    private let plot = #"{"plot":"1:1"}"#

    private func digest(_ outcome: MiniBroker.Envelope) throws -> [UInt8]? {
        RequestDigest.value(in: try outcome.fields)
    }

    // MARK: - The provider

    @Test func aRegistersOutcomesCarryWhatWasTaken() async throws {
        let stage = try await LandStage(signs: true)
        let first = try await stage.start()
        let mark = try stage.command("land.mark.v1", plot)
        let refused = try stage.command("land.mark.v1", #"{"plot":"9:9"}"#)
        let sale = try stage.command("land.sell.v1", plot)
        for command in [mark, refused, sale] { try await stage.send(command) }
        _ = await stage.untilSettled(3)
        try await stage.until("SELECT sum(sent) FROM kerege_outcome", is: "2")
        await first.end()
        // Told by a later statement, of another process of the same system.
        let second = try await stage.start()
        try await stage.publish("pay.confirmed.v1", #"{"reference":"\#(sale.id)"}"#)
        let outcomes = await stage.untilSent(.outcome, 3)
        for command in [mark, refused, sale] {
            let outcome = try #require(try outcomes.first { try $0.fields.correlation == command.id })
            #expect(try digest(outcome) == command.leaf.bytes)
        }
        await stage.end(second)
    }

    @Test func aHandlersOutcomesCarryWhatItWasGiven() async throws {
        let stage = try await LandStage(signs: true)
        let taken = Mutex<[UInt8]>([])
        let agent = try await Agent.connect(stage.configuration("land")) { agent in
            agent.perform("land.mark.v1") { _ in .completed(Array("{}".utf8)) }
            agent.perform("land.sell.v1") { command in
                taken.withLock { $0 = command.digest }
                return .taken
            }
        }
        let mark = try stage.command("land.mark.v1", plot)
        let sale = try stage.command("land.sell.v1", plot)
        for command in [mark, sale] { try await stage.send(command) }
        _ = await stage.untilSettled(2)
        #expect(try await digest(stage.untilSent(.outcome, 1)[0]) == mark.leaf.bytes)
        let kept = taken.withLock { $0 }
        #expect(kept == sale.leaf.bytes)
        for (number, digest) in [kept, nil].enumerated() {
            try await agent.conclude("\(sale.id)", of: "land.sell.v1", for: "notary", .success([]), digest: digest)
            #expect(try await self.digest(stage.untilSent(.outcome, number + 2)[number + 1]) == digest)
        }
        let fault = await #expect(throws: BusFault.self) {
            try await agent.conclude("\(sale.id)", of: "land.sell.v1", for: "notary", .success([]), digest: [1])
        }
        #expect(fault?.number == FaultCode.badHeader.number)
        await agent.close()
        await stage.end()
    }

    /// A digest that nobody signs proves nothing.
    @Test func whoDoesNotSignCarriesNone() async throws {
        let stage = try await LandStage()
        let run = try await stage.start()
        try await stage.send(try stage.command("land.mark.v1", plot))
        #expect(try await digest(stage.untilSent(.outcome, 1)[0]) == nil)
        await stage.end(run)
    }

    /// A command that an earlier agent took is named by its id, as that would have done.
    @Test func whatAnEarlierAgentTookIsConcludedWithoutADigest() async throws {
        let command = ScriptedBroker.id(7)
        let old = """
            CREATE TABLE kerege_command (
                command TEXT PRIMARY KEY, service TEXT NOT NULL, consumer TEXT NOT NULL, state TEXT NOT NULL,
                taken_at INTEGER NOT NULL) WITHOUT ROWID;
            INSERT INTO kerege_command VALUES ('\(command)', 'land.sell.v1', 'notary', 'taken', 1);
            """
        let stage = try await LandStage(before: old, signs: true)
        let run = try await stage.start()
        try await stage.publish("pay.confirmed.v1", #"{"reference":"\#(command)"}"#)
        let outcome = await stage.untilSent(.outcome, 1)[0]
        #expect(try outcome.fields.correlation == command && digest(outcome) == nil)
        await stage.end(run)
    }

    // MARK: - The consumer

    /// A fee that the register has ordered, and the outcomes that somebody gives of it.
    private func outcome(
        of command: MiniBroker.Envelope, _ number: UInt64, carrying digest: [UInt8]?
    ) throws -> PreparedMessage {
        let asked = try command.fields
        var header = Header(kind: .outcome, id: ScriptedBroker.id(number), created: 3)
        header.correlation = asked.id
        header.target = asked.target
        header.consumer = asked.consumer
        header.provider = "pay"
        header.extensions = digest.map { [Header.Extension(type: RequestDigest.type, value: $0)] } ?? []
        return PreparedMessage(
            kind: .outcome, id: header.id, header: header.encoded(), body: Array(#"{"invoice":"P-7"}"#.utf8))
    }

    private func stage(_ behaviour: MiniBroker.Behaviour = .init()) async throws -> LandStage {
        let stage = try await LandStage(behaviour)
        try await stage.database.write { try $0.execute(sql: "INSERT INTO outbox (kind, body) VALUES ('fee', '{}')") }
        return stage
    }

    @Test func anOutcomeOfAnotherCommandIsNotTaken() async throws {
        let stage = try await stage()
        let run = try await stage.start()
        let fee = await stage.untilSent(.command, 1)[0]
        let leaf = LogHash.messageLeaf(header: fee.header, body: fee.body)
        try await stage.until("SELECT code FROM kerege_sending", is: "0")
        let payments = try await Agent.connect(AgentTests.configuration(stage.broker, "pay"))
        var other = leaf
        other.d ^= 1 << 63
        for (number, digest) in [other.bytes, leaf.bytes.dropLast(), []].enumerated() {
            _ = try await payments.submit(try outcome(of: fee, UInt64(number), carrying: digest))
        }
        #expect(await stage.untilSettled(3) == [.term, .term, .term])
        #expect(stage.settlements.allSatisfy { $0.code == FaultCode.badSignature.number })
        #expect(try await stage.value("SELECT count(*) + (SELECT count(*) FROM kerege_inbox) FROM told") == "0")
        // The right one may still come.
        _ = try await payments.submit(try outcome(of: fee, 9, carrying: leaf.bytes))
        #expect(await stage.untilSettled(4).last == .ack)
        #expect(try await stage.value("SELECT invoice || row FROM told") == "P-71")
        await payments.close()
        await stage.end(run)
    }

    /// What has no digest is taken by its id, and so is what answers a command that an earlier agent sent.
    @Test func withoutADigestOnEitherSideTheIDCounts() async throws {
        let stage = try await stage()
        let run = try await stage.start()
        let fee = await stage.untilSent(.command, 1)[0]
        try await stage.until("SELECT code FROM kerege_sending", is: "0")
        let payments = try await Agent.connect(AgentTests.configuration(stage.broker, "pay"))
        _ = try await payments.submit(try outcome(of: fee, 1, carrying: nil))
        #expect(await stage.untilSettled(1) == [.ack])
        try await stage.database.write { try $0.execute(sql: "UPDATE kerege_sending SET digest = NULL") }
        _ = try await payments.submit(try outcome(of: fee, 2, carrying: [UInt8](repeating: 1, count: 32)))
        #expect(await stage.untilSettled(2) == [.ack, .ack])
        #expect(try await stage.value("SELECT count(*) FROM told") == "2")
        await payments.close()
        await stage.end(run)
    }

    /// Limit: who sends without an outbox keeps no bytes to hold an outcome to.
    @Test func aSenderWithoutAnOutboxBelievesTheID() async throws {
        let stage = try await LandStage()
        let taken = Mutex<[String]>([])
        stage.consumer.onOutcome("land.mark.v1") { outcome in taken.withLock { $0.append(outcome.command) } }
        let command = try stage.command("land.mark.v1", plot)
        try await stage.send(command)
        let sent = await stage.untilSent(.command, 1)[0]
        let land = try await Agent.connect(AgentTests.configuration(stage.broker, "land"))
        _ = try await land.submit(try outcome(of: sent, 1, carrying: [UInt8](repeating: 1, count: 32)))
        while taken.withLock({ $0.isEmpty }) { await Task.yield() }
        #expect(taken.withLock { $0 } == ["\(command.id)"])
        await land.close()
        await stage.end()
    }

    /// An outcome may overtake the ACCEPT of its command.
    @Test func theDigestIsKeptBeforeTheFirstAttempt() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.withholdsAccept = true
        let stage = try await stage(behaviour)
        let run = try await stage.start()
        let fee = await stage.untilSent(.command, 1)[0]
        let leaf = LogHash.messageLeaf(header: fee.header, body: fee.body)
        #expect(
            try await stage.value("SELECT lower(hex(digest)) FROM kerege_sending WHERE code IS NULL") == leaf.bytes.hex)
        await stage.end(run)
    }
}
