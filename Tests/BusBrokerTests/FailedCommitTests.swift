import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

@Suite struct FailedCommitTests {
    @Test func everySenderIsToldOnceAndNothingRemains() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let request = portal.ask()
        register.publish()
        world.failCommit()
        // The second sender's event came into the next batch, which fails too.
        world.pass(milliseconds: 60)
        world.failCommit()
        #expect(portal.refusedCodes == [5070])
        #expect(portal.refused.first?.retryAfterMilliseconds == 1000)
        #expect(portal.outcomes(of: request).isEmpty, "the refusal is its answer")
        #expect(register.refusedCodes == [5070])
        #expect(portal.events.isEmpty)
        #expect(register.requests.isEmpty)
        world.expectIdle()
        // And when there is space again, the same messages are welcome.
        world.pass(milliseconds: 60)
        world.commitsAtOnce = true
        portal.ask(id: request)
        #expect(register.requests.map(\.header.id) == [request])
    }

    @Test func anEventOfAFailedBatchMayBeSentAgain() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let event = register.publish("again")
        world.failCommit()
        #expect(register.refusedCodes == [5070])
        world.pass(milliseconds: 60)
        world.commitsAtOnce = true
        register.publish("again", id: event)
        #expect(register.refusedCodes == [5070])
        #expect(portal.events.map(\.header.id) == [event])
    }

    @Test func aReplyThatCannotBeWrittenEndsItsRequest() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let request = portal.ask()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        register.answer(request)
        world.failCommit()
        #expect(portal.outcomes(of: request) == [5070])
        #expect(register.refusedCodes == [5070])
        world.pass(milliseconds: 100)
        world.commit()
        #expect(world.journal.finished.map(\.outcome) == [5070])
        world.expectIdle()
    }

    /// Ends of requests, spaces, comings and goings happened whatever the disk says.
    @Test func recordsOfTheBrokerGoIntoTheNextBatchInTheirOrder() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let request = portal.ask()
        register.answer(request)
        world.commitsAtOnce = false
        let second = portal.ask()
        try world.apply(try Spaces.space { $0.title = LocalizedName(en: "Next") })
        let version = world.core.spaceVersion
        #expect(version == 2)
        world.failCommit()
        try world.apply(try Spaces.space { $0.title = LocalizedName(en: "Third") })
        let third = portal.ask()
        world.pass(milliseconds: 60)
        world.commit()
        world.commit()
        #expect(portal.refusedCodes == [5070])
        #expect(world.journal.finished.map(\.request) == [request])
        let spaces = try world.journal.payloads(.space).map { try SpaceSnapshot(canonical: $0).version }
        #expect(spaces == [2, 3])
        #expect(register.requests.map(\.header.id) == [request, third])
        #expect(!register.requests.contains { $0.header.id == second })
        #expect(world.journal.liveness.count == 2)
    }

    @Test func aFullDiskIsNotAskedWithoutPause() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        _ = TestAgent.register(world)
        portal.ask()
        #expect(world.writing != nil)
        world.failCommit()
        #expect(world.writing == nil, "the records that came back wait a moment")
        world.pass(milliseconds: 100)
        #expect(world.writing != nil)
    }

    @Test func whatComesBackIsBounded() throws {
        var limits = BrokerLimits()
        limits.gatheredRecords = 20
        let world = try World(limits: limits)
        let portal = TestAgent.portal(world)
        world.commitsAtOnce = false
        for _ in 0..<200 {
            portal.ask()
            world.pass(milliseconds: 60)
            world.failCommit()
        }
        #expect(world.core.gathering.batch.count <= 20)
        #expect(world.core.wantsInput)
    }
}
