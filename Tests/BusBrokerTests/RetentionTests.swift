import BusDirectory
import BusProtocol
import Testing

@testable import BusBroker
@testable import BusJournal

/// Bodies are erased when all receivers are done and the retention has passed; records, digests and ids stay.
@Suite struct RetentionTests {
    private func world(events: Int64? = 1000, commands: Int64? = 1000) throws -> World {
        try World(
            try Spaces.space { space in
                for index in space.services.indices {
                    switch space.services[index].kind {
                    case .event: space.services[index].retention = events.map { Milliseconds($0) }
                    case .command: space.services[index].retention = commands.map { Milliseconds($0) }
                    case .request: break
                    }
                }
            })
    }

    private func erased(_ world: World) throws -> [UInt64] {
        try world.journal.payloads(.erased).flatMap { bytes in
            try bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try ErasedRecord(&reader)
            }.positions
        }
    }

    @Test func anEventIsErasedWhenItsLastSubscriberIsDoneAndItsTimeHasPassed() throws {
        let world = try world()
        let (register, portal, bank) = (TestAgent.register(world), TestAgent.portal(world), TestAgent.bank(world))
        register.publish()
        let position = try #require(portal.events.first).annotations.position
        portal.settle(.ack, .init(position: position))
        world.pass(milliseconds: 3000)
        #expect(try erased(world).isEmpty, "the bank has it and has not settled it")
        bank.settle(.ack, .init(position: position))
        world.pass(milliseconds: 900)
        #expect(try erased(world).isEmpty)
        world.pass(milliseconds: 300)
        #expect(try erased(world) == [position])
    }

    /// Found by the simulator: nothing but the records of its end says that a stored outcome was delivered again.
    @Test func anErasedOutcomeThatIsAskedForAgainIsADeadLetterAlsoAfterARestart() throws {
        let world = try world()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        register.settle(.ack, .init(position: try #require(register.commandsGot.first).annotations.position))
        register.conclude(command, for: "portal")
        let outcome = try #require(portal.outcomesGot.first).annotations.position
        portal.settle(.ack, .init(position: outcome))
        world.pass(milliseconds: 2400)
        world.journal.erased = Set(try erased(world))
        portal.send(id: command)
        world.pass(milliseconds: 100)
        let letter = try #require(world.core.deadLetters.first)
        #expect(letter.position == outcome && letter.code == 4041 && letter.queue == .outcomes(for: "portal"))
        func isTheSame(_ letter: DeadLetter) throws -> Bool {
            let known = try world.restarted().core.deadLetters
            return known.map { [$0.position, UInt64($0.code), UInt64($0.resent), UInt64($0.attempts)] }
                == [[letter.position, UInt64(letter.code), UInt64(letter.resent), UInt64(letter.attempts)]]
        }
        #expect(try isTheSame(letter))
        world.core.resend([(outcome, "portal")], order: 1, at: world.now)
        world.pass(milliseconds: 100)
        let again = try #require(world.core.deadLetters.first)
        #expect(again.resent == 1)
        #expect(try isTheSame(again))
    }

    @Test func aCommandAndItsOutcomeAreErasedEachInItsTime() throws {
        let world = try world()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        let place = try #require(register.commandsGot.first).annotations.position
        register.settle(.ack, .init(position: place))
        register.conclude(command, for: "portal")
        world.pass(milliseconds: 1200)
        #expect(try erased(world) == [place])
        let outcome = try #require(portal.outcomesGot.first).annotations.position
        portal.settle(.ack, .init(position: outcome))
        world.pass(milliseconds: 1200)
        #expect(try erased(world) == [place, outcome])
        // The id is remembered all the same.
        portal.send("other", id: command)
        #expect(portal.refusedCodes == [4090])
    }

    @Test func withoutARetentionNothingIsErased() throws {
        let world = try world(events: nil, commands: nil)
        let (register, portal, bank) = (TestAgent.register(world), TestAgent.portal(world), TestAgent.bank(world))
        register.publish()
        for agent in [portal, bank] {
            agent.settle(.ack, .init(position: try #require(agent.events.first).annotations.position))
        }
        world.pass(milliseconds: 5000)
        #expect(try erased(world).isEmpty)
        #expect(world.core.book.erasures.count == 0)
    }

    /// What was sought is owed again: it is kept until that is settled too.
    @Test func aReplayKeepsItLonger() throws {
        let world = try world()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        try world.apply(
            try Spaces.space { space in
                space.integrations.removeAll { $0.consumer == "bank" }
                space.services[1].retention = Milliseconds(1000)
            })
        register.publish()
        let position = try #require(portal.events.first).annotations.position
        portal.settle(.ack, .init(position: position))
        portal.say(
            .seek, Seek(token: 1, start: .beginning, system: "portal", event: Spaces.changed).encoded(), version: 2)
        #expect(portal.events.count == 2)
        world.pass(milliseconds: 3000)
        #expect(try erased(world).isEmpty)
        portal.settle(.ack, .init(position: position))
        world.pass(milliseconds: 1200)
        #expect(try erased(world) == [position])
    }

    @Test func aRestartWaitsForTheRest() throws {
        let world = try world()
        let (register, portal, bank) = (TestAgent.register(world), TestAgent.portal(world), TestAgent.bank(world))
        for _ in 0..<2 {
            register.publish()
            for agent in [portal, bank] {
                agent.settle(.ack, .init(position: try #require(agent.events.last).annotations.position))
            }
            world.pass(milliseconds: 700)
        }
        let positions = portal.events.map(\.annotations.position)
        world.pass(milliseconds: 100)
        #expect(try erased(world) == [positions[0]])
        let after = try world.restarted()
        after.pass(milliseconds: 500)
        #expect(try erased(after) == positions)
        after.pass(milliseconds: 2000)
        #expect(try erased(after) == positions)
    }

    @Test func tooManyAreErasedBeforeTheirTime() {
        var erasures = Erasures()
        for position in 1...5 as ClosedRange<UInt64> { erasures.plan(position, at: 1000 + Int64(position)) }
        #expect(erasures.take(at: 0, limit: 3, most: 10) == [1, 2])
        erasures.forget(3)
        erasures.plan(4, at: 5000)
        #expect(erasures.take(at: 2000, limit: 3, most: 10) == [5])
        #expect(erasures.take(at: 5000, limit: 3, most: 10) == [4])
    }
}
