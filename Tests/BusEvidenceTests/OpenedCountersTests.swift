import Testing

@testable import BusEvidence

@Suite("Counters of opened messages")
struct OpenedCountersTests {
    @Test func theSameMessageMayComeAgainAndAnotherMayNot() {
        var opened = OpenedCounters(limit: 1024)
        let first = [opened.note(7, of: 1, 99), opened.note(7, of: 1, 99), opened.note(7, of: 1, 98)]
        #expect(first == [true, true, false])
        let others = [opened.note(7, of: 2, 98), opened.note(8, of: 1, 98)]
        #expect(others == [true, true], "another epoch, another counter")
    }

    @Test func theLastOfAnEpochAreKnownHoweverTheTableGrew() {
        let (limit, last): (UInt64, UInt64) = (4096, 10_000)
        var opened = OpenedCounters(limit: Int(limit))
        let taken = (1...last).filter { opened.note($0, of: 5, $0) }
        #expect(taken.count == Int(last))
        let refused = (last - limit + 1...last).filter { !opened.note($0, of: 5, $0 + 1) }
        #expect(refused.count == Int(limit))
        let forgotten = opened.note(1, of: 5, 77)
        #expect(forgotten)
    }

    @Test func aSmallTableNeverGrowsBeyondItsLimit() {
        var opened = OpenedCounters(limit: 3)
        for counter in 1...5 as ClosedRange<UInt64> { _ = opened.note(counter, of: 0, counter) }
        let first = opened.note(1, of: 0, 2)
        #expect(first, "four places: the fifth took the first's")
        let fourth = opened.note(4, of: 0, 5)
        #expect(!fourth)
    }
}
