import BusProtocol
import Testing

@testable import BusAgent

@Suite("What leaves an agent, when, and in which frames")
struct SendingTests {
    @Test func everythingGatheredLeavesInOneFrame() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        for number in 1...50 as ClosedRange<UInt64> { bench.submit(number) }
        bench.flush()
        let actions = bench.take()
        #expect(actions.heads(.submit).count == 1)
        #expect(actions.heads(.submit).first?.sequence == 1)
        #expect(actions.submitted.map(\.id) == (1...50).map { ScriptedBroker.id($0) })
    }

    @Test func framesCloseAtTheirTarget() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        for number in 1...5 as ClosedRange<UInt64> { bench.submit(number, body: [UInt8](repeating: 1, count: 40_000)) }
        bench.flush()
        let heads = bench.take().heads(.submit)
        #expect(heads.map(\.count) == [2, 2, 1])
        #expect(heads.map(\.sequence) == [1, 3, 5])
    }

    @Test func aThirdOfWhatIsUnderWayIsABurst() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        var seen = [bench.core.hasBurst]
        bench.open(&broker)
        func submit(_ numbers: ClosedRange<UInt64>) {
            for number in numbers { bench.submit(number) }
            seen.append(bench.core.hasBurst)
        }
        submit(1...31)
        submit(32...32)
        submit(33...200)
        bench.flush()
        seen.append(bench.core.hasBurst)
        submit(201...298)
        submit(299...299)
        #expect(seen == [false, false, true, true, false, false, true])
    }

    @Test func creditHoldsBackAndItsRiseLetsGo() {
        var broker = ScriptedBroker(messageLimit: 3)
        var bench = CoreBench()
        bench.open(&broker)
        for number in 1...5 as ClosedRange<UInt64> { bench.submit(number) }
        bench.flush()
        #expect(bench.take().submitted.count == 3)
        bench.receive(broker.credit())
        #expect(bench.take().submitted.isEmpty)
        broker.messageLimit = 4
        bench.receive(broker.credit())
        #expect(bench.take().submitted.map(\.id) == [ScriptedBroker.id(4)])
        broker.messageLimit = 3  // a lower limit is an old one, never taken back
        bench.receive(broker.credit())
        broker.messageLimit = 5
        bench.receive(broker.credit())
        #expect(bench.take().submitted.map(\.id) == [ScriptedBroker.id(5)])
    }

    @Test func creditInBytesCountsHeaderAndBody() {
        var broker = ScriptedBroker(byteLimit: 2500)
        var bench = CoreBench()
        bench.open(&broker)
        for number in 1...3 as ClosedRange<UInt64> { bench.submit(number, body: [UInt8](repeating: 1, count: 1000)) }
        bench.flush()
        #expect(bench.take().submitted.count == 2)
    }
}
