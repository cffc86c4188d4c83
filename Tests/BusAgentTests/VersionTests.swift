import BusProtocol
import Testing

@testable import BusAgent

@Suite("Versions of the wire, at the agent")
struct VersionTests {
    /// WELCOME as the vectors recorded it when there was only version 1.
    static let firstWelcome: [UInt8] =
        Array("KRGE".utf8) + [1, 2] + zeros(10)
        + [0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0] + zeros(4) + [0x61, 0, 0, 0] + zeros(8)
        + [1, 3, 0, 0, 0xe8, 3, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0]
        + [0xf0, 0xe0, 0xd0, 0xc0, 0xb0, 0xa0, 0x90, 0x80, 0x70, 0x60, 0x50, 0x40, 0x30, 0x20, 0x10, 0]
        + [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x40, 0, 17, 0, 0, 0, 0, 0, 0, 0]
        + (0..<32).map { UInt8($0) } + [8] + Array("broker-1".utf8)

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    private static func versions(_ actions: [AgentAction]) -> Set<UInt8> { Set(actions.frames.map { $0[4] }) }

    @Test func withABrokerOfVersionOneNoLaterCommandLeaves() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.start()
        bench.receive(Self.firstWelcome)
        #expect(bench.core.isOpen && bench.core.welcome?.version == 1)
        let query = StateQuery(token: 1, consumer: "portal", commands: [ScriptedBroker.id(1)])
        #expect(!bench.core.inquire(.query, query.encoded(), into: &bench.actions))
        let seek = Seek(token: 1, start: .beginning, system: "portal", event: "individuals.birth.v1")
        #expect(!bench.core.inquire(.seek, seek.encoded(), into: &bench.actions))
        bench.submit(1)
        bench.submit(2, kind: .command)
        bench.flush()
        bench.receive(broker.ping(5))
        bench.receive(broker.event("individuals.birth.v1", position: 4))
        let event = bench.actions.deliveries.first
        if let event { bench.core.settle(event, .handled) }
        bench.advance(milliseconds: 1000)
        bench.core.close(into: &bench.actions)
        let actions = bench.take()
        #expect(Set(actions.commands).isSuperset(of: [.hello, .submit, .ack, .pong, .report, .bye]))
        #expect(Self.versions(actions) == [1])
        #expect(actions.commands.allSatisfy { $0.since == 1 })
    }

    @Test func withABrokerOfTheNewestVersionInquiriesLeaveInIt() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.start()
        #expect(Self.versions(bench.take()) == [1], "HELLO is written in the oldest version")
        bench.receive(broker.welcome())
        let query = StateQuery(token: 1, consumer: "portal", commands: [])
        #expect(bench.core.inquire(.query, query.encoded(), into: &bench.actions))
        bench.submit(1)
        bench.flush()
        let actions = bench.take()
        #expect(actions.commands.contains(.query))
        #expect(Self.versions(actions) == [FrameHead.newestVersion])
    }

    @Test func aVersionThatWasNotOfferedIsRefused() {
        var bench = CoreBench()
        bench.start()
        var frame = Self.firstWelcome
        frame[48] = 9
        // The digest of the space, which every version from 3 on has.
        frame += Self.zeros(32)
        frame[36] += 32
        bench.receive(frame)
        #expect(!bench.core.isOpen)
        #expect(bench.core.lastFault?.code == .badVersion)
    }

    /// An older broker took over: it cannot read the session's frames, which says nothing about the next HELLO.
    @Test func aBrokerThatStepsBackIsGreetedAgain() {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.open(&broker)
        bench.submit(1, deadlineMilliseconds: 600_000)
        bench.flush()
        bench.receive(broker.error(.badVersion))
        bench.receive(broker.error(.badVersion))
        #expect(bench.take().faults.isEmpty)
        bench.advance(milliseconds: 60_000)
        #expect(bench.take().reopens == 1)
        var frame = Self.firstWelcome
        frame[56] = 43
        bench.receive(frame)
        #expect(bench.core.isOpen)
        let again = bench.take()
        #expect(again.commands.contains(.submit))
        #expect(Self.versions(again) == [1])
        // The same complaint about HELLO is final.
        var other = CoreBench()
        other.start()
        other.submit(1)
        other.receive(broker.error(.badVersion))
        #expect(other.take().faults.map(\.code) == [.badVersion])
    }

    /// The key of the page's example: whoever writes it in another language gets the same bytes.
    @Test func theOrderKeyIsThatOfThePage() {
        let key = OrderKey.open(Array(#""000000000000""#.utf8), provider: "individuals")
        #expect(String(key, radix: 16) == "f40600d0542d2c9c286b8c07787f46c5")
    }
}
