import BusProtocol
import Testing

@testable import BusAgent

/// A broker that drains, and an agent that does.
@Suite("Draining, seen by the agent's core")
struct DrainTests {
    /// A draining broker waits for the answers of its open requests.
    @Test func whileTheBrokerDrainsOnlyEndsOfWorkLeave() throws {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.receive(broker.drain())
        bench.submit(1)
        bench.submit(2, kind: .reply)
        bench.submit(3, kind: .event)
        bench.submit(4, kind: .outcome)
        bench.flush()
        #expect(bench.take().submitted.map(\.id) == [2, 4].map { ScriptedBroker.id($0) })
        // The next session takes what waited.
        bench.receive(broker.accept(2))
        bench.receive(broker.bye())
        bench.advance(milliseconds: 2000)
        bench.receive(broker.welcome())
        #expect(Set(bench.take().submitted.map(\.kind)).isSuperset(of: [.request, .event]))
    }

    /// What waited for a draining broker until its deadline was not slow to be answered.
    @Test func aDrainingBrokerIsTheReason() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.receive(broker.drain())
        bench.submit(1)
        bench.flush()
        _ = bench.take()
        bench.advance(milliseconds: 6000)
        #expect(bench.take().faults.map(\.code) == [.draining])
    }

    /// Somebody waits for a tool: what has not left ends at once, and so does what comes then.
    @Test func aGuestDoesNotWaitForADrainingBroker() throws {
        var broker = ScriptedBroker()
        var bench = CoreBench(isGuest: true)
        bench.open(&broker)
        bench.submit(1)
        bench.flush()
        #expect(bench.take().submitted.map(\.id) == [ScriptedBroker.id(1)])
        bench.submit(2)
        bench.receive(broker.drain())
        #expect(bench.take().faults.map(\.code) == [.draining])
        bench.submit(3)
        #expect(bench.take().faults.map(\.code) == [.draining])
        bench.receive(broker.accept(1))
        bench.receive(broker.reply(to: ScriptedBroker.id(1)))
        #expect(bench.take().faults.isEmpty, "what has left is answered")
        #expect(bench.core.isQuiet)
    }

    /// Whether a draining broker has what left before the connection broke, only it can say; the same of an earlier attempt.
    @Test func aGuestAsksADrainingBrokerForWhatItMayHave() throws {
        var broker = ScriptedBroker()
        var bench = CoreBench(isGuest: true)
        bench.open(&broker)
        bench.submit(1, kind: .command)
        bench.flush()
        _ = bench.take()
        bench.receive(broker.bye())
        bench.advance(milliseconds: 2000)
        bench.receive(broker.welcome())
        #expect(bench.take().submitted.map(\.id) == [ScriptedBroker.id(1)])
        bench.receive(broker.drain())
        #expect(bench.take().faults.isEmpty)
        bench.submit(2, kind: .command, mayBeKnown: true)
        bench.flush()
        let actions = bench.take()
        #expect(actions.faults.isEmpty && actions.submitted.map(\.id) == [ScriptedBroker.id(2)])
        bench.receive(broker.accept(1))
        bench.advance(milliseconds: 6000)
        #expect(bench.take().faults.map(\.code) == [.deadlinePassed], "it is not known whether the broker has it")
    }

    @Test func drainFinishesWhatIsUnderWayAndSaysBye() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.submit(1)
        bench.flush()
        bench.core.drain(bench.clock, into: &bench.actions)
        bench.submit(2)
        #expect(bench.take().faults.map(\.code) == [.draining])
        bench.receive(broker.accept(1))
        #expect(bench.take().commands.isEmpty)
        bench.receive(broker.reply(to: ScriptedBroker.id(1)))
        // What the broker sent before it heard of DRAIN still comes.
        bench.advance(milliseconds: 99)
        #expect(bench.take().commands.allSatisfy { $0 == .report })
        bench.advance(milliseconds: 1)
        let actions = bench.take()
        #expect(actions.commands == [.bye])
        guard case .drained = actions.last else {
            Issue.record("drained must be the last action")
            return
        }
    }
}
