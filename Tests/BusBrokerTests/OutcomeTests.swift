import BusDirectory
import BusProtocol
import Testing

@testable import BusBroker

private func place(_ item: Delivered?) throws -> UInt64 { try #require(item).annotations.position }

/// One command has one outcome, from the one who was asked.
@Suite struct OutcomeTests {
    /// A stranger who learned a command's id names a service of its own, for which its key is good.
    @Test func anotherSystemCannotConcludeACommand() throws {
        let world = try World()
        let (portal, register, bank) = (TestAgent.portal(world), TestAgent.register(world), TestAgent.bank(world))
        let command = portal.send()
        bank.conclude(command, for: "portal") { $0.target = "bank.thing-order.v1" }
        #expect(bank.refusedCodes == [4005])
        register.conclude(command, for: "portal") { $0.target = Spaces.record }
        #expect(register.refusedCodes == [4005], "it answers the service that was asked")
        #expect(portal.outcomesGot.isEmpty)
        register.conclude(command, for: "portal")
        #expect(portal.outcomesGot.count == 1)
    }

    @Test func anOutcomeNamesItsProvider() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        register.conclude(command, for: "portal") { $0.provider = "" }
        register.conclude(command, for: "portal") { $0.provider = "bank" }
        #expect(register.refusedCodes == [4003, 4003])
        register.conclude(command, for: "portal")
        #expect(portal.outcomesGot.map(\.header.provider) == ["register"])
    }

    /// Two agents of the provider, each with an outcome, while the journal is busy.
    @Test func theSecondOutcomeIsRefusedWhileTheFirstIsWritten() throws {
        let world = try World()
        let (portal, one, two) = (TestAgent.portal(world), TestAgent.register(world), TestAgent.register2(world))
        let command = portal.send()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        one.conclude(command, for: "portal")
        two.conclude(command, for: "portal", outcome: 4093)
        world.commit()
        world.commitsAtOnce = true
        world.pass(milliseconds: 100)
        #expect(one.refusedCodes.isEmpty)
        #expect(two.refusedCodes == [4090])
        #expect(portal.outcomesGot.map(\.header.outcome) == [0])
    }

    /// Whoever was refused because of an outcome that then could not be written may come again.
    @Test func aRivalFailsWithTheOutcomeItLostTo() throws {
        let world = try World()
        let (portal, one, two) = (TestAgent.portal(world), TestAgent.register(world), TestAgent.register2(world))
        let command = portal.send()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        one.conclude(command, for: "portal")
        two.conclude(command, for: "portal", outcome: 4093)
        world.failCommit()
        world.commitsAtOnce = true
        world.pass(milliseconds: 100)
        #expect(one.refusedCodes == [5070])
        #expect(two.refusedCodes == [5070])
        two.conclude(command, for: "portal", outcome: 4093)
        #expect(two.refusedCodes == [5070])
        #expect(portal.outcomesGot.map(\.header.outcome) == [4093])
    }

    /// The outcome is durable, its ACK was lost, and nobody of the provider is there when the command expires.
    @Test func whatIsConcludedNeitherExpiresNorDies() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send { $0.expiry = world.now.wallMilliseconds + 1000 }
        register.conclude(command, for: "portal")
        register.say(.bye)
        world.pass(milliseconds: 2000)
        #expect(portal.outcomesGot.map(\.header.outcome) == [0])
        #expect(try portal.state(of: command).state == .completed)
        #expect(try portal.state(of: command).code == 0)
        #expect(world.core.deadLetters.isEmpty)
        #expect(world.core.book.queues.allSatisfy { $0.name.kind != .commands || $0.isEmpty })
        let after = try world.restarted()
        #expect(after.core.deadLetters.isEmpty)
        #expect(try TestAgent.portal(after).state(of: command).state == .completed)
    }

    /// No tick came between the expiry and the provider's HELLO, as after a start.
    @Test func anExpiredCommandIsNotDelivered() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        portal.send { $0.expiry = world.now.wallMilliseconds + 1000 }
        world.now.wall += 1_000_000
        world.now.monotonic += 1_000_000
        let register = TestAgent.register(world)
        #expect(register.commandsGot.isEmpty)
        #expect(portal.outcomesGot.map(\.header.outcome) == [4101])
    }

    @Test func aResentCommandHasNoOutcomeYet() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        let position = try place(register.commandsGot.first)
        register.settle(.term, .init(position: position, code: 5020))
        #expect(try portal.state(of: command).outcome.isEmpty == false)
        register.say(.bye)
        #expect(world.core.resend(position, to: "register", at: world.now) != nil)
        world.settle()
        let row = try portal.state(of: command)
        #expect(row.state == .accepted && row.code == 0)
        #expect(row.outcome.isEmpty)
    }

    /// The ledger forgets; a system whose clock is a century ahead must not make the ids of all others too old.
    @Test func aClockAheadShutsOutOnlyItsOwnSystem() throws {
        var limits = BrokerLimits()
        limits.ledger = 2
        let world = try World(limits: limits)
        let (portal, register, bank) = (TestAgent.portal(world), TestAgent.register(world), TestAgent.bank(world))
        func finish() throws {
            for item in register.commandsGot {
                register.conclude(item.header.id, for: item.header.consumer)
                register.settle(.ack, .init(position: item.annotations.position))
            }
            register.clear()
        }
        var future = MessageIDSource(random: Seeded(3))
        bank.send(id: future.next(unixMilliseconds: world.now.wallMilliseconds + 3_000_000_000_000))
        try finish()
        for _ in 0..<4 {
            world.pass(milliseconds: 16)
            portal.send()
            try finish()
        }
        #expect(portal.refusedCodes.isEmpty)
        bank.send()
        #expect(bank.refusedCodes == [4100])
    }
}
