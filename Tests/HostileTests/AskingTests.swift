import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// When an agent asks an honest broker to prove its log: as a session begins, then at most once a minute, and only while there is traffic.
@Suite struct AskingTests {
    private func questions(_ bus: HostileBus) -> Int { bus.asked["portal-1"]?.count ?? 0 }

    @Test func onceAMinuteWhileThereIsTraffic() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        #expect(questions(bus) == 1)
        let first = try #require(bus.portal.core.checkpoint)
        for _ in 0..<50 {
            bus.portal.order(bus)
            bus.pass(milliseconds: 1000, step: 200)
        }
        #expect(questions(bus) == 1)
        bus.pass(milliseconds: 12_000, step: 500)
        #expect(questions(bus) == 2)
        let second = try #require(bus.portal.core.checkpoint)
        #expect(second.head.size > first.head.size && bus.portal.core.receipt.treeSize >= second.head.size)
        // What came since then is asked for once more; then nothing happens, and nothing is asked.
        bus.pass(milliseconds: 180_000, step: 500)
        #expect(questions(bus) <= 3)
        let quiet = questions(bus)
        bus.pass(milliseconds: 180_000, step: 500)
        #expect(questions(bus) == quiet && bus.portal.notices.isEmpty)
    }

    /// It asks from the newest it has checked, and from the last receipts of both sessions.
    @Test func aNewSessionAsksFromWhatIsRemembered() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        let checkpoint = try #require(bus.portal.core.checkpoint)
        bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        let receipt = bus.portal.core.receipt
        bus.portal.restart(bus)
        let wish = try #require(bus.asked["portal-1"]?.last)
        #expect(wish.heads.starts(with: [checkpoint.head.size]) && wish.heads.contains(receipt.treeSize))
        #expect(wish.heads.count == 3 && wish.messages.isEmpty)
        #expect(try #require(bus.portal.core.checkpoint).head.size > receipt.treeSize)
        bus.portal.restart(bus, remembers: false)
        #expect(bus.asked["portal-1"]?.last?.heads.count == 1)
    }

    /// A receipt is kept less often than a checkpoint: after a crash the agent greets with what it knows of both.
    @Test func theNewerOfBothFilesCounts() throws {
        let bus = try HostileBus(agents: ["portal-1"])
        let checkpoint = try #require(bus.portal.core.checkpoint)
        func core(_ receipt: LogReceipt) -> AgentCore {
            AgentCore(bus.portal.core.identity, receipt: receipt, checkpoint: checkpoint, started: 0)
        }
        #expect(core(.none).receipt == LogReceipt(checkpoint.head))
        let later = LogReceipt(treeSize: checkpoint.head.size + 1, root: [UInt8](repeating: 7, count: 32))
        #expect(core(later).receipt == later)
    }

    /// Nobody could check an answer.
    @Test func withoutAKeyInTheSpaceNothingIsAsked() throws {
        var space = try Country.space()
        space.broker.sign = nil
        let bus = try HostileBus(Country.versions([space]), agents: ["portal-1", "register-1"])
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 65_000, step: 500)
        #expect(bus.portal.end(of: order) == .accepted && questions(bus) == 0 && bus.portal.notices.isEmpty)
        bus.portal.prove(order, bus)
        guard case .failure(let fault) = try #require(bus.portal.proofs.last) else { return #expect(Bool(false)) }
        #expect(fault.code == .logUnsigned && bus.portal.core.isOpen)
    }

    /// A broker of version 3 from before there were proofs says so once, and is asked no more.
    @Test func aBrokerThatDoesNotKnowTheCommand() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        bus.lie = { to, said in
            guard to == "portal-1", case .proof = said.what else { return [(to, said)] }
            let notice = FaultNotice(Fault(.unknownCommand, at: .broker), at: .broker)
            let head = FrameHead(.error, version: said.head.version)
            return [(to, Said(head: head, .raw(head.frame(notice.encoded()))))]
        }
        bus.portal.prove(order, bus)
        guard case .failure(let fault) = try #require(bus.portal.proofs.last) else { return #expect(Bool(false)) }
        #expect(fault.code == .unknownCommand && bus.portal.core.isOpen)
        let before = questions(bus)
        bus.portal.order(bus)
        bus.pass(milliseconds: 125_000, step: 500)
        #expect(questions(bus) == before && bus.portal.core.isOpen)
        bus.portal.prove(order, bus)
        #expect(questions(bus) == before && bus.portal.proofs.count == 2)
    }
}
