import BusDirectory
import BusProtocol
import Testing

@testable import BusBroker

/// Work goes to agents that take it, and to nobody else.
@Suite struct TakenWorkTests {
    private func register(_ world: World, taking rows: Takes.Row...) -> TestAgent {
        let agent = TestAgent(world, Spaces.registerKey, ["register"])
        agent.hello { $0.takes = Takes(rows) }
        return agent
    }

    /// What `kerege subscribe` is: a session that looks at events and has no hands for anything else.
    @Test func aGuestGetsOnlyWhatItTakes() throws {
        let world = try World()
        let guest = register(world, taking: .init(.event, Spaces.changed))
        let portal = TestAgent.portal(world)
        let command = portal.send()
        let request = portal.ask()
        world.pass(milliseconds: 100)
        #expect(guest.delivered.isEmpty)
        #expect(portal.outcomes(of: request) == [5030])
        // The system's own agent gets the command with all its attempts.
        let own = TestAgent.register2(world)
        #expect(own.commandsGot.map(\.header.id) == [command])
        #expect(own.commandsGot.first?.annotations.attempt == 1)
    }

    @Test func aCommandGoesToWhoeverHasAHandlerForIt() throws {
        let world = try World()
        let without = register(world, taking: .init(.request, Spaces.record), .init(.outcome))
        let with = TestAgent(world, Spaces.register2Key, ["register"])
        with.hello { $0.takes = Takes([.init(.command, Spaces.order)]) }
        let portal = TestAgent.portal(world)
        let commands = (0..<4).map { _ in portal.send() }
        let request = portal.ask()
        #expect(with.commandsGot.map(\.header.id) == commands)
        #expect(without.commandsGot.isEmpty)
        #expect(without.requests.map(\.header.id) == [request])
    }

    /// Outcomes are taken by whoever waits for them, rather than by whoever would drop them.
    @Test func whoNamesItGoesBeforeWhoTakesAll() throws {
        let world = try World()
        let general = register(world, taking: .init(.command))
        let named = TestAgent(world, Spaces.register2Key, ["register"])
        named.hello { $0.takes = Takes([.init(.command, Spaces.order)]) }
        let portal = TestAgent.portal(world)
        for _ in 0..<3 { portal.send() }
        #expect(named.commandsGot.count == 3 && general.commandsGot.isEmpty)
        named.say(.bye)
        #expect(general.commandsGot.count == 3)
    }

    /// What nobody takes waits in the same queue and holds up nobody; it may expire there.
    @Test func whatNobodyTakesStandsAside() throws {
        let other = "register.other-order.v1"
        let world = try World(
            try Spaces.space { space in
                space.services.append(OfferedServiceFixture.command(other))
                space.integrations.append(OfferedServiceFixture.integration("zz-portal-other", "portal", other, space))
            })
        let register = register(world, taking: .init(.command, Spaces.order))
        let portal = TestAgent.portal(world)
        let waiting = portal.send { $0.target = other }
        let expiring = portal.send {
            $0.target = other
            $0.expiry = world.now.wallMilliseconds + 500
        }
        let taken = portal.send()
        #expect(register.commandsGot.map(\.header.id) == [taken])
        #expect(world.core.queueViews(at: world.now).first { $0.kind == "commands" }?.depth == 3)
        world.pass(milliseconds: 600)
        #expect(portal.outcomesGot.map(\.header.correlation) == [expiring])
        // It registers another handler, and says so.
        var report = AgentReport(uptimeMilliseconds: 1, systems: [])
        report.takes = Takes([.init(.command, Spaces.order), .init(.command, other)])
        register.say(.report, report.encoded(), version: 2)
        #expect(register.commandsGot.map(\.header.id) == [taken, waiting])
        #expect(register.commandsGot.last?.annotations.attempt == 1)
        for item in register.commandsGot { register.settle(.ack, .init(position: item.annotations.position)) }
        #expect(world.core.queueViews(at: world.now).first { $0.kind == "commands" }?.depth == 0)
    }

    /// An agent that is slow with one service holds up nothing of what another agent of its system takes: not what has its bytes in
    /// memory, and not what is to be read from the journal.
    @Test(arguments: [10, 60_000]) func whoHasNoRoomHoldsUpNobodyElse(size: Int) throws {
        let other = "register.other-order.v1"
        let world = try World(
            try Spaces.space { space in
                space.services.append(OfferedServiceFixture.command(other))
                space.integrations.append(OfferedServiceFixture.integration("zz-portal-other", "portal", other, space))
            })
        let slow = TestAgent(world, Spaces.registerKey, ["register"])
        slow.messageLimit = 1
        slow.hello { $0.takes = Takes([.init(.command, Spaces.order)]) }
        let free = TestAgent(world, Spaces.register2Key, ["register"])
        free.hello { $0.takes = Takes([.init(.command, other)]) }
        let portal = TestAgent.portal(world)
        let body = String(repeating: "x", count: size)
        let held = (0..<120).map { _ in portal.send(body) }
        let others = (0..<3).map { _ in portal.send(body) { $0.target = other } }
        world.pass(milliseconds: 100)
        #expect(slow.commandsGot.map(\.header.id) == [held[0]])
        #expect(free.commandsGot.map(\.header.id) == others)
        // What waited comes in its order.
        slow.grant(messages: 4096)
        world.pass(milliseconds: 500)
        #expect(slow.commandsGot.map(\.header.id) == held)
        #expect(free.commandsGot.count == 3)
    }

    @Test func theQueueShowsHowManyTakeIt() throws {
        let world = try World()
        _ = register(world, taking: .init(.request))
        let portal = TestAgent.portal(world)
        portal.send()
        #expect(world.core.queueViews(at: world.now).first { $0.kind == "commands" }?.agents == 0)
        _ = TestAgent.register2(world)
        #expect(world.core.queueViews(at: world.now).first { $0.kind == "commands" }?.agents == 1)
    }

    /// Version 1 knows no such thing: whatever stands there, such a session takes everything.
    @Test func aSessionOfVersionOneTakesEverything() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.hello {
            $0.newestVersion = 1
            $0.takes = Takes([])
        }
        let command = TestAgent.portal(world).send()
        #expect(register.commandsGot.map(\.header.id) == [command])
    }
}
