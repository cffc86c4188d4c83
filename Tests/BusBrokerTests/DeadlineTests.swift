import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

@Suite struct DeadlineTests {
    @Test func itComesOnceAndNotEarly() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask(remaining: 500)
        world.pass(milliseconds: 499)
        #expect(portal.replies.isEmpty)
        world.pass(milliseconds: 40)
        #expect(portal.outcomes(of: request) == [4080])
        register.answer(request)
        #expect(register.refusedCodes == [4005])
        world.pass(milliseconds: 5000)
        #expect(portal.outcomes(of: request) == [4080])
        #expect(world.journal.finished.map(\.outcome) == [4080])
        #expect(world.journal.finished.map(\.hop) == [.providerAgent])
        world.expectIdle()
    }

    @Test(arguments: [1, 15, 16, 17, 1000, 299_999, 300_000] as [UInt32]) func anyDeadlineIsKept(remaining: UInt32)
        throws
    {
        let (world, _, portal) = try pair()
        let request = portal.ask(remaining: remaining)
        world.pass(milliseconds: Int64(remaining) - 1, step: 400)
        #expect(portal.outcomes(of: request).isEmpty)
        world.pass(milliseconds: 40)
        #expect(portal.outcomes(of: request) == [4080])
    }

    @Test func noTimeLeftOnArrivalIsRefused() throws {
        let (world, register, portal) = try pair()
        portal.ask(remaining: 0)
        #expect(portal.refusedCodes == [4081])
        #expect(register.requests.isEmpty)
        world.expectIdle()
    }

    /// A process that was stopped longer than the wheel reaches still ends every request.
    @Test func aLongPauseLosesNoDeadline() throws {
        let (world, register, portal) = try pair()
        register.answersPings = false
        let first = portal.ask(remaining: 1000)
        world.now.monotonic += 700_000_000
        let second = portal.ask(remaining: 300_000)
        world.pass(milliseconds: 50)
        #expect(portal.outcomes(of: first) == [4080])
        let third = portal.ask(remaining: 300_000)
        world.pass(milliseconds: 300_100, step: 300)
        #expect(portal.outcomes(of: second).count == 1)
        #expect(portal.outcomes(of: third).count + portal.refused.count >= 1)
        world.expectIdle()
    }

    @Test func anAnswerThatIsBeingWrittenCameInTime() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask(remaining: 300)
        world.commitsAtOnce = false
        register.answer(request)
        world.pass(milliseconds: 600)
        #expect(portal.replies.isEmpty)
        world.commit()
        #expect(portal.outcomes(of: request) == [0])
    }

    @Test func aRequestThatExpiresWhileItIsWrittenIsNotDelivered() throws {
        let (world, register, portal) = try pair()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let request = portal.ask(remaining: 300)
        world.pass(milliseconds: 600)
        #expect(portal.outcomes(of: request) == [4080])
        world.commit()
        #expect(register.requests.isEmpty)
        world.commit()
        world.expectIdle()
    }
}
