import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// The broker is asked to prove that it has what it has accepted. What proves nothing is refused, each with a reason of its own; the agent
/// goes on, because the right proof may still come.
@Suite struct FalseProofTests {
    /// Two commands accepted, and the second is to be proven.
    private struct Stage {
        let bus: HostileBus
        let first: MessageID
        let second: MessageID

        init() throws {
            bus = try HostileBus(agents: ["portal-1", "register-1"])
            first = bus.portal.order(bus, "one")
            bus.pass(milliseconds: 100)
            second = bus.portal.order(bus, "two")
            bus.pass(milliseconds: 100)
        }

        func position(_ id: MessageID) throws -> UInt64 {
            let sent = try bus.submission(id)
            let leaf = LogHash.messageLeaf(header: sent.header, body: sent.body)
            return UInt64(try #require(bus.shown.leaves.firstIndex(of: leaf))) + 1
        }

        /// What the agent says to an answer.
        func refusal(_ answer: @escaping (LogWish) -> LogAnswer) throws -> Fault {
            bus.answerProofs(of: "portal-1", answer)
            bus.portal.prove(second, bus)
            guard case .failure(let fault) = try #require(bus.portal.proofs.last) else {
                throw Believed()
            }
            #expect(bus.portal.core.isOpen && bus.portal.notices.last == fault.code && bus.portal.forks.isEmpty)
            return fault
        }
    }

    private struct Believed: Error {}

    @Test("the right proof: where the message is, in a checkpoint that is kept") func theRightOne() throws {
        let stage = try Stage()
        stage.bus.portal.prove(stage.second, stage.bus)
        let proven = try #require(stage.bus.portal.proofs.last).get()
        #expect(proven.places.map(\.position) == [try stage.position(stage.second)])
        #expect(proven.checkpoint.head == stage.bus.shown.head && proven.key == Country.log.id)
        #expect(stage.bus.portal.core.checkpoint == proven.checkpoint && stage.bus.portal.notices.isEmpty)
        // A message of somebody else is proven to nobody.
        let wish = LogWish(
            token: 99, heads: [], system: "portal", messages: [LogWish.Row(stage.second, at: 1), .init(stage.second)])
        var answers: [LogAnswer] = []
        stage.bus.lie = { to, said in
            if case .proof(let answer) = said.what { answers.append(answer) }
            return [(to, said)]
        }
        for (agent, system) in [
            (stage.bus.portal, "portal"), (stage.bus.register, "portal"), (stage.bus.register, "register"),
        ] {
            var asked = wish
            asked.system = system
            var actions: [AgentAction] = []
            var core = agent.core
            #expect(core.inquire(.prove, asked.encoded(), into: &actions))
            for case .send(let frame) in actions { stage.bus.take(frame, from: agent) }
            stage.bus.settle()
        }
        #expect(answers.map(\.code) == [0, FaultCode.keyNotForSystem.number, 0])
        #expect(answers[0].rows.map(\.position) == [try stage.position(stage.second)] && answers[2].rows.isEmpty)
    }

    enum Forgery: String, CaseIterable, Sendable {
        case signedByAnother, changedNote, noNote, otherLog, signedTwice
        var word: String {
            switch self {
            case .signedByAnother: "note-not-signed"
            case .changedNote: "wrong-note-signature"
            case .noNote, .signedTwice: "malformed-note"
            case .otherLog: "other-log"
            }
        }

        func note(_ log: ShownLog) -> String {
            let right = Checkpoint.sign(log.head, by: ShownLog.signer())
            switch self {
            case .signedByAnother:
                return Checkpoint.sign(log.head, by: ShownLog.signer(Country.logName, Country.brokers))
            case .changedNote:
                let other = Checkpoint.sign(log.grown(to: log.size + 1).head, by: ShownLog.signer())
                return other.split(separator: "\n\n")[0] + "\n\n" + right.split(separator: "\n\n")[1]
            case .noNote: return ""
            // The same key, for another bus: nothing hinders who has it.
            case .otherLog: return Checkpoint.sign(log.head, by: ShownLog.signer("large/b"))
            case .signedTwice: return right + right.split(separator: "\n\n")[1]
            }
        }
    }

    @Test(
        "a checkpoint that the log's key has not signed, or that is of another log: 4095", arguments: Forgery.allCases)
    func checkpoint(_ forgery: Forgery) throws {
        let stage = try Stage()
        let before = stage.bus.portal.core.checkpoint
        let position = try stage.position(stage.second)
        let fault = try stage.refusal { wish in
            var answer = stage.bus.shown.answer(wish, positions: [position])
            answer.checkpoint = forgery.note(stage.bus.shown)
            return answer
        }
        #expect(fault.code == .proofRefused && fault.detail.hasPrefix(forgery.word), "\(fault)")
        #expect(stage.bus.portal.core.checkpoint == before)
    }

    @Test("the path and place of another message: 4095, path-misses-root") func pathOfAnother() throws {
        let stage = try Stage()
        let other = try stage.position(stage.first)
        let fault = try stage.refusal { stage.bus.shown.answer($0, positions: [other]) }
        #expect(fault.code == .proofRefused && fault.detail.hasPrefix("path-misses-root"), "\(fault)")
    }

    @Test("its own place with the path of another, with a hash changed, one too few: 4095", arguments: 0..<3)
    func changedPath(_ way: Int) throws {
        let stage = try Stage()
        let (mine, other) = (try stage.position(stage.second), try stage.position(stage.first))
        let fault = try stage.refusal { wish in
            var answer = stage.bus.shown.answer(wish, positions: [mine])
            switch way {
            case 0: answer.rows[0].path = stage.bus.shown.answer(wish, positions: [other]).rows[0].path
            case 1: answer.rows[0].path[0] ^= 1
            default: answer.rows[0].path.removeLast(32)
            }
            return answer
        }
        #expect(fault.code == .proofRefused, "\(fault)")
        #expect(["path-misses-root", "wrong-path-length"].contains { fault.detail.hasPrefix($0) }, "\(fault)")
    }

    /// Accepted is accepted: a log that took it only when it was asked for proof is found out.
    @Test("a place behind the log of its ACCEPT: 4095, outside-log") func writtenLater() throws {
        let stage = try Stage()
        let sent = try stage.bus.submission(stage.second)
        var log = stage.bus.shown
        log.leaves.append(LogHash.messageLeaf(header: sent.header, body: sent.body))
        let fault = try stage.refusal { log.answer($0, positions: [log.size]) }
        #expect(fault.code == .proofRefused && fault.detail.hasPrefix("outside-log"), "\(fault)")
    }

    @Test("no place at all: 4041") func noPlace() throws {
        let stage = try Stage()
        #expect(try stage.refusal { stage.bus.shown.answer($0) }.code == .noSuchMessage)
    }

    @Test("as many sizes as were not asked for: 4095") func otherSizes() throws {
        let stage = try Stage()
        let fault = try stage.refusal { wish in
            var answer = stage.bus.shown.answer(wish)
            answer.consistency.append([])
            return answer
        }
        #expect(fault.code == .proofRefused)
    }

    /// An answer to nothing that was asked, or once more, is nobody's.
    @Test func unasked() throws {
        let stage = try Stage()
        let before = stage.bus.portal.core.checkpoint
        let other = stage.bus.shown.rewritten().grown(to: 50)
        let wish = try #require(stage.bus.asked["portal-1"]?.last)
        for token in [wish.token, 4711, 0] {
            var answer = other.answer(wish)
            answer.token = token
            stage.bus.say(.proof, .proof(answer), to: "portal-1")
        }
        #expect(stage.bus.portal.core.isOpen && stage.bus.portal.core.checkpoint == before)
    }
}
