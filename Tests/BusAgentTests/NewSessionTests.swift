import BusProtocol
import Testing

@testable import BusAgent

@Suite("What an agent takes into a new session")
struct NewSessionTests {
    @Test func aNewSessionRepeatsTheSameBytes() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.submit(1)
        bench.submit(2)
        bench.submit(3, kind: .event)
        bench.flush()
        let first = bench.take().submitted
        bench.receive(broker.accept(1))
        bench.receive(broker.reply(to: ScriptedBroker.id(2)))
        bench.receive(broker.error(.notGreeted))
        #expect(bench.take().commands.last == .hello)
        bench.submit(4)
        bench.receive(broker.welcome())
        let actions = bench.take()
        #expect(actions.submitted.prefix(2) == [first[0], first[2]])
        #expect(actions.submitted.last?.id == ScriptedBroker.id(4))
        #expect(actions.heads(.submit).first?.sequence == 1)
        #expect(bench.core.counters.resubmitted == 2)
    }

    /// Else a line that breaks again and again fills an agent with copies of what it has not worked on yet.
    @Test func whatIsStillAtWorkHasItsPlaceInTheWindow() throws {
        var timing = AgentTiming()
        timing.windowMessages = 10
        var broker = ScriptedBroker()
        var bench = CoreBench(timing: timing)
        bench.open(&broker)
        for position in 1...6 as ClosedRange<UInt64> {
            bench.receive(broker.event("land.changed.v1", position: position))
        }
        let old = bench.take().deliveries
        #expect(old.count == 6)
        bench.receive(broker.error(.notGreeted))
        #expect(bench.take().heads(.hello).last?.messageLimit == 4)
        bench.receive(broker.welcome())
        for delivery in old { bench.core.settle(delivery, .handled) }
        bench.flush()
        #expect(bench.take().heads(.credit).last?.messageLimit == 10)
    }

    @Test func aReplyNotYetAcceptedIsRepeatedToo() throws {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.receive(broker.request("portal.status.v1"))
        let delivery = try #require(bench.take().deliveries.first)
        var header = Header(kind: .reply, id: ScriptedBroker.id(5), created: 9)
        header.correlation = delivery.envelope.header.id
        let reply = Submission(kind: .reply, id: header.id, header: header.encoded(), body: [9], answers: delivery.mark)
        bench.core.submit(reply, bench.clock, into: &bench.actions)
        bench.flush()
        let first = bench.take().submitted
        #expect(first.count == 1)
        bench.receive(broker.error(.notGreeted))
        bench.receive(broker.welcome())
        #expect(bench.take().submitted == first)
        bench.receive(broker.accept(1))
        #expect(bench.core.isQuiet)
    }

    @Test func settlingADeliveryOfAnOlderSessionSaysNothing() throws {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.receive(broker.event("a.b.v1", position: 1))
        let delivery = try #require(bench.take().deliveries.first)
        bench.receive(broker.error(.notGreeted))
        bench.receive(broker.welcome())
        _ = bench.take()
        bench.core.settle(delivery, .handled)
        bench.flush()
        #expect(bench.take().commands.isEmpty)
        #expect(bench.core.isQuiet)
    }

}
