import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

@Suite struct LoadTests {
    @Test func twoAgentsShareTheWork() throws {
        let (_, register, portal) = try pair()
        let other = TestAgent.register2(register.world)
        for _ in 0..<10 { portal.ask() }
        #expect(register.requests.count == 5)
        #expect(other.requests.count == 5)
    }

    @Test func theFasterAgentGetsMore() throws {
        let (_, register, portal) = try pair()
        let slow = TestAgent.register2(register.world)
        for _ in 0..<10 {
            let request = portal.ask()
            if register.requests.last?.header.id == request { register.answer(request) }
        }
        #expect(slow.requests.count == 1)
        #expect(register.requests.count == 9)
    }

    @Test func withoutCreditRequestsWaitThenFlow() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 2
        register.hello()
        let portal = TestAgent.portal(world)
        let requests = (0..<6).map { _ in portal.ask() }
        #expect(register.requests.count == 2)
        register.grant(messages: 5)
        #expect(register.requests.map(\.header.id) == Array(requests[..<5]))
        #expect(register.requests.map(\.sequence) == [1, 2, 3, 4, 5])
        register.grant(messages: 3)
        #expect(register.requests.count == 5, "limits never fall")
        register.grant(messages: 6)
        #expect(register.requests.map(\.header.id) == requests)
        for request in requests { register.answer(request) }
        world.expectIdle()
    }

    @Test func creditCountsBytesToo() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.byteLimit = 5000
        register.hello()
        let portal = TestAgent.portal(world)
        for _ in 0..<3 { portal.ask(body: [UInt8](repeating: 1, count: 2000)) }
        #expect(register.requests.count == 2)
        register.grant(messages: 100, bytes: 10_000)
        #expect(register.requests.count == 3)
    }

    @Test func aFullQueueIsTold() throws {
        var limits = BrokerLimits()
        limits.waitingMessages = 2
        let world = try World(limits: limits)
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        let requests = (0..<3).map { _ in portal.ask() }
        #expect(portal.outcomes(of: requests[2]) == [4291])
        #expect(portal.outcomes(of: requests[1]).isEmpty)
        world.pass(milliseconds: 2100)
        #expect(portal.outcomes(of: requests[0]) == [4080])
        #expect(world.core.calls.count == 0)
    }

    @Test func tooManyOpenRequestsAreRefused() throws {
        var limits = BrokerLimits()
        limits.calls = 2
        let (world, register, portal) = try pair(limits: limits)
        let first = portal.ask()
        portal.ask()
        portal.ask()
        #expect(portal.refusedCodes == [4291])
        #expect(portal.refused.first?.retryAfterMilliseconds == 100)
        register.answer(first)
        portal.ask()
        #expect(portal.refusedCodes == [4291])
        world.pass(milliseconds: 2100)
        world.expectIdle()
    }

    @Test func moreThanTheCreditIsRefused() throws {
        let (world, _, portal) = try pair()
        world.commitsAtOnce = false
        world.pass(milliseconds: 100)
        world.commit()
        for _ in 0..<4 { portal.submit((0..<1024).map { _ in (portal.request(), []) }) }
        portal.ask()
        portal.ask()
        while world.writing != nil { world.commit() }
        #expect(portal.refused.map(\.sequence) == [4097, 4098])
        #expect(portal.refusedCodes == [4290, 4290])
        #expect(portal.accepts.last?.sequence == 4098)
    }

    @Test func whoFloodsFarOverItsCreditIsSentAway() throws {
        var limits = BrokerLimits()
        limits.refusedRows = 100
        let (world, register, portal) = try pair(limits: limits)
        world.commitsAtOnce = false
        portal.ask()
        portal.submit((0..<200).map { _ in (portal.request("nobody.x.v1"), []) })
        #expect(portal.errors == [4290])
        #expect(world.core.liveSessions == 1)
        world.commit()
        world.commit()
        #expect(register.requests.count == 1)
    }
}
