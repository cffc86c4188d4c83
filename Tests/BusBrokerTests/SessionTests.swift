import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

@Suite struct SessionTests {
    @Test func helloIsAnsweredByWelcome() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let welcome = try #require(portal.welcomes.first)
        #expect(welcome.broker == 9)
        #expect(welcome.name == "broker")
        #expect(welcome.spaceVersion == 1)
        #expect(welcome.heartbeatMilliseconds == 1000)
        #expect(welcome.missedHeartbeats == 3)
        #expect(world.core.liveSessions == 1)
        world.pass(milliseconds: 100)
        #expect(world.journal.liveness.map(\.agent) == ["portal-1"])
    }

    @Test func aKeyThatIsNotInTheSpaceIsRefused() throws {
        let world = try World()
        let stranger = TestAgent(world, Spaces.unknownKey, ["portal"]).greeted()
        #expect(stranger.errors == [4010])
        #expect(world.core.liveSessions == 0)
    }

    @Test func systemsOfAnotherKeyAreRefused() throws {
        let world = try World()
        let portal = TestAgent(world, Spaces.portalKey, ["portal", "register"]).greeted()
        #expect(portal.errors == [4011])
        #expect(world.core.liveSessions == 0)
    }

    @Test func anotherVersionIsRefused() throws {
        let world = try World()
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.hello {
            $0.oldestVersion = 9; $0.newestVersion = 12
        }
        #expect(portal.errors == [4001])
    }

    @Test func aReceiptThisLogDoesNotHaveIsRefused() throws {
        let world = try World(treeSize: 5)
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.hello { $0.treeSize = 6 }
        #expect(portal.errors == [4092])
        portal.hello {
            $0.treeSize = 5; $0.root = [UInt8](repeating: 1, count: 32)
        }
        #expect(portal.errors == [4092, 4092])
        portal.hello {
            $0.treeSize = 5; $0.root = world.core.treeRoot
        }
        #expect(portal.welcomes.count == 1)
    }

    /// A log restored from an old copy and grown past the receipt has another root where the receipt ends.
    @Test func aReceiptOfAnEarlierSizeIsHeldAgainstTheLogAsItWas() throws {
        let world = try World()
        let register = TestAgent.register(world)
        register.publish()
        let (size, root) = (world.core.treeSize, world.core.treeRoot)
        register.publish()
        register.publish()
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.hello {
            $0.treeSize = size; $0.root = [UInt8](repeating: 7, count: 32)
        }
        #expect(portal.errors == [4092])
        portal.hello {
            $0.treeSize = size; $0.root = root
        }
        #expect(portal.errors == [4092])
        #expect(portal.welcomes.count == 1)
    }

    @Test func aSecondInstanceIsRefusedUntilTheFirstIsSilent() throws {
        let world = try World()
        let first = TestAgent.portal(world)
        let second = TestAgent(world, Spaces.portalKey, ["portal"], instance: 2, route: "second").greeted()
        #expect(second.errors == [4091])
        #expect(world.core.liveSessions == 1)
        first.vanish()
        world.pass(milliseconds: 2900)
        second.hello()
        #expect(second.errors == [4091, 4091])
        world.pass(milliseconds: 200)
        second.hello()
        #expect(second.welcomes.count == 1)
        #expect(world.core.liveSessions == 1)
    }

    @Test func byeMakesRoomAtOnce() throws {
        let world = try World()
        let first = TestAgent.portal(world)
        first.say(.bye)
        #expect(world.core.liveSessions == 0)
        let second = TestAgent(world, Spaces.portalKey, ["portal"], instance: 2, route: "second").greeted()
        #expect(second.welcomes.count == 1)
    }

    @Test func anAgentIsGivenUpAfterItsSilenceAndNotEarlier() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 10_000)
        #expect(world.core.liveSessions == 1)
        portal.answersPings = false
        // It was heard less than an interval ago, and is given up at the first beat after three.
        world.pass(milliseconds: 1900)
        #expect(world.core.liveSessions == 1)
        world.pass(milliseconds: 2200)
        #expect(world.core.liveSessions == 0)
    }

    @Test func aPauseOfTheBrokerItselfEndsNobody() throws {
        let world = try World()
        _ = TestAgent.portal(world)
        world.pass(milliseconds: 2000)
        world.now.monotonic += 60_000_000
        world.pass(milliseconds: 8)
        #expect(world.core.liveSessions == 1)
        world.pass(milliseconds: 5000)
        #expect(world.core.liveSessions == 1)
    }

    @Test func framesBeforeHelloAreNotTaken() throws {
        let world = try World()
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.ask()
        #expect(portal.errors == [4009])
        #expect(world.core.openCalls == 0)
    }

    /// The route is a peer's claim; the key is proven.
    @Test func aForgedRouteHasNoRights() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let frame = EnvelopeFrame.encode(
            {
                var head = FrameHead(.submit); head.sequence = 1; return head
            }(),
            [OutgoingEnvelope(header: portal.request().encoded()[...], body: [])])
        portal.raw(frame, as: Spaces.bankKey)
        #expect(portal.errors == [4009])
        #expect(world.core.openCalls == 0)
        #expect(world.core.liveSessions == 1)
    }

    /// The first connection broke unseen; another agent got its routing id. The first one's mail must not go there.
    @Test func whoTakesOverARouteTakesOverNoSession() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent.portal(world)
        let request = portal.ask()
        let thief = TestAgent(world, Spaces.bankKey, ["bank"], route: portal.key)
        #expect(thief.route == portal.route)
        thief.hello()
        #expect(thief.welcomes.count == 1)
        register.answer(request)
        world.pass(milliseconds: 50)
        #expect(thief.delivered.isEmpty)
        #expect(world.core.liveSessions == 2)
        // And the new owner of the route is reachable under it.
        thief.clear()
        thief.publish()
        #expect(thief.refusedCodes == [4011])
    }

    @Test func theSameInstanceResumesAsConsumer() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent.portal(world)
        let request = portal.ask()
        portal.reconnect("again")
        #expect(portal.welcomes.count == 2)
        #expect(portal.welcomes[0].session != portal.welcomes[1].session)
        #expect(world.core.liveSessions == 2)
        register.answer(request)
        #expect(portal.outcomes(of: request) == [0])
        world.expectIdle()
    }

    @Test func theSameInstanceResumesAsProvider() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent.portal(world)
        let request = portal.ask()
        #expect(register.requests.map(\.header.id) == [request])
        register.reconnect("again")
        register.answer(request)
        #expect(portal.outcomes(of: request) == [0])
        world.expectIdle()
    }

    /// What waited for credit under the old session is delivered under the new one.
    @Test func aResumingProviderGetsWhatWaitedForItsCredit() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        let request = portal.ask()
        #expect(register.requests.isEmpty)
        register.messageLimit = 100
        register.reconnect("again")
        #expect(register.requests.map(\.header.id) == [request])
        register.answer(request)
        #expect(portal.outcomes(of: request) == [0])
        world.expectIdle()
    }

    @Test func aResumingConsumerGetsTheRepliesThatWaitedForItsCredit() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.messageLimit = 0
        portal.hello()
        let request = portal.ask()
        register.answer(request)
        #expect(portal.replies.isEmpty)
        portal.messageLimit = 10
        portal.reconnect("again")
        #expect(portal.outcomes(of: request) == [0])
        world.expectIdle()
    }

    /// HELLO twice on one connection, as after an ERROR.
    @Test func aSecondHelloOnTheSameConnectionBeginsANewSession() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent.portal(world)
        portal.ask()
        portal.hello()
        let request = portal.ask()
        #expect(portal.errors.isEmpty)
        #expect(register.requests.count == 2)
        register.answer(request)
        #expect(portal.outcomes(of: request) == [0])
    }

    @Test func tooManyAgentsAreRefusedAndTheKnownOnesStay() throws {
        var limits = BrokerLimits()
        limits.sessions = 2
        let world = try World(limits: limits)
        _ = TestAgent.register(world)
        let portal = TestAgent.portal(world)
        let bank = TestAgent.bank(world)
        #expect(bank.errors == [4291])
        portal.reconnect("again")
        #expect(portal.welcomes.count == 2)
    }

    @Test func aReportIsObserved() throws {
        let world = try World()
        let register = TestAgent.register(world)
        world.observations = []
        let report = AgentReport(
            uptimeMilliseconds: 77,
            systems: [
                .init(system: "register", dataUpdatedAt: 5, healthy: false),
                .init(system: "portal", dataUpdatedAt: 5, healthy: true),
            ])
        register.say(.report, report.encoded())
        let beats = world.observations.compactMap { observation -> (String, UInt64, Bool)? in
            if case .heartbeat(let system, _, let uptime, _, let healthy, _) = observation {
                return (system, uptime, healthy)
            }
            return nil
        }
        #expect(beats.map(\.0) == ["register"], "an agent reports of its own systems only")
        #expect(beats.map(\.1) == [77])
        #expect(beats.map(\.2) == [false])
        #expect(world.core.agentViews(at: world.now).first?.uptime == 77)
    }
}

@Suite struct BadFrameTests {
    /// Frames no broker can take, and what they are answered with.
    static let bad: [(name: String, code: UInt16, frame: [UInt8])] = [
        ("nothing", 4000, []),
        ("short", 4000, [1, 2, 3]),
        ("noise", 4000, [UInt8](repeating: 0xa5, count: 300)),
        ("magic only", 4000, Array("KRGE".utf8)),
        ("version", 4001, patched(FrameHead(.ping).frame([0, 0, 0, 0, 0, 0, 0, 0]), at: 4, with: 77)),
        ("command", 4002, patched(FrameHead(.ping).frame(), at: 5, with: 200)),
        ("welcome", 4002, FrameHead(.welcome).frame()),
        ("accept", 4002, FrameHead(.accept).frame()),
        ("deliver", 4002, FrameHead(.deliver).frame()),
        ("error", 4002, FrameHead(.error).frame()),
        ("longer than its head says", 4000, FrameHead(.ping).frame([0, 0, 0, 0, 0, 0, 0, 0]) + [1]),
        ("a pong without token", 4000, FrameHead(.pong).frame([1])),
        ("a ping, which only brokers send", 4002, FrameHead(.ping).frame([0, 0, 0, 0, 0, 0, 0, 0])),
        ("an empty report", 4000, FrameHead(.report).frame()),
        ("a report of everything", 4000, FrameHead(.report).frame([UInt8](repeating: 0xff, count: 64))),
        ("an ack of 4 billion rows", 4000, FrameHead(.ack).frame([0xff, 0xff, 0xff, 0xff])),
        ("a submit without entries", 4000, sequenced(FrameHead(.submit)).frame()),
        ("a submit whose count lies", 4000, lying()),
    ]

    private static func patched(_ frame: [UInt8], at index: Int, with byte: UInt8) -> [UInt8] {
        var frame = frame
        frame[index] = byte
        return frame
    }

    private static func sequenced(_ head: FrameHead) -> FrameHead {
        var head = head
        head.sequence = 1
        return head
    }

    private static func lying() -> [UInt8] {
        var head = sequenced(FrameHead(.submit))
        head.count = 1000
        return head.frame([0, 0, 0, 0])
    }

    @Test(arguments: bad) func aBadFrameIsToldAndCountedAndHarmsNobody(name: String, code: UInt16, frame: [UInt8])
        throws
    {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent.portal(world)
        let before = world.core.counters.badFrames
        portal.raw(frame)
        #expect(portal.errors == [code], "\(name)")
        #expect(world.core.counters.badFrames == before + 1)
        let request = portal.ask()
        register.answer(request)
        #expect(portal.outcomes(of: request) == [0], "after \(name)")
    }

    @Test func bytesAtRandomHarmNobody() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = Seeded(seed)
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent.portal(world)
        let good = EnvelopeFrame.encode(
            Self.sequenced(FrameHead(.submit)),
            [OutgoingEnvelope(header: portal.request().encoded()[...], body: Array("{}".utf8)[...])])
        for round in 0..<3000 {
            // Half of it noise behind a right head, half of it a good frame with some bytes changed.
            var frame = good
            if round % 2 == 0 {
                let command =
                    Command.allCases.filter { $0 != .bye && $0 != .drain }.randomElement(using: &random) ?? .ping
                frame = FrameHead(command).frame(
                    (0..<Int.random(in: 0...90, using: &random)).map { _ in .random(in: 0...255, using: &random) })
            } else {
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    frame[.random(in: 6..<frame.count, using: &random)] = .random(in: 0...255, using: &random)
                }
            }
            portal.raw(frame)
            portal.clear()
        }
        portal.hello()
        let request = portal.ask()
        register.answer(request)
        #expect(portal.outcomes(of: request) == [0])
    }

    @Test func aMalformedMessageIsCounted() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        world.core.receiveMalformed(from: portal.route, Fault(.tooManyParts, at: .broker))
        world.settle()
        #expect(portal.errors == [4006])
        #expect(world.core.counters.badFrames == 1)
    }
}
