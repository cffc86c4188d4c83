import BusDirectory
import BusEvidence
import BusProtocol
import Foundation
import Logging
import Testing

@testable import BusAgent

@Suite("The space, at the agent")
struct SpaceTests {
    private let authority = SigningKey()

    /// Two systems and a signing key: enough to see what was taken.
    private func space(_ note: String) -> Space {
        Space(
            id: "small", title: LocalizedName(en: "Small"), note: note,
            broker: BrokerFacts(id: "b", endpoint: "tcp://127.0.0.1:7400"),
            keys: [
                AgentKey(
                    agent: "portal-1", systems: ["portal"], curve: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
                    sign: "\(authority.publicKey)")
            ])
    }

    private func versions(_ notes: String...) throws -> [SignedSpace] {
        var found: [SignedSpace] = []
        for note in notes {
            found.append(try SignedSpace(SpaceSnapshot(space(note), after: found.last?.snapshot), by: authority))
        }
        return found
    }

    private func bench(_ held: SignedSpace? = nil) -> CoreBench {
        var bench = CoreBench(trust: SpaceTrust(authority: authority.publicKey, held: held))
        bench.start()
        return bench
    }

    private func welcome(_ broker: inout ScriptedBroker, _ space: SignedSpace) -> [UInt8] {
        broker.welcome {
            $0.spaceVersion = space.snapshot.version
            $0.spaceDigest = space.snapshot.digest.bytes
        }
    }

    private func hello(_ actions: [AgentAction]) throws -> Hello {
        let frame = try #require(actions.frames.first)
        return try frame.reading { raw throws(Fault) in
            var fields = try FrameHead(raw).fields(of: raw)
            return try Hello(&fields)
        }
    }

    @Test func nothingLeavesBeforeTheSpaceIsHere() throws {
        let space = try versions("one")[0]
        var broker = ScriptedBroker()
        var bench = bench()
        bench.submit(1)
        #expect(try hello(bench.take()).spaceVersion == 0)
        bench.receive(welcome(&broker, space))
        #expect(!bench.core.isOpen && !bench.take().commands.contains(.submit))
        bench.receive(broker.space(space))
        #expect(bench.core.isOpen)
        let actions = bench.take()
        #expect(actions.commands.contains(.submit))
        #expect(actions.remembered == [1])
        #expect(bench.core.directory?.signer(authority.publicKey.id)?.agent == "portal-1")
    }

    @Test func theSpaceHeldIsNamedAndNotSentAgain() throws {
        let space = try versions("one")[0]
        var broker = ScriptedBroker()
        var bench = bench(space)
        let hello = try hello(bench.take())
        #expect(hello.spaceVersion == 1 && hello.spaceDigest == space.snapshot.digest.bytes)
        bench.receive(welcome(&broker, space))
        #expect(bench.core.isOpen)
    }

    @Test func anOlderSpaceIsRefusedBeforeAnythingIsSaid() throws {
        let spaces = try versions("one", "two")
        var broker = ScriptedBroker()
        var bench = bench(spaces[1])
        bench.submit(1)
        bench.receive(welcome(&broker, spaces[0]))
        #expect(!bench.core.isOpen && bench.core.lastFault?.code == .spaceRefused)
        let actions = bench.take()
        #expect(!actions.commands.contains(.submit))
        #expect(actions.notices.contains(.spaceRefused))
        #expect(bench.core.trust.held == spaces[1])
    }

    @Test func aForkIsRefused() throws {
        let held = try versions("one", "two")
        let other = try versions("one", "another")
        var broker = ScriptedBroker()
        var bench = bench(held[1])
        bench.submit(1)
        bench.receive(welcome(&broker, other[1]))
        #expect(!bench.core.isOpen, "the same version with another digest is waited for")
        bench.receive(broker.space(other[1]))
        #expect(bench.core.lastFault?.code == .spaceRefused)
        #expect(!bench.take().commands.contains(.submit))
    }

    @Test func anotherAuthorityIsRefusedAndLookedAtAgainLater() throws {
        let space = try versions("one")[0]
        let forged = SignedSpace(space.snapshot, by: SigningKey())
        var broker = ScriptedBroker()
        var bench = bench()
        bench.receive(welcome(&broker, forged))
        bench.receive(broker.space(forged))
        #expect(bench.core.lastFault?.code == .spaceRefused)
        #expect(bench.core.directory == nil && bench.take().remembered == [])
        // The broker was mended.
        bench.advance(milliseconds: 60_000)
        #expect(bench.take().reopens == 1)
        bench.receive(welcome(&broker, space))
        bench.receive(broker.space(space))
        #expect(bench.core.isOpen)
    }

    @Test func aNewSpaceInTheMidstOfASessionIsTaken() throws {
        let spaces = try versions("one", "two")
        var broker = ScriptedBroker()
        var bench = bench(spaces[0])
        bench.receive(welcome(&broker, spaces[0]))
        _ = bench.take()
        bench.receive(broker.space(spaces[1]))
        #expect(bench.core.isOpen && bench.take().remembered == [2])
        bench.receive(broker.space(spaces[0]))
        #expect(!bench.core.isOpen && bench.core.lastFault?.code == .spaceRefused)
    }

    @Test func aBrokerThatKeepsTheSpaceBackGetsNothing() throws {
        let space = try versions("one")[0]
        var broker = ScriptedBroker()
        var bench = bench()
        bench.submit(1, deadlineMilliseconds: 600_000)
        bench.receive(welcome(&broker, space))
        bench.advance(milliseconds: 3000)
        #expect(bench.core.lastFault?.code == .brokerUnreachable)
        #expect(!bench.take().commands.contains(.submit))
    }

    @Test func withoutAnAuthorityWhatComesIsTaken() throws {
        let spaces = try versions("one", "two")
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.start()
        bench.receive(welcome(&broker, spaces[1]))
        #expect(bench.core.isOpen)
        bench.receive(broker.space(spaces[1]))
        bench.receive(broker.space(spaces[0]))
        #expect(bench.core.isOpen && bench.core.directory?.version == 1)
    }

    @Test func whatWasTakenOutlivesTheProcess() throws {
        let scratch = try Scratch()
        let space = try versions("one", "two")[1]
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let memory = SpaceMemory(directory: scratch.path, agent: "a-1", logger)
        #expect(memory.read(authority.publicKey).held == nil)
        memory.write(space)
        let next = SpaceMemory(directory: scratch.path, agent: "a-1", logger)
        #expect(next.read(authority.publicKey).held == space)
        #expect(next.read(SigningKey().publicKey).held == nil, "another authority begins anew")
        #expect(next.read(nil).held == nil)
    }
}

extension [AgentAction] {
    /// Versions of the spaces to be kept.
    var remembered: [UInt64] {
        compactMap { if case .remember(let space) = $0 { space.snapshot.version } else { nil } }
    }
    var notices: [FaultCode] { compactMap { if case .notice(let fault) = $0 { fault.code } else { nil } } }
}
