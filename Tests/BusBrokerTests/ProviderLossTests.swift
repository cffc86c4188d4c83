import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

@Suite struct ProviderLossTests {
    @Test func byeEndsWhatWasDelivered() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask()
        register.say(.bye)
        #expect(portal.outcomes(of: request) == [5022])
        world.pass(milliseconds: 3000)
        #expect(portal.outcomes(of: request) == [5022])
        #expect(world.journal.finished.map(\.hop) == [.providerAgent])
        world.expectIdle()
    }

    @Test func silenceEndsWhatWasDelivered() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask(remaining: 60_000)
        register.vanish()
        world.pass(milliseconds: 5000)
        #expect(portal.outcomes(of: request) == [5022])
    }

    @Test func anUnreachableRouteEndsWhatWasDelivered() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask(remaining: 60_000)
        world.core.unreachable(route: register.route, at: world.now)
        world.settle()
        #expect(portal.outcomes(of: request) == [5022])
        world.core.unreachable(route: register.route, at: world.now)
        world.core.unreachable(route: [0, 9, 9], at: world.now)
        #expect(world.core.liveSessions == 1)
    }

    @Test func whatWaitedForCreditGoesToAnotherAgent() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 1
        register.hello()
        let portal = TestAgent.portal(world)
        let requests = (0..<3).map { _ in portal.ask() }
        #expect(register.requests.map(\.header.id) == [requests[0]])
        let other = TestAgent.register2(world)
        register.say(.bye)
        #expect(portal.outcomes(of: requests[0]) == [5022])
        #expect(other.requests.map(\.header.id) == Array(requests[1...]))
        for request in requests[1...] { other.answer(request) }
        #expect(portal.outcomes(of: requests[1]) == [0])
        #expect(portal.outcomes(of: requests[2]) == [0])
        world.expectIdle()
    }

    @Test func withoutAnotherAgentWhatWaitedFailsToo() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        let request = portal.ask()
        register.say(.bye)
        #expect(portal.outcomes(of: request) == [5030])
    }

    @Test func aRequestWhoseProviderLeftWhileItWasWrittenFails() throws {
        let (world, register, portal) = try pair()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let request = portal.ask()
        register.say(.bye)
        world.commit()
        #expect(portal.outcomes(of: request) == [5030])
    }

    @Test func aConsumerThatLeavesLeavesNothingBehind() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask()
        portal.say(.bye)
        register.answer(request)
        world.pass(milliseconds: 100)
        #expect(register.refusedCodes.isEmpty)
        #expect(world.journal.finished.map(\.times.replyOut) == [0])
        world.expectIdle()
    }

    @Test func aDrainingAgentGetsNothingNew() throws {
        let (world, register, portal) = try pair()
        let other = TestAgent.register2(world)
        register.say(.drain)
        for _ in 0..<4 { portal.ask() }
        #expect(register.requests.isEmpty)
        #expect(other.requests.count == 4)
        other.say(.drain)
        let request = portal.ask()
        #expect(portal.outcomes(of: request) == [5030])
        world.core.agentViews(at: world.now).forEach { #expect($0.isDraining == ($0.agent != "portal-1")) }
    }
}
