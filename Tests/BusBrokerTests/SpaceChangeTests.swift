import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

@Suite struct SpaceChangeTests {
    /// Systems, integrations, keys and events that sort before the old ones, so that every index moves.
    private func shifted(_ change: (inout Space) -> Void = { _ in }) throws -> Space {
        let base = try Spaces.space()
        guard let first = base.integrations.first else { throw Spaces.Missing() }
        var early = first
        early.id = "aa-first"
        early.consumer = "aaa"
        early.stage = .approved
        var space = Space(
            id: base.id, title: base.title, broker: base.broker, thresholds: base.thresholds, agencies: base.agencies,
            systems: base.systems + [InformationSystem(id: "aaa", owner: "ministry", status: .operation)],
            services: base.services + [OfferedService(name: "aaa.thing-changed.v1", kind: .event, system: "aaa")],
            integrations: base.integrations + [early],
            keys: base.keys + [AgentKey(agent: "aaa-1", systems: ["aaa"], curve: Spaces.unknownKey)])
        change(&space)
        return space
    }

    @Test func openRequestsAndEventsTakeOverTheNewIndices() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.pass(milliseconds: 100)
        let delivered = portal.ask()
        world.commitsAtOnce = false
        let writing = portal.ask()
        let event = register.publish("on its way")
        world.core.apply(try SpaceSnapshot(try shifted(), after: world.core.rights.snapshot), at: world.now)
        let newcomer = TestAgent(world, Spaces.unknownKey, ["aaa"]).greeted()
        #expect(newcomer.welcomes.count == 1)
        world.commitsAtOnce = true
        world.commit()
        world.settle()
        #expect(register.requests.map(\.header.id) == [delivered, writing], "and nothing to another system")
        #expect(newcomer.requests.isEmpty)
        #expect(portal.events.map(\.header.id) == [event])
        // Who asked is still known by its key.
        portal.ask(id: writing)
        #expect(portal.refusedCodes.isEmpty)
        for request in [delivered, writing] { register.answer(request) }
        portal.settle(.ack, .init(position: try #require(portal.events.first).annotations.position))
        world.pass(milliseconds: 100)
        #expect(portal.outcomes(of: writing) == [0])
        #expect(world.journal.finished.map(\.integration) == [4, 4], "portal-record is the last of five")
        #expect(world.journal.settled.map(\.integration) == [3])
        #expect(world.journal.settled.map(\.subscriber) == ["portal"])
    }

    @Test func aRevokedKeyIsDismissedAtOnce() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let request = portal.ask()
        try world.apply(try Spaces.space { space in space.keys.removeAll { $0.curve == Spaces.registerKey } })
        #expect(register.errors == [4010])
        #expect(portal.outcomes(of: request) == [5022])
        #expect(world.core.liveSessions == 1)
        register.answer(request)
        #expect(register.errors == [4010, 4009])
        register.hello()
        #expect(register.errors == [4010, 4009, 4010])
    }

    @Test func whatWaitedForARevokedAgentGoesToOneThatStays() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        let request = portal.ask()
        let other = TestAgent.register2(world)
        try world.apply(try Spaces.space { space in space.keys.removeAll { $0.curve == Spaces.registerKey } })
        #expect(other.requests.map(\.header.id) == [request])
    }

    @Test func aNewRightHoldsWithTheNextMessage() throws {
        let world = try World()
        let (register, bank) = (TestAgent.register(world), TestAgent.bank(world))
        bank.ask()
        #expect(bank.refusedCodes == [4031])
        try world.apply(try Spaces.space { $0.integrations[1].stage = .testing })
        let request = bank.ask()
        #expect(register.requests.map(\.header.id) == [request])
        try world.apply(try Spaces.space { $0.integrations[1].stage = .retired })
        bank.ask()
        #expect(bank.refusedCodes == [4031, 4031])
        register.answer(request)
        #expect(bank.outcomes(of: request) == [0], "what was accepted goes on")
        #expect(world.journal.payloads(.space).count == 2)
    }

    /// The provider, the event type and its subscribers leave the space while everything is under way.
    @Test func whatLeavesTheSpaceLeavesNothingBehind() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 100)
        let waiting = portal.ask()
        register.publish("pending")
        world.commitsAtOnce = false
        let writing = portal.ask()
        register.publish("being written")
        try world.apply(
            try Spaces.space { space in
                space.systems.removeAll { $0.id == "register" }
                space.services = []
                space.integrations = []
                space.keys.removeAll { $0.agent != "portal-1" }
            })
        world.commitsAtOnce = true
        world.commit()
        #expect(portal.outcomes(of: waiting) == [5030])
        #expect(portal.outcomes(of: writing) == [5030])
        world.pass(milliseconds: 3000)
        #expect(portal.events.count == 1, "what came before; nothing after its subscription is gone")
        #expect(
            world.core.book.depth == 4, "what was accepted for two stays owed to both: the subscriptions may come back")
        #expect(world.journal.finished.allSatisfy { $0.integration == .max })
        world.expectIdle()
    }
}
