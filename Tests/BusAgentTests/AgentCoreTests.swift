import BusProtocol
import Testing

@testable import BusAgent

@Suite("The agent's core, without sockets")
struct AgentCoreTests {
    @Test func helloCarriesIdentityAndReceiptAndWelcomeOpens() throws {
        var bench = CoreBench(receipt: LogReceipt(treeSize: 5, root: ScriptedBroker.root(5)))
        bench.start()
        let frame = try #require(bench.take().frames.first)
        let hello = try frame.withUnsafeBytes { raw in
            let head = try FrameHead(raw)
            #expect(head.command == .hello)
            #expect(head.messageLimit == Limits.creditMessages)
            var fields = head.fields(of: raw)
            return try Hello(&fields)
        }
        #expect(hello.agent == "portal-1")
        #expect(hello.systems == ["portal"])
        #expect(hello.instance == 77)
        #expect(hello.treeSize == 5 && hello.root == ScriptedBroker.root(5))
        #expect(!bench.core.isOpen)
        var broker = ScriptedBroker()
        broker.treeSize = 6
        bench.receive(broker.welcome())
        #expect(bench.core.isOpen)
        #expect(bench.core.receipt.treeSize == 6)
    }

    @Test func aShorterLogIsRefusedAndEverythingFailsWithIt() {
        var bench = CoreBench(receipt: LogReceipt(treeSize: 5, root: ScriptedBroker.root(5)))
        bench.start()
        bench.submit(1)
        var broker = ScriptedBroker()
        broker.treeSize = 4
        bench.receive(broker.welcome())
        #expect(bench.take().faults.map(\.code) == [.logForked])
        bench.submit(2)
        #expect(bench.take().faults.map(\.code) == [.logForked])
    }

    @Test func acceptIsCumulativeAndNamesRefusals() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.submit(1, kind: .event)
        bench.submit(2)
        bench.submit(3, kind: .event)
        bench.submit(4)
        bench.flush()
        bench.receive(broker.accept(3, refused: [.init(sequence: 2, code: FaultCode.noIntegration.number)]))
        let done = bench.take().completions
        #expect(done.map(\.ticket) == [1, 2, 3])
        guard case .accepted(let id, let receipt) = done[0].completion, case .fault(let fault) = done[1].completion
        else {
            Issue.record("event 1 must be accepted and request 2 refused")
            return
        }
        #expect(id == ScriptedBroker.id(1) && receipt.treeSize == 1)
        #expect(fault.code == .noIntegration && fault.hop == .broker)
        bench.receive(broker.accept(4))
        #expect(bench.take().completions.isEmpty)  // an accepted request waits for its reply
        bench.receive(broker.reply(to: ScriptedBroker.id(4)))
        #expect(bench.take().completions.map(\.ticket) == [4])
        #expect(bench.core.pendingCount == 0)
    }

    @Test func aReplyMayComeBeforeItsAcceptAndCompletesOnce() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.submit(1)
        bench.flush()
        bench.receive(broker.reply(to: ScriptedBroker.id(1)))
        bench.receive(broker.reply(to: ScriptedBroker.id(1)))
        bench.receive(broker.accept(1, refused: [.init(sequence: 1, code: FaultCode.queueFull.number)]))
        #expect(bench.take().completions.map(\.ticket) == [1])
        #expect(bench.core.counters.strayReplies == 1)
    }

    @Test func aReplyToAnotherRequestIsCountedAndIgnored() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.submit(1)
        bench.flush()
        bench.receive(broker.reply(to: ScriptedBroker.id(99)))
        #expect(bench.take().completions.isEmpty)
        #expect(bench.core.counters.strayReplies == 1)
        #expect(bench.core.pendingCount == 1)
    }

    @Test func deadlineOfOneThatLeftAndOfOneThatNeverCould() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.start()
        bench.submit(1, deadlineMilliseconds: 300)
        bench.advance(milliseconds: 299)
        #expect(bench.take().faults.isEmpty)
        bench.advance(milliseconds: 1)
        #expect(bench.take().faults.map(\.code) == [.brokerUnreachable])
        bench.receive(broker.welcome())
        bench.submit(2, deadlineMilliseconds: 300)
        bench.flush()
        bench.advance(milliseconds: 300)
        #expect(bench.take().faults.isEmpty)  // the grace for the broker's own 408
        bench.advance(milliseconds: 100)
        let faults = bench.take().faults
        #expect(faults.map(\.code) == [.deadlinePassed])
        #expect(faults.first?.hop == .consumerAgent)
    }

    @Test func theWaitingQueueIsBounded() {
        var timing = AgentTiming()
        timing.waitingMessages = 2
        var bench = CoreBench(timing: timing)
        bench.start()
        for number in 1...3 as ClosedRange<UInt64> { bench.submit(number, deadlineMilliseconds: 100) }
        let faults = bench.take().faults
        #expect(faults.map(\.code) == [.queueFull])
        #expect((faults.first?.retryAfterMilliseconds ?? 0) > 0)
        bench.advance(milliseconds: 100)
        _ = bench.take()
        bench.submit(4)
        #expect(bench.take().faults.isEmpty)  // ended submissions make room
    }

    @Test func cancellingEndsTheTicketOnce() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.submit(1)
        bench.flush()
        bench.core.cancel(ticket: 1, into: &bench.actions)
        bench.core.cancel(ticket: 1, into: &bench.actions)
        bench.receive(broker.reply(to: ScriptedBroker.id(1)))
        #expect(bench.take().completions.map(\.ticket) == [1])
    }

    @Test func silenceEndsTheSessionWithinItsBoundsForAnySeed() {
        for seed in 1...50 as ClosedRange<UInt64> {
            var broker = ScriptedBroker()
            var bench = CoreBench(seed: seed)
            bench.open(&broker)
            bench.advance(milliseconds: 2999)
            #expect(bench.core.isOpen)
            bench.advance(milliseconds: 1)
            var bound: UInt64 = 100_000
            for _ in 0..<8 {
                guard case .waiting(let until) = bench.core.state else {
                    Issue.record("not waiting, seed \(seed)")
                    return
                }
                let wait = until - bench.now
                #expect(wait >= 10_000 && wait <= bound, "seed \(seed)")
                bound = min(bound * 2, 5_000_000)
                bench.now = until
                bench.core.tick(bench.clock, into: &bench.actions)
                #expect(bench.take().reopens == 1)
                bench.advance(milliseconds: 2000)  // HELLO without an answer
            }
        }
    }

    @Test func anythingTheBrokerSaysKeepsTheSession() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        for round in 0..<5 as Range<UInt64> {
            bench.advance(milliseconds: 2500)
            bench.receive(broker.ping(round))
        }
        #expect(bench.core.isOpen)
    }

    @Test func pingIsAnsweredWithItsToken() throws {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.receive(broker.ping(4711))
        let frame = try #require(bench.take().frames.last)
        let token = try frame.withUnsafeBytes { raw in
            let head = try FrameHead(raw)
            #expect(head.command == .pong)
            var fields = head.fields(of: raw)
            return try Heartbeat.decode(&fields)
        }
        #expect(token == 4711)
    }

    @Test func reportsCarryHealthAndCountsOnce() throws {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.advance(milliseconds: 1)
        _ = bench.take()
        bench.core.health = [.init(system: "portal", dataUpdatedAt: 5, healthy: true)]
        let fault = Fault(.requestViolatesContract, at: .consumerAgent)
        bench.core.count(fault, target: "a.b.v1", consumer: "portal")
        bench.core.count(fault, target: "a.b.v1", consumer: "portal")
        bench.receive(broker.ping(1))
        bench.advance(milliseconds: 1000)
        let frame = try #require(bench.take().frames.last)
        let report = try frame.withUnsafeBytes { raw in
            let head = try FrameHead(raw)
            var fields = head.fields(of: raw)
            return try AgentReport(&fields, version: head.version)
        }
        #expect(report.systems.map(\.system) == ["portal"])
        #expect(report.counts.map(\.count) == [2])
        bench.advance(milliseconds: 1000)
        #expect(bench.take().commands == [.report])
        #expect(bench.core.reported.isEmpty)
    }

    @Test func handledDeliveriesGiveTheirCreditBack() throws {
        var timing = AgentTiming()
        timing.windowMessages = 8
        var broker = ScriptedBroker()
        var bench = CoreBench(timing: timing)
        bench.open(&broker)
        bench.receive(broker.event("a.b.v1", position: 1))
        bench.receive(broker.event("a.b.v1", position: 2))
        bench.receive(broker.event("a.b.v1", position: 3))
        let deliveries = bench.take().deliveries
        #expect(deliveries.map(\.annotations.position) == [1, 2, 3])
        bench.core.settle(deliveries[0], .handled)
        bench.core.settle(deliveries[1], .again(250, why: 5030))
        bench.core.settle(deliveries[2], .never(.eventViolatesContract))
        bench.flush()
        let actions = bench.take()
        #expect(actions.settlements(.ack) == [.init(position: 1)])
        #expect(actions.settlements(.nak) == [.init(position: 2, delayMilliseconds: 250, code: 5030)])
        #expect(actions.settlements(.term) == [.init(position: 3, code: 4221)])
        #expect(actions.heads(.ack).first?.messageLimit == 11)
    }

    @Test func repliesAloneRaiseCreditInAFrameOfItsOwn() {
        var timing = AgentTiming()
        timing.windowMessages = 8
        var broker = ScriptedBroker()
        var bench = CoreBench(timing: timing)
        bench.open(&broker)
        bench.submit(1)
        bench.submit(2)
        bench.flush()
        _ = bench.take()
        bench.receive(broker.reply(to: ScriptedBroker.id(1)))
        #expect(bench.take().commands.isEmpty)
        bench.receive(broker.reply(to: ScriptedBroker.id(2)))
        let actions = bench.take()
        #expect(actions.commands == [.credit])
        #expect(actions.heads(.credit).first?.messageLimit == 10)
    }

    @Test func aGapInDeliveriesStartsANewSession() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        broker.delivered = 3
        bench.receive(broker.event("a.b.v1", position: 1))
        let actions = bench.take()
        #expect(actions.deliveries.isEmpty)
        #expect(actions.commands == [.hello])
    }

    @Test func aRepeatedDeliverFrameIsTakenOnce() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        let frame = broker.event("a.b.v1", position: 1)
        bench.receive(frame)
        bench.receive(frame)
        #expect(bench.take().deliveries.count == 1)
    }

    /// Whether a question may be asked is said by the answer; it is no reason to leave.
    @Test func aRefusedQuestionEndsNoSession() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.receive(broker.error(.keyNotForSystem))
        let actions = bench.take()
        #expect(bench.core.isOpen)
        #expect(
            actions.contains {
                if case .inquiriesRefused(let fault) = $0 { fault.code == .keyNotForSystem } else { false }
            })
    }

    @Test(arguments: [FaultCode.instanceConflict, .unknownKey, .draining])
    func refusedGreetingsAreToldAndTriedAgainLater(_ code: FaultCode) {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.start()
        bench.submit(1)
        bench.receive(broker.error(code))
        #expect(bench.core.lastFault?.code == code)
        guard case .waiting(let until) = bench.core.state else {
            Issue.record("must wait and try again")
            return
        }
        bench.now = until
        bench.advance(milliseconds: 0)
        let actions = bench.take()
        #expect(actions.reopens == 1 && actions.commands.last == .hello)
        bench.receive(broker.welcome())
        #expect(bench.take().submitted.map(\.id) == [ScriptedBroker.id(1)])
    }

    @Test func anyBytesAreSurvived() {
        let seed: UInt64 = 20_240_131
        var random = SplitMix(seed)
        var badFrames: UInt64 = 0
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        let good = [broker.welcome(), broker.accept(1), broker.ping(1), broker.reply(to: ScriptedBroker.id(1))]
        for _ in 0..<20_000 {
            var frame = good[Int.random(in: 0..<good.count, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                frame[Int.random(in: 0..<frame.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { frame.removeLast(Int.random(in: 0...frame.count, using: &random)) }
            bench.receive(frame)
            badFrames += bench.core.counters.badFrames
            // A changed log size may rightly end it for good: go on with a fresh one.
            bench = CoreBench()
            broker = ScriptedBroker()
            bench.open(&broker)
        }
        #expect(badFrames > 5000, "seed \(seed)")
    }
}
