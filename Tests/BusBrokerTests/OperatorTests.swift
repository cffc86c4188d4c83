import BusProtocol
import Testing

@testable import BusBroker

@Suite struct OperatorTests {
    private func known(_ id: MessageID, _ world: World) -> MessageWhereabouts? { world.core.whereabouts(of: id).first }

    private func take(_ item: Delivered?, _ agent: TestAgent) {
        agent.settle(.ack, .init(position: item?.annotations.position ?? 0))
    }

    private func held(_ world: World) -> HeldDelivery? {
        world.core.queueViews(at: world.now).first { $0.kind == "commands" }?.held
    }

    /// A live agent may keep what it has for ever: how long it has had the first of it is all that tells.
    @Test func whatAnAgentDoesNotSettleIsShownWithItsAge() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let first = portal.send()
        world.pass(milliseconds: 5000)
        let second = portal.send()
        world.pass(milliseconds: 1000)
        #expect(
            held(world) == HeldDelivery(id: first, service: Spaces.order, agent: "register-1", heldFor: 6000))
        // The wall clock has no say in it.
        world.now.wall += 3_600_000_000
        #expect(held(world)?.heldFor == 6000)
        take(register.commandsGot.first, register)
        #expect(held(world)?.id == second && held(world)?.heldFor == 1000)
        take(register.commandsGot.last, register)
        #expect(held(world) == nil)
    }

    /// A delivery that was lost with its agent is nobody's, and its time begins anew with the next one.
    @Test func anotherDeliveryHasATimeOfItsOwn() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        world.pass(milliseconds: 2000)
        register.say(.bye)
        #expect(held(world) == nil)
        _ = TestAgent.register2(world)
        world.pass(milliseconds: 500)
        let again = try #require(held(world))
        #expect(again.id == command && again.agent == "register-2" && again.heldFor <= 500)
    }

    @Test func aCommandIsFoundByItsIdAlone() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        let delivered = try #require(known(command, world))
        #expect(delivered.sender == "portal" && delivered.kind == .command && delivered.state == .delivering)
        #expect(delivered.owed.map(\.receiver) == ["register"])
        #expect(delivered.owed.first?.agent != nil && delivered.owed.first?.attempts == 1)
        take(register.commandsGot.first, register)
        register.conclude(command, for: "portal")
        let found = try #require(known(command, world))
        #expect(found.state == .completed && found.outcome != 0 && found.owed.isEmpty)
        #expect(known(world.id(), world) == nil)
    }

    /// The answer to a resend is said when nothing can lose it any more.
    @Test func aResendIsAnsweredWhenItIsDurable() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let commands = [portal.send(), portal.send()]
        for item in register.commandsGot {
            register.settle(.term, .init(position: item.annotations.position, code: 5020))
        }
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let names = world.core.deadLetters.map { (position: $0.position, receiver: "register") }
        world.core.resend(names + [(position: 9999, receiver: "register")], order: 7, at: world.now)
        world.settle()
        #expect(world.resent.isEmpty)
        world.commit()
        #expect(world.resent[7]??.map(\.id) == commands)
        // Nothing to write, nothing to wait for.
        world.core.resend(names, order: 8, at: world.now)
        world.settle()
        #expect(world.resent[8]??.isEmpty == true)
    }

    @Test func aResendThatCannotBeWrittenIsToldSo() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        portal.send()
        take(nil, register)
        let position = try #require(register.commandsGot.first).annotations.position
        register.settle(.term, .init(position: position, code: 5020))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        world.core.resend([(position, "register")], order: 7, at: world.now)
        world.settle()
        world.failCommit()
        let answer = try #require(world.resent[7])
        #expect(answer == nil)
    }

    /// Operators resend all of a long list at once.
    @Test(.timeLimit(.minutes(1))) func aLongListOfDeadLettersIsTakenOneByOne() throws {
        var dead = DeadLetters()
        let header = Header(kind: .command, id: MessageID(value: 1), created: 0)
        func letter(_ position: UInt64) -> DeadLetter {
            let message = QueuedMessage(
                header, position: position, acceptedAt: 0, expiry: .max, size: 0, content: .inJournal)
            return DeadLetter(message, in: .commands(of: "register"), code: 5023, at: 0)
        }
        let count = UInt64(DeadLetters.limit)
        for position in 1...count + 1 { dead.add(letter(position)) }
        #expect(dead.count == DeadLetters.limit)
        #expect(dead.take(1, receiver: "register") == nil, "the oldest has left the list")
        for position in 2...count {
            #expect(dead.take(position, receiver: "register")?.position == position)
            if position % 2 == 0 { dead.add(letter(position)) }
        }
        // What died again stands behind what died in between.
        let left = [count + 1] + stride(from: 2, through: count, by: 2)
        #expect(dead.all.map(\.position) == left)
    }

    /// What an agent has is waited for; what waits in a queue stays in the journal.
    @Test func aDrainWaitsForDeliveriesAndMakesNoNewOnes() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        world.core.drain(at: world.now)
        world.settle()
        #expect(!world.isDrained)
        #expect(world.core.workload.inFlight == 1 && world.core.workload.isDraining)
        register.conclude(command, for: "portal")
        take(register.commandsGot.first, register)
        world.pass(milliseconds: 100)
        #expect(world.isDrained)
        #expect(portal.outcomesGot.isEmpty)
        #expect(world.core.workload.inFlight == 0 && world.core.workload.depth == 1)
    }

    @Test func aDrainDoesNotWaitForeverForADelivery() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        portal.send()
        #expect(register.commandsGot.count == 1)
        world.core.drain(at: world.now)
        world.pass(milliseconds: 9900)
        #expect(!world.isDrained)
        world.pass(milliseconds: 200)
        #expect(world.isDrained)
    }
}
