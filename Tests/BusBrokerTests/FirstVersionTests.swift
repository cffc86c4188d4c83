import BusDirectory
import BusProtocol
import Testing

@testable import BusBroker

/// Agents that speak only version 1 go on working with today's broker. What they send is recorded, not made by today's code.
@Suite struct FirstVersionTests {
    /// A broker in the space the vectors speak of, at their time. Every frame that leaves for an agent of version 1 is looked at.
    final class Past {
        static let created: Int64 = 1_767_225_600_000
        static let registerKey = "aq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
        static let estateKey = "bq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
        static let notaryKey = "cq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

        let world: World
        private(set) var frames = 0

        init() throws {
            // The recorded HELLO holds a receipt for 17 records.
            world = try World(try Self.space(), treeSize: 20)
            world.now.wall = Self.created * 1000
            world.watch = { [unowned self] _, frame in
                frames += 1
                #expect(frame[4] == 1, "a frame of version \(frame[4]) left for an agent of version 1")
                #expect(frame[5] <= 15, "command \(frame[5]) is none of version 1")
            }
        }

        private static func space() throws -> Space {
            try Spaces.space { space in
                let more = [
                    ("portal-person", "portal", "individuals.person-get.v1", Integration.Stage.approved),
                    ("portal-birth", "portal", "individuals.birth.v1", .approved),
                    ("notary-encumbrance", "e-notary", "real-estate.encumbrance-impose.v12", .approved),
                ]
                for (id, consumer, service, stage) in more {
                    var integration = space.integrations[0]
                    (integration.id, integration.consumer, integration.service) = (id, consumer, service)
                    integration.stage = stage
                    space.integrations.append(integration)
                }
                space.systems += ["individuals", "real-estate", "e-notary"].map {
                    InformationSystem(id: $0, owner: "ministry", status: .operation)
                }
                space.services += [
                    OfferedService(
                        name: "individuals.person-get.v1", kind: .request, system: "individuals", deadline: .seconds(5)),
                    OfferedService(name: "individuals.birth.v1", kind: .event, system: "individuals"),
                    OfferedService(
                        name: "real-estate.encumbrance-impose.v12", kind: .command, system: "real-estate",
                        deadline: .seconds(60)),
                ]
                space.keys += [
                    AgentKey(agent: "individuals-1", systems: ["individuals"], curve: registerKey),
                    AgentKey(agent: "real-estate-1", systems: ["real-estate"], curve: estateKey),
                    AgentKey(agent: "e-notary-1", systems: ["e-notary"], curve: notaryKey),
                ]
            }
        }

        /// The recorded HELLO is the portal's; the others say it with names of their own.
        func portal() throws -> TestAgent {
            let agent = TestAgent(world, Spaces.portalKey, ["portal"])
            agent.raw(try Recorded.frame("hello"))
            return agent
        }

        func agent(_ key: String, _ system: String) -> TestAgent {
            let agent = TestAgent(world, key, [system], route: system)
            agent.hello { $0.newestVersion = 1 }
            return agent
        }

        /// A recorded header in a frame of its own.
        func submit(_ name: String, _ body: String, from agent: TestAgent, sequence: UInt64 = 1) throws {
            var head = FrameHead(.submit)
            (head.sequence, head.messageLimit, head.byteLimit) = (sequence, 4096, 16_777_216)
            let envelope = OutgoingEnvelope(header: try Recorded.header(name)[...], body: Array(body.utf8)[...])
            let frame = EnvelopeFrame.encode(head, [envelope])
            #expect(frame[4] == 1)
            agent.raw(frame)
        }
    }

    @Test func aRequestAndItsReply() throws {
        let past = try Past()
        let (portal, register) = (try past.portal(), past.agent(Past.registerKey, "individuals"))
        #expect(portal.welcomes.map(\.version) == [1])
        #expect(register.welcomes.map(\.version) == [1])
        portal.raw(try Recorded.frame("submit-one-request"))
        let request = try #require(register.requests.first)
        #expect(request.body == Array(#"{"iin":"000000000000"}"#.utf8))
        #expect(try request.header.encoded() == Recorded.header("request"))
        try past.submit("reply", "{}", from: register)
        #expect(try portal.replies.map { $0.header.encoded() } == [Recorded.header("reply")])
        past.world.pass(milliseconds: 50)
        #expect(portal.accepts.last?.sequence == 1)
        #expect(portal.errors.isEmpty && register.errors.isEmpty)
        #expect(past.frames > 6)
    }

    @Test func anEventAndItsACK() throws {
        let past = try Past()
        let (portal, register) = (try past.portal(), past.agent(Past.registerKey, "individuals"))
        try past.submit("event-with-everything", "{}", from: register)
        #expect(register.refusedCodes.isEmpty)
        let event = try #require(portal.events.first)
        #expect(try event.header.encoded() == Recorded.header("event-with-everything"))
        portal.settle(.ack, .init(position: event.annotations.position))
        #expect(past.world.core.book.depth == 0)
        #expect(portal.errors.isEmpty)
    }

    @Test func aCommandIsAcceptedDeliveredAndConcluded() throws {
        let past = try Past()
        let notary = past.agent(Past.notaryKey, "e-notary")
        let estate = past.agent(Past.estateKey, "real-estate")
        try past.submit("command", "{}", from: notary)
        #expect(notary.refusedCodes.isEmpty)
        #expect(notary.accepts.map(\.sequence) == [1])
        let command = try #require(estate.commandsGot.first)
        #expect(command.header.orderKey == UInt128(0xabab_abab_abab_abab) << 64 | 0xabab_abab_abab_abab)
        estate.conclude(command.header.id, for: "e-notary") { $0.target = command.header.target }
        estate.settle(.ack, .init(position: command.annotations.position))
        let outcome = try #require(notary.outcomesGot.first)
        notary.settle(.ack, .init(position: outcome.annotations.position))
        #expect(past.world.core.book.depth == 0)
        #expect(estate.refusedCodes.isEmpty && notary.errors.isEmpty && estate.errors.isEmpty)
    }

    /// Its version has no QUERY, even when the frame claims a version that has.
    @Test(arguments: [1, 2] as [UInt8]) func aCommandOfALaterVersionIsUnknown(_ version: UInt8) throws {
        let past = try Past()
        let portal = try past.portal()
        let id = past.world.id()
        portal.say(.query, StateQuery(token: 1, consumer: "portal", commands: [id]).encoded(), version: version)
        portal.say(
            .seek, Seek(token: 1, start: .beginning, system: "portal", event: "individuals.birth.v1").encoded(),
            version: version)
        #expect(portal.errors == [4002, 4002])
        #expect(portal.states.isEmpty && portal.dones.isEmpty)
        // The session goes on.
        portal.raw(try Recorded.frame("submit-one-request"))
        #expect(portal.refusedCodes == [5030])
    }

    @Test func drainPingAndByeAreSpokenInVersionOne() throws {
        let past = try Past()
        let portal = try past.portal()
        past.world.pass(milliseconds: 1500)
        past.world.core.drain(at: past.world.now)
        past.world.settle()
        past.world.core.sayGoodbye()
        past.world.settle()
        #expect(portal.commands == [.drain, .bye])
        #expect(portal.errors.isEmpty)
    }

    /// Both in one space: each session has its own version, and errors are told in it.
    @Test func everySessionIsAnsweredInItsOwnVersion() throws {
        let world = try World()
        var versions: [[UInt8]: Set<UInt8>] = [:]
        world.watch = { route, frame in versions[route, default: []].insert(frame[4]) }
        let (portal, register) = (TestAgent(world, Spaces.portalKey, ["portal"]), TestAgent.register(world))
        portal.hello { $0.newestVersion = 1 }
        portal.ask()
        register.answer(try #require(register.requests.first).header.id)
        register.say(.welcome)
        portal.say(.welcome)
        world.pass(milliseconds: 1500)
        #expect(portal.errors == [4002] && register.errors == [4002])
        #expect(portal.replies.count == 1)
        #expect(versions == [portal.route: [1], register.route: [FrameHead.newestVersion]])
    }

    @Test(arguments: [(4, 9), (0, 0), (2, 1)] as [(UInt8, UInt8)])
    func noCommonVersionIsToldInOneTheAgentCanRead(_ oldest: UInt8, _ newest: UInt8) throws {
        let past = try Past()
        let agent = TestAgent(past.world, Spaces.portalKey, ["portal"])
        agent.hello { ($0.oldestVersion, $0.newestVersion) = (oldest, newest) }
        #expect(agent.errors == [4001])
        #expect(agent.welcomes.isEmpty)
    }

    /// An agent that no longer speaks version 1 says HELLO in version 2, and could not read a refusal in another.
    @Test func aRefusalIsWrittenInTheVersionOfItsFrame() throws {
        let world = try World()
        var versions: [UInt8] = []
        world.watch = { _, frame in versions.append(frame[4]) }
        let agent = TestAgent(world, Spaces.unknownKey, ["portal"])
        var hello = Hello(instance: 1, agent: "test", software: "test", systems: ["portal"])
        hello.oldestVersion = 2
        agent.raw(FrameHead(.hello, version: 2).frame(hello.encoded()))
        agent.say(.pong, Heartbeat.encode(1), version: 2)
        #expect(agent.errors == [4010, 4009])
        #expect(versions == [2, 2])
    }
}
