import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

private func place(_ item: Delivered?) throws -> UInt64 { try #require(item).annotations.position }

extension World {
    /// What a broker would know that started now.
    fileprivate func expectSameAfterRestart(from first: SpaceSnapshot? = nil) throws {
        pass(milliseconds: 100)
        #expect(core.isQuiet)
        let after = try restarted(from: first)
        #expect(core.bookSummary.difference(from: after.core.bookSummary) == nil)
    }

    fileprivate func seek(_ agent: TestAgent, from position: UInt64) {
        let wish = Seek(
            token: 1, start: .position, value: position, system: agent.systems[0], event: Spaces.changed)
        agent.say(.seek, wish.encoded(), version: 2)
    }
}

/// A broker that starts again knows what it knew.
@Suite struct RestartTests {
    /// The subscription ends while the event is being written: whoever was subscribed when it was accepted is owed it, now and
    /// after a restart.
    @Test func whoIsOwedAnEventIsDecidedAtAcceptance() throws {
        let world = try World()
        let first = world.core.rights.snapshot
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        register.publish()
        world.core.apply(
            try SpaceSnapshot(try Spaces.space { $0.integrations[2].stage = .retired }, after: first), at: world.now)
        world.settle()
        world.commit()
        world.commitsAtOnce = true
        world.commit()
        #expect(portal.events.isEmpty, "it may not receive now")
        #expect(world.core.owedMessages == 2)
        try world.expectSameAfterRestart(from: first)
    }

    /// A dead letter whose provider's outcome is being written is not sent again: it would be done already.
    @Test func whatIsBeingConcludedIsNotResent() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        let position = try place(register.commandsGot.first)
        register.settle(.term, .init(position: position, code: 5020))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        register.conclude(command, for: "portal")
        #expect(world.core.resend(position, to: "register", at: world.now) == nil)
        world.commitsAtOnce = true
        world.commit()
        #expect(world.core.deadLetters.isEmpty)
        #expect(world.core.resend(position, to: "register", at: world.now) == nil)
        #expect(register.commandsGot.count == 1)
        try world.expectSameAfterRestart()
    }

    /// The disk was full when the broker had given a command up; before it could say so again its provider spoke.
    @Test func theBrokerSaysNothingAfterTheProvider() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        let position = try place(register.commandsGot.first)
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        register.settle(.term, .init(position: position, code: 5020))
        #expect(world.writing != nil)
        let outcome = register.conclude(command, for: "portal")
        world.failCommit()
        world.commitsAtOnce = true
        world.pass(milliseconds: 200)
        #expect(world.journal.messageIDs(.outcome) == [outcome])
        #expect(portal.outcomesGot.map(\.header.id) == [outcome])
        try world.expectSameAfterRestart()
    }

    /// Its provider comes back after the expiry, before the broker's first tick.
    @Test func whatExpiredWhileTheBrokerWasDownIsNotDelivered() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let command = portal.send { $0.expiry = world.now.wallMilliseconds + 1000 }
        world.now.monotonic += 5_000_000
        world.now.wall += 5_000_000
        let after = try world.restarted()
        let register = TestAgent.register(after)
        #expect(register.commandsGot.isEmpty)
        #expect(after.core.deadLetters.map(\.id) == [command])
    }

    @Test func aReplayedEventThatDiedKeepsItsHistory() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        register.publish()
        let position = try place(portal.events.first)
        portal.settle(.ack, .init(position: position))
        world.seek(portal, from: position)
        portal.settle(.term, .init(position: position, code: 5020))
        #expect(world.core.deadLetters.map(\.attempts) == [1])
        try world.expectSameAfterRestart()
        #expect(world.core.resend(position, to: "portal", at: world.now) != nil)
        world.settle()
        try world.expectSameAfterRestart()
        portal.settle(.term, .init(position: position, code: 5020))
        #expect(world.core.deadLetters.map(\.resent) == [1])
        try world.expectSameAfterRestart()
        // Sought again it is on its way; the dead letter, resent, is not on its way twice.
        portal.clear()
        world.seek(portal, from: position)
        #expect(world.core.resend(position, to: "portal", at: world.now) != nil)
        world.settle()
        #expect(portal.events.count == 1)
        try world.expectSameAfterRestart()
    }

    /// Who resends it again is warned by the count: a replay in between does not begin it anew, neither here nor after a restart.
    @Test func aReplayKeepsHowOftenADeadLetterWasResent() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        register.publish()
        let position = try place(portal.events.first)
        portal.settle(.term, .init(position: position, code: 5020))
        #expect(world.core.resend(position, to: "portal", at: world.now) != nil)
        world.settle()
        portal.settle(.term, .init(position: position, code: 5020))
        #expect(world.core.deadLetters.map(\.resent) == [1])
        world.seek(portal, from: position)
        world.pass(milliseconds: 100)
        let after = try world.restarted()
        let later = TestAgent.portal(after)
        #expect(later.events.count == 1, "the replay goes on")
        later.settle(.term, .init(position: position, code: 5020))
        #expect(after.core.deadLetters.map(\.resent) == [1])
        portal.settle(.term, .init(position: position, code: 5020))
        #expect(world.core.deadLetters.map(\.resent) == [1])
        try world.expectSameAfterRestart()
        // Resent while the replay is on its way, it counts all the same.
        world.seek(portal, from: position)
        #expect(world.core.resend(position, to: "portal", at: world.now) != nil)
        world.settle()
        portal.settle(.term, .init(position: position, code: 5020))
        #expect(world.core.deadLetters.map(\.resent) == [2])
        try world.expectSameAfterRestart()
    }
}

/// What became of a command is said once, by its provider where it said something.
@Suite struct ConclusionTests {
    /// Two outcomes in one batch: the second finds the first, though that is not durable yet.
    @Test func twoOutcomesInOneBatchAreOne() throws {
        let world = try World()
        let (portal, register, second) = (
            TestAgent.portal(world), TestAgent.register(world), TestAgent.register2(world)
        )
        let command = portal.send()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        portal.ask()
        let outcome = register.conclude(command, for: "portal")
        second.conclude(command, for: "portal", outcome: 4093)
        world.commitsAtOnce = true
        world.commit()
        #expect(world.journal.messageIDs(.outcome) == [outcome])
        #expect(second.refusedCodes == [4090])
    }

    /// An outcome that could not be written was not said.
    @Test func anOutcomeThatFailedMayBeSaidAgain() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let outcome = register.conclude(command, for: "portal")
        world.failCommit()
        world.commitsAtOnce = true
        world.pass(milliseconds: 60)
        register.conclude(command, for: "portal", id: outcome)
        #expect(register.refusedCodes == [5070])
        #expect(portal.outcomesGot.map(\.header.id) == [outcome])
    }

    /// The outcome came, the acknowledgement did not, and the time is over: it was carried out all the same.
    @Test func aConcludedCommandDoesNotDie() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send { $0.expiry = world.now.wallMilliseconds + 500 }
        register.conclude(command, for: "portal")
        register.say(.bye)
        world.pass(milliseconds: 1000)
        #expect(portal.outcomesGot.map(\.header.outcome) == [0])
        #expect(world.core.deadLetters.isEmpty)
        #expect(world.core.owedMessages == 1, "only the outcome")
        try world.expectSameAfterRestart()
    }

    /// It is resent before the broker's own word that it expired is written.
    @Test func whatIsResentHasNoCodeAnyMore() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let command = portal.send { $0.expiry = world.now.wallMilliseconds + 200 }
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        world.pass(milliseconds: 200)
        let letter = try #require(world.core.deadLetters.first)
        #expect(letter.id == command)
        #expect(world.core.resend(letter.position, to: "register", at: world.now) != nil)
        world.commitsAtOnce = true
        world.commit()
        try world.expectSameAfterRestart()
    }

    /// It was given up, and then its provider says that it did it: nobody may have it done again.
    @Test func aLateOutcomeTakesTheDeadLetterAway() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send { $0.expiry = world.now.wallMilliseconds + 500 }
        let position = try place(register.commandsGot.first)
        register.say(.bye)
        world.pass(milliseconds: 1000)
        #expect(world.core.deadLetters.count == 1)
        TestAgent.register(world).conclude(command, for: "portal")
        #expect(portal.outcomesGot.map(\.header.outcome) == [4101, 0])
        #expect(world.core.resend(position, to: "register", at: world.now) == nil)
        try world.expectSameAfterRestart()
    }
}

/// Turns within one order key, where messages come back by other ways than the front door.
@Suite struct TurnTests {
    /// The first expires and is resent while the second is at work: it waits for it, whatever its old place was.
    @Test func aResentCommandWaitsForItsKey() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let first = portal.send(key: 7) { $0.expiry = world.now.wallMilliseconds + 200 }
        let second = portal.send(key: 7)
        world.pass(milliseconds: 300)
        let letter = try #require(world.core.deadLetters.first)
        let register = TestAgent.register(world)
        #expect(register.commandsGot.map(\.header.id) == [second])
        #expect(world.core.resend(letter.position, to: "register", at: world.now) != nil)
        world.pass(milliseconds: 300)
        #expect(register.commandsGot.map(\.header.id) == [second])
        register.settle(.ack, .init(position: try place(register.commandsGot.first)))
        #expect(register.commandsGot.map(\.header.id) == [second, first])
    }

    /// An event comes while older ones of its key are read from the journal for a replay.
    @Test func aNewEventWaitsForTheReplayBeforeIt() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let old = register.publish("old") { $0.orderKey = 5 }
        let position = try place(portal.events.first)
        portal.settle(.ack, .init(position: position))
        world.readsAtOnce = false
        world.seek(portal, from: position)
        world.read()
        world.settle()
        portal.clear()
        let new = register.publish("new") { $0.orderKey = 5 }
        world.readsAtOnce = true
        world.settle()
        #expect(portal.events.map(\.header.id) == [old])
        portal.settle(.ack, .init(position: position))
        #expect(portal.events.map(\.header.id) == [old, new])
    }

    /// A seek finds an event on the disk whose commit the broker has not heard of: it is owed once.
    @Test func aSeekDoesNotDoubleWhatIsBeingWritten() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let event = register.publish { $0.orderKey = 5 }
        let batch = try #require(world.writing)
        world.writing = nil
        let result = world.journal.commit(batch)
        world.seek(portal, from: 1)
        world.core.committed(result, at: world.now)
        world.commitsAtOnce = true
        world.settle()
        #expect(portal.events.map(\.header.id) == [event])
        portal.settle(.ack, .init(position: try place(portal.events.first)))
        let next = register.publish { $0.orderKey = 5 }
        #expect(portal.events.map(\.header.id) == [event, next], "the key is free")
    }
}
