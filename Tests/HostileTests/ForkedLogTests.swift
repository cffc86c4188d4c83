import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// The broker shows another log than the one it gave receipts of. Every agent with a receipt that contradicts it leaves for good: 4092.
@Suite struct ForkedLogTests {
    enum Fork: String, CaseIterable, Sendable {
        case shorter, otherRoot
        case empty

        func lie(_ size: UInt64, _ root: [UInt8]) -> (size: UInt64, root: [UInt8]) {
            switch self {
            case .shorter: (size - 1, root)
            case .otherRoot: (size, [root[0] ^ 1] + root.dropFirst())
            case .empty: (0, LogHash.empty.bytes)
            }
        }
    }

    /// A bus with something in its log of which every agent has a receipt.
    private func bus() throws -> HostileBus {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.portal.order(bus)
        bus.register.publish(bus)
        bus.pass(milliseconds: 200)
        return bus
    }

    private func expectRefused(_ agent: HostedAgent, _ bus: HostileBus) {
        #expect(agent.core.lastFault?.code == .logForked && agent.notices.last == .logForked)
        let request = agent.ask(bus)
        bus.settle()
        #expect(agent.end(of: request) == .fault(.logForked))
    }

    @Test("in WELCOME: at the greeting, before anything is sent", arguments: Fork.allCases, [true, false])
    func greeting(_ fork: Fork, _ isNewProcess: Bool) throws {
        let bus = try bus()
        let (size, root) = (bus.portal.core.receipt.treeSize, bus.portal.core.receipt.root)
        bus.lie = { to, said in
            guard case .welcome(var welcome) = said.what else { return [(to, said)] }
            (welcome.treeSize, welcome.root) = fork.lie(size, root)
            return [(to, Said(head: said.head, .welcome(welcome)))]
        }
        if isNewProcess { bus.portal.restart(bus) } else { bus.restart() }
        expectRefused(bus.portal, bus)
    }

    @Test("in ACCEPT: at once, and what was to be accepted fails", arguments: Fork.allCases)
    func acceptance(_ fork: Fork) throws {
        let bus = try bus()
        let (size, root) = (bus.portal.core.receipt.treeSize, bus.portal.core.receipt.root)
        bus.lie = { to, said in
            guard to == "portal-1", case .accept(var acceptance) = said.what else { return [(to, said)] }
            (acceptance.treeSize, acceptance.root) = fork.lie(size, root)
            return [(to, Said(head: said.head, .accept(acceptance)))]
        }
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: order) == .fault(.logForked))
        #expect(bus.portal.core.receipt.treeSize == size, "the receipt is kept")
        expectRefused(bus.portal, bus)
    }

    /// An ACCEPT of what was never sent is no receipt.
    @Test func anAcceptanceOfNothing() throws {
        let bus = try bus()
        let receipt = bus.portal.core.receipt
        let acceptance = Acceptance(sequence: 99, treeSize: receipt.treeSize + 1000, root: receipt.root)
        bus.say(.accept, .accept(acceptance), to: "portal-1")
        #expect(bus.portal.core.receipt == receipt && bus.portal.core.counters.badFrames == 1)
    }

    // MARK: - Longer than the receipt

    /// The log is longer than any receipt, and begins with other records. Its owner signs it and gives proofs of it that hold by themselves.
    @Test("a longer log of another history, at the greeting: before the agent has sent much", arguments: [true, false])
    func aLongerLogOfAnotherHistory(_ isNewProcess: Bool) throws {
        let bus = try bus()
        let other = bus.shown.rewritten().grown(to: bus.shown.size + 5)
        bus.show({ other }, to: "portal-1")
        if isNewProcess { bus.portal.restart(bus) } else { bus.restart() }
        expectRefused(bus.portal, bus)
        let note = try #require(bus.portal.forks.first)
        #expect(try Checkpoint(note, by: Country.log.publicKey).head == other.head, "what convicts the owner is kept")
        #expect(bus.register.core.isOpen, "who was shown the right one stays")
    }

    /// The same of an agent that has a receipt and no checkpoint, as one of an earlier version has left it.
    @Test func aLongerLogOfAnotherHistoryThanAReceipt() throws {
        let bus = try bus()
        bus.portal.forgetCheckpoint()
        let other = bus.shown.rewritten().grown(to: bus.shown.size + 5)
        bus.show({ other }, to: "portal-1")
        bus.portal.restart(bus)
        expectRefused(bus.portal, bus)
    }

    /// Not at once: the fork is seen with the next proof, at most a minute later while there is traffic.
    @Test("forked while it grows, in a session") func whileItGrows() throws {
        let bus = try bus()
        let checkpoint = try #require(bus.portal.core.checkpoint)
        bus.show({ bus.shown.rewritten() }, to: "portal-1")
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 2_000)
        #expect(bus.portal.end(of: order) == .accepted && bus.portal.core.isOpen)
        #expect(bus.portal.core.checkpoint == checkpoint)
        bus.pass(milliseconds: 60_000, step: 500)
        expectRefused(bus.portal, bus)
        #expect(bus.portal.core.checkpoint == checkpoint && bus.portal.forks.count == 1)
    }

    /// Between two proofs the broker names a log with the order in it, and goes on with one without. Of what it has named some is drawn
    /// by lot; of a few, all.
    @Test("forked behind the newest checkpoint, in a session") func behindTheCheckpoint() throws {
        let bus = try bus()
        let checkpoint = try #require(bus.portal.core.checkpoint)
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 200)
        let accepted = bus.portal.core.receipt.treeSize
        #expect(bus.portal.end(of: order) == .accepted && accepted > checkpoint.head.size)
        bus.show({ bus.shown.rewritten(Int(accepted) - 1) }, to: "portal-1")
        bus.portal.order(bus)
        bus.pass(milliseconds: 62_000, step: 500)
        expectRefused(bus.portal, bus)
        #expect(bus.portal.core.checkpoint == checkpoint && bus.portal.forks.count == 1)
    }

    /// Sessions are ended before anything was proven, each with another receipt of a log that is gone since.
    @Test func sessionsEndedBeforeTheyWereProven() throws {
        let bus = try bus()
        bus.lie = { to, said in
            if to == "portal-1", case .proof = said.what { return [] }
            return [(to, said)]
        }
        bus.portal.order(bus)
        bus.pass(milliseconds: 200)
        let accepted = bus.portal.core.receipt.treeSize
        bus.restart()
        bus.pass(milliseconds: 200)
        bus.show({ bus.shown.rewritten(Int(accepted) - 1) }, to: "portal-1")
        bus.portal.order(bus)
        bus.restart()
        bus.pass(milliseconds: 5_000, step: 500)
        expectRefused(bus.portal, bus)
    }

    /// The agent is stopped before the broker has given any proof, and started again: the receipt it was given of the fork has not
    /// taken the place of the one that convicts the broker.
    @Test func aStopDoesNotJoinTheFork() throws {
        let bus = try bus()
        bus.portal.forgetCheckpoint()
        let other = bus.shown.rewritten().grown(to: bus.shown.size + 5)
        bus.show({ other }, to: "portal-1")
        let shown = bus.lie
        bus.lie = { to, said in
            if to == "portal-1", case .proof = said.what { return [] }
            return shown(to, said)
        }
        bus.portal.restart(bus)
        #expect(bus.portal.core.isOpen)
        bus.lie = shown
        bus.portal.restart(bus)
        expectRefused(bus.portal, bus)
    }

    /// ACCEPT names one log, the signed checkpoint is of another.
    @Test("proofs of the right log, receipts of another") func receiptsOfAnother() throws {
        let bus = try bus()
        let other = bus.shown.rewritten()
        bus.lie = { to, said in
            guard to == "portal-1", case .accept(var acceptance) = said.what else { return [(to, said)] }
            let head = other.grown(to: acceptance.treeSize).head
            (acceptance.treeSize, acceptance.root) = (head.size, head.root.bytes)
            return [(to, Said(head: said.head, .accept(acceptance)))]
        }
        bus.portal.order(bus)
        bus.pass(milliseconds: 62_000, step: 500)
        expectRefused(bus.portal, bus)
    }

    /// A proof that is none is no excuse: without it the log is not the one it was.
    @Test(
        "no proof that it only grew: 4092",
        arguments: [[], [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 31)])
    func noProofOfGrowth(_ path: [UInt8]) throws {
        let bus = try bus()
        bus.answerProofs(of: "portal-1") { wish in
            var answer = bus.shown.answer(wish)
            answer.consistency = wish.heads.map { _ in path }
            return answer
        }
        bus.portal.order(bus)
        bus.pass(milliseconds: 62_000, step: 500)
        expectRefused(bus.portal, bus)
    }

    /// The log grew by what others sent: the checkpoint is ahead of the agent's receipt. What is named besides has to fit it.
    @Test(
        "an ACCEPT while the proof is on its way, of its size and another root; and one behind it, that is shorter",
        arguments: [true, false])
    func aReceiptThatDoesNotFitTheCheckpoint(_ comesBefore: Bool) throws {
        let bus = try bus()
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        (0..<5).forEach { bus.register.publish(bus, "\($0)") }
        bus.pass(milliseconds: 100)
        let (receipt, head) = (bus.portal.core.receipt, bus.shown.head)
        #expect(receipt.treeSize + 1 < head.size)
        bus.lie = { to, said in
            guard to == "portal-1", case .proof = said.what else { return [(to, said)] }
            let other = bus.shown.rewritten().head(of: comesBefore ? head.size : head.size - 1)
            let acceptance = Acceptance(sequence: 0, treeSize: other.size, root: other.root.bytes)
            let accept = Said(head: FrameHead(.accept, version: said.head.version), .accept(acceptance))
            return comesBefore ? [(to, accept), (to, said)] : [(to, said), (to, accept)]
        }
        bus.portal.prove(order, bus)
        expectRefused(bus.portal, bus)
        #expect(bus.portal.forks.count == (comesBefore ? 1 : 0))
    }

    /// The broker says itself that it does not have what the agent has a receipt of.
    @Test func aShorterLogByItsOwnWord() throws {
        let bus = try bus()
        bus.answerProofs(of: "portal-1") { LogAnswer(token: $0.token, code: FaultCode.logForked.number) }
        bus.restart()
        expectRefused(bus.portal, bus)
    }

    // MARK: - What nobody notices

    /// Limit: two agents that are shown different logs, each of them always the same one, do not speak with each other about it. Their
    /// checkpoints are signed by one key and contradict each other, for whoever lays them side by side.
    @Test func differentLogsForDifferentAgents() throws {
        let bus = try HostileBus(agents: ["register-1"])
        let bare = bus.shown
        let other = bare.rewritten()
        bus.join("portal-1") { bus.show({ other.grown(to: bus.shown.size) }, to: "portal-1") }
        bus.portal.order(bus)
        bus.register.publish(bus)
        bus.pass(milliseconds: 62_000, step: 500)
        #expect(bus.portal.core.isOpen && bus.register.core.isOpen)
        let portal = try #require(bus.portal.core.checkpoint)
        let register = try #require(bus.register.core.checkpoint)
        #expect(portal.head.size > bare.size && register.head.size > bare.size)
        for known in [portal, register] {
            #expect(try Checkpoint(known.note, by: Country.log.publicKey).head == known.head)
        }
        #expect(bus.shown.head(of: register.head.size) == register.head)
        #expect(bus.shown.head(of: portal.head.size) != portal.head, "they cannot both be of one log")
    }

    /// Limit: a broker that gives no proofs any more has every fork to itself. Who reads the agent's log reads of it.
    @Test(arguments: [true, false]) func noProofsAnyMore(_ says: Bool) throws {
        let bus = try bus()
        bus.lie = { to, said in
            guard to == "portal-1", case .proof(let answer) = said.what else { return [(to, said)] }
            let refusal = LogAnswer(token: answer.token, code: FaultCode.logUnsigned.number)
            return says ? [(to, Said(head: said.head, .proof(refusal)))] : []
        }
        bus.portal.order(bus)
        bus.pass(milliseconds: 62_000, step: 500)
        bus.portal.order(bus)
        bus.pass(milliseconds: 62_000, step: 500)
        #expect(bus.portal.core.isOpen && bus.portal.forks.isEmpty)
        #expect(bus.portal.notices.last == (says ? .logUnsigned : .deadlinePassed))
    }
}
