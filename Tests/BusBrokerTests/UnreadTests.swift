import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

/// A peer that grants endless credit and does not read, or does not settle, costs a bounded piece of memory.
@Suite struct UnreadTests {
    /// Counts what leaves for one agent.
    private final class Meter {
        var bytes = 0
        var frames = 0
    }

    private func watch(_ agent: TestAgent, _ world: World) -> Meter {
        let meter = Meter()
        let route = agent.route
        world.watch = { to, frame in
            guard to == route else { return }
            meter.bytes += frame.count
            meter.frames += 1
        }
        return meter
    }

    private func greedy(_ world: World) -> TestAgent {
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.messageLimit = .max / 4
        portal.byteLimit = .max / 4
        portal.answersPings = false
        return portal.greeted()
    }

    private static let body = String(repeating: "x", count: 60_000)

    @Test func whoDoesNotReadGetsNoMoreThanTheWindow() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = greedy(world)
        let meter = watch(portal, world)
        for number in 0..<600 {
            register.publish("\(number) \(Self.body)")
            register.clear()
        }
        // 600 × 60 KB are 36 MB.
        #expect(meter.bytes > world.core.limits.unreadBytes / 2)
        #expect(meter.bytes <= world.core.limits.unreadBytes + 2 * Limits.frameTarget)
        // It reads on: everything comes.
        portal.answersPings = true
        for _ in 0..<20 {
            portal.answerPings()
            for item in portal.events { portal.settle(.ack, .init(position: item.annotations.position)) }
            if meter.bytes > 600 * Self.body.utf8.count { break }
        }
        #expect(meter.bytes > 600 * Self.body.utf8.count)
        #expect(Set(portal.events.map(\.header.id)).count == 600)
    }

    /// Answers a PING only by its token; a guess, or the token of another PING, frees nothing that was sent later.
    @Test func aGuessedTokenProvesNothing() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = greedy(world)
        let meter = watch(portal, world)
        for number in 0..<400 {
            register.publish("\(number) \(Self.body)")
            register.clear()
        }
        let before = meter.bytes
        for token in [0, 1, 2, .max, UInt64(bitPattern: world.now.monotonic)] as [UInt64] {
            portal.say(.pong, Heartbeat.encode(token))
        }
        #expect(meter.bytes == before)
    }

    /// Saying HELLO again does not make read what was sent on the same connection.
    @Test func anotherHelloForgivesNothing() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = greedy(world)
        let meter = watch(portal, world)
        for number in 0..<400 {
            register.publish("\(number) \(Self.body)")
            register.clear()
        }
        for _ in 0..<10 { portal.hello() }
        for _ in 0..<10 {
            portal.say(.bye)
            portal.hello()
        }
        #expect(meter.bytes <= world.core.limits.unreadBytes + 4 * Limits.frameTarget)
    }

    @Test func repliesCountToo() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = greedy(world)
        let meter = watch(portal, world)
        let body = Array(Self.body.utf8)
        for _ in 0..<500 {
            let request = portal.ask()
            register.answer(request, body: body)
            register.clear()
        }
        #expect(meter.bytes <= world.core.limits.unreadBytes + 4 * Limits.frameTarget)
    }

    /// ACCEPT is cumulative: whoever does not read it needs only one.
    @Test func acceptsAreBoundedInNumber() throws {
        var limits = BrokerLimits()
        limits.unreadFrames = 64
        let world = try World(limits: limits)
        let register = TestAgent.register(world)
        register.answersPings = false
        let meter = watch(register, world)
        for _ in 0..<1000 { register.publish() }
        #expect(meter.frames <= 80)
        register.answersPings = true
        register.answerPings()
        #expect(register.accepts.last?.sequence == 1000)
    }

    @Test func whoMakesTheBrokerSpeakAndDoesNotReadIsSentAway() throws {
        var limits = BrokerLimits()
        limits.unreadFrames = 64
        let world = try World(limits: limits)
        let portal = greedy(world)
        let meter = watch(portal, world)
        for _ in 0..<200 { portal.say(.welcome) }
        world.pass(milliseconds: 8)
        #expect(world.core.liveSessions == 0)
        #expect(world.journal.liveness.isEmpty || meter.frames >= 128)
        world.pass(milliseconds: 100)
        #expect(world.journal.liveness.last?.reason == "does not read")
    }

    /// It reads, and settles nothing.
    @Test func whoSettlesNothingHasABoundedNumber() throws {
        var limits = BrokerLimits()
        limits.unsettled = 100
        let world = try World(limits: limits)
        let portal = TestAgent.portal(world)
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = .max / 4
        register.byteLimit = .max / 4
        register.hello()
        for _ in 0..<150 { portal.send() }
        world.pass(milliseconds: 100)
        #expect(register.commandsGot.count == 100)
        for item in register.commandsGot.prefix(10) {
            register.settle(.ack, .init(position: item.annotations.position))
        }
        #expect(register.commandsGot.count == 110)
    }

    /// Each answer may be large: a few at a time are read from the journal.
    @Test func questionsAreAnsweredAFewAtATime() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        register.conclude(command, for: "portal")
        world.readsAtOnce = false
        let query = StateQuery(token: 1, consumer: "portal", commands: [command]).encoded()
        for _ in 0..<world.core.limits.answersAtOnce { portal.say(.query, query, version: 2) }
        #expect(portal.errors.isEmpty)
        portal.say(.query, query, version: 2)
        #expect(portal.errors == [4291])
        world.read()
        world.settle()
        #expect(portal.states.count == world.core.limits.answersAtOnce)
        portal.say(.query, query, version: 2)
        #expect(portal.errors == [4291])
    }
}
