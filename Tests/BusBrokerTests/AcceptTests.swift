import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

@Suite struct AcceptTests {
    @Test func itIsCumulativeAndMayWaitALittle() throws {
        let (world, _, portal) = try pair()
        world.pass(milliseconds: 100)
        for _ in 0..<5 { portal.ask() }
        #expect(portal.accepts.isEmpty)
        world.pass(milliseconds: 24)
        #expect(portal.accepts.map(\.sequence) == [5])
        let accept = try #require(portal.accepts.first)
        #expect(accept.treeSize == UInt64(world.journal.records.count))
        #expect(accept.refused.isEmpty)
        world.pass(milliseconds: 500)
        #expect(portal.accepts.count == 1)
    }

    @Test func anEventIsAcceptedWithItsCommit() throws {
        let (world, register, _) = try pair()
        world.commitsAtOnce = false
        register.publish()
        #expect(register.accepts.isEmpty)
        world.commit()
        #expect(register.accepts.map(\.sequence) == [1])
    }

    @Test func refusedRowsNameTheirMessages() throws {
        let (_, register, portal) = try pair()
        portal.submit([(portal.request(), []), (portal.request("nobody.x.v1"), []), (portal.request(), [])])
        #expect(portal.accepts.map(\.sequence) == [3])
        #expect(portal.refused.map(\.sequence) == [2])
        #expect(register.requests.count == 2)
    }

    @Test func aQuarterOfTheByteCreditBringsItAtOnce() throws {
        let (_, _, portal) = try pair()
        let body = [UInt8](repeating: 1, count: 60_000)
        var sent = 0
        while portal.accepts.isEmpty, sent < 300 {
            portal.ask(body: body)
            sent += 1
        }
        #expect(sent == 70, "70 × 60 KB are a quarter of 16 MiB")
    }
}
