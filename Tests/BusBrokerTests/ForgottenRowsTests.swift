import BusProtocol
import Testing

@testable import BusBroker

/// What the ledger has forgotten, and what of it is still on its way.
@Suite("Forgotten rows", .timeLimit(.minutes(1)))
struct ForgottenRowsTests {
    private func world(ledger: Int) throws -> World {
        var limits = BrokerLimits()
        limits.ledger = ledger
        return try World(limits: limits)
    }

    /// Other commands come and go until what was before is forgotten.
    private func goOn(_ world: World, _ sender: TestAgent, _ provider: TestAgent) {
        for _ in 0..<8 {
            world.pass(milliseconds: 16)
            provider.clear()
            sender.send()
            for item in provider.commandsGot {
                provider.conclude(item.header.id, for: item.header.consumer)
                provider.settle(.ack, .init(position: item.annotations.position))
            }
            for item in sender.outcomesGot { sender.settle(.ack, .init(position: item.annotations.position)) }
            sender.clear()
        }
    }

    /// The provider was away and has an outcome from before a command that expired meanwhile.
    @Test func theBrokersOwnOutcomesMakeNoIDsOfAProviderTooOld() throws {
        let world = try world(ledger: 4)
        let portal = TestAgent.portal(world)
        let register = TestAgent.register(world)
        let early = portal.send()
        register.settle(.ack, .init(position: try #require(register.commandsGot.last).annotations.position))
        let outcome = world.id()
        register.say(.bye)
        portal.send { $0.expiry = world.now.wallMilliseconds + 1000 }
        world.pass(milliseconds: 3000)
        #expect(portal.outcomesGot.map(\.header.outcome) == [FaultCode.expired.number])
        for item in portal.outcomesGot { portal.settle(.ack, .init(position: item.annotations.position)) }
        portal.clear()
        for _ in 0..<8 {
            portal.send { $0.expiry = world.now.wallMilliseconds + 1000 }
            world.pass(milliseconds: 2000)
            for item in portal.outcomesGot { portal.settle(.ack, .init(position: item.annotations.position)) }
            portal.clear()
        }
        let back = TestAgent(world, Spaces.registerKey, ["register"], instance: 99).greeted()
        back.conclude(early, for: "portal", id: outcome)
        #expect(back.refusedCodes.isEmpty)
        #expect(portal.outcomesGot.map(\.header.correlation) == [early])
    }

    @Test func aLetterThatOutlivedItsRowCanBeResentAndConcluded() throws {
        let world = try world(ledger: 4)
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        let position = try #require(register.commandsGot.last).annotations.position
        register.settle(.term, .init(position: position, code: 4221))
        for item in portal.outcomesGot { portal.settle(.ack, .init(position: item.annotations.position)) }
        portal.clear()
        goOn(world, portal, register)
        #expect(world.core.book.ledger.count <= 6)
        register.clear()
        #expect(world.core.resend(position, to: "register", at: world.now) != nil)
        world.settle()
        world.pass(milliseconds: 100)
        #expect(register.commandsGot.map(\.header.id) == [command])
        register.conclude(command, for: "portal")
        #expect(register.refusedCodes.isEmpty)
        #expect(portal.outcomesGot.map(\.header.correlation) == [command])
        let after = try world.restarted()
        #expect(BookSummary(after.core.book).difference(from: BookSummary(world.core.book)) == nil)
    }

    /// Ids can be made so that the keys of two systems' commands are one.
    @Test func anIDMadeForItTellsNothingOfAnothersCommand() throws {
        let world = try World()
        let (portal, bank) = (TestAgent.portal(world), TestAgent.bank(world))
        let command = portal.send()
        let salts = MessageLedger.digest("portal") ^ MessageLedger.digest("bank")
        let made = MessageID(value: command.value ^ UInt128(salts))
        bank.say(.query, StateQuery(token: 1, consumer: "bank", commands: [made]).encoded(), version: 2)
        #expect(bank.states.map(\.rows.count) == [0])
        portal.say(.query, StateQuery(token: 1, consumer: "portal", commands: [command]).encoded(), version: 2)
        #expect(portal.states.map(\.rows.count) == [1])
    }

    // MARK: - Outcomes nobody takes

    @Test func anOutcomeNobodyTakesBecomesADeadLetter() throws {
        let world = try World()
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.hello { $0.takes = Takes([]) }
        let register = TestAgent.register(world)
        let command = portal.send()
        register.settle(.ack, .init(position: try #require(register.commandsGot.last).annotations.position))
        register.conclude(command, for: "portal")
        world.pass(milliseconds: 1000)
        let queue = try #require(world.core.book.index(.outcomes(for: "portal")))
        #expect(world.core.book.queues[queue].depth == 1)
        world.pass(milliseconds: Rights.outcomeExpiry, step: 3_600_000)
        #expect(world.core.book.queues[queue].depth == 0)
        let letter = try #require(world.core.deadLetters.first)
        #expect(letter.queue == .outcomes(for: "portal") && letter.code == FaultCode.expired.number)
        #expect(world.core.resend(letter.position, to: "portal", at: world.now) != nil)
        world.settle()
        portal.say(.bye)
        let taker = TestAgent(world, Spaces.portalKey, ["portal"], instance: 55).greeted()
        world.pass(milliseconds: 100)
        #expect(taker.outcomesGot.map(\.header.correlation) == [command])
    }

    // MARK: - Letters and settlements

    /// A subscriber seeks what was given up for it, and takes it.
    @Test func aLetterThatWasTakenAfterAllIsNone() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        register.publish()
        let position = try #require(portal.events.last).annotations.position
        portal.settle(.term, .init(position: position, code: 4221))
        #expect(world.core.deadLetters.count == 1)
        portal.clear()
        let seek = Seek(token: 1, start: .beginning, system: "portal", event: Spaces.changed)
        portal.say(.seek, seek.encoded(), version: 2)
        world.pass(milliseconds: 100)
        portal.settle(.ack, .init(position: try #require(portal.events.last).annotations.position))
        world.pass(milliseconds: 100)
        #expect(world.core.deadLetters.isEmpty)
        #expect(try world.restarted().core.deadLetters.isEmpty)
    }

    @Test func whatWaitsAlreadyIsNotSetBackAgainAndAgain() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        portal.send()
        let position = try #require(register.commandsGot.last).annotations.position
        register.settle(.nak, .init(position: position, delayMilliseconds: 60_000))
        world.pass(milliseconds: 200)
        let size = world.core.treeSize
        for _ in 0..<50 { register.settle(.nak, .init(position: position, delayMilliseconds: 60_000)) }
        world.pass(milliseconds: 200)
        #expect(world.core.treeSize == size, "one record for one delivery")
    }

    @Test func aFrameSettlesNoMoreThanAnAgentCanHave() {
        let rows = (0...UInt64(Settlement.most)).map { Settlement.Row(position: $0) }
        func read(_ rows: [Settlement.Row]) throws -> Settlement {
            let bytes = Settlement(rows).encoded()
            return try bytes.withUnsafeBytes { raw in
                var reader = ByteReader(raw, from: 0, to: raw.count)
                return try Settlement(&reader)
            }
        }
        #expect(throws: Fault.self) { try read(rows) }
        #expect((try? read(rows.dropLast())) != nil)
    }

    /// Reading fails for a second; new messages meanwhile do not have the journal asked at once.
    @Test func aQueueThatCouldNotBeReadIsLeftAlone() throws {
        let world = try World()
        let register = TestAgent.register(world)
        for number in 0..<(DeliveryQueue.window + 50) {
            register.publish("\(number)")
            register.clear()
        }
        world.readsAtOnce = false
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 16)
        for item in portal.events { portal.settle(.ack, .init(position: item.annotations.position)) }
        #expect(!world.reads.isEmpty)
        world.read(fails: true)
        world.settle()
        let failures = world.notices.count { $0.message.contains("could not be read") }
        for number in 0..<20 {
            register.publish("more \(number)")
            register.clear()
            world.read(fails: true)
            world.settle()
        }
        #expect(world.notices.count { $0.message.contains("could not be read") } == failures)
        world.readsAtOnce = true
        world.pass(milliseconds: 1500)
        #expect(portal.events.count > DeliveryQueue.window / 2)
    }
}
