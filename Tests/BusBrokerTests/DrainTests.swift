import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

@Suite struct DrainTests {
    @Test func itEndsWhenEverythingIsAnswered() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask()
        world.core.drain(at: world.now)
        world.settle()
        #expect(portal.commands == [.drain])
        #expect(!world.isDrained)
        portal.ask()
        #expect(portal.refusedCodes == [5031])
        portal.ask(id: request)
        #expect(portal.refusedCodes == [5031], "an open request may be repeated")
        register.publish()
        #expect(register.refusedCodes == [5031])
        register.answer(request)
        world.pass(milliseconds: 20)
        #expect(portal.outcomes(of: request) == [0])
        #expect(world.isDrained)
        #expect(world.journal.finished.count == 1)
    }

    @Test func itEndsAtItsDeadline() throws {
        let (world, _, portal) = try pair()
        portal.ask(remaining: 60_000)
        world.core.drain(at: world.now)
        world.pass(milliseconds: 9900)
        #expect(!world.isDrained)
        world.pass(milliseconds: 200)
        #expect(world.isDrained)
    }

    @Test func anIdleBrokerIsDrainedAtOnce() throws {
        let world = try World()
        world.core.drain(at: world.now)
        world.settle()
        #expect(world.isDrained)
    }
}
