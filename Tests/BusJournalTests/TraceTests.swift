import BusEvidence
import BusProtocol
import Testing

@testable import BusJournal

@Suite struct TraceTests {
    /// A request, its reply and its end, an hour of other traffic around them. `skew`: the sender's clock minus the broker's.
    private func traced(skew: Int64, replyAfter: Int64 = 20_000) throws -> MessageTrace {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        let request = id(7, at: noon + skew)
        for minute in 1...30 as ClosedRange<Int64> {
            _ = try journal.commit(
                batch(message(header(.request, id(UInt64(100 + minute))))), at: noon - (31 - minute) * 60_000_000)
        }
        _ = try journal.commit(batch(message(header(.request, id(90))), message(header(.request, request))), at: noon)
        _ = try journal.commit(
            batch(message(header(.reply, id(8), answering: request)), message(header(.request, id(91)))),
            at: noon + replyAfter)
        _ = try journal.commit(
            batch(.finished(finished(id(90))), .finished(finished(request))), at: noon + replyAfter + 10_000)
        for minute in 1...30 as ClosedRange<Int64> {
            _ = try journal.commit(
                batch(message(header(.request, id(UInt64(200 + minute))))), at: noon + minute * 60_000_000)
        }
        defer { journal.close() }
        return try JournalReader(folder: folder.path).trace(request)
    }

    private func check(_ trace: MessageTrace) throws {
        #expect(trace.message?.position == 32)
        #expect(trace.message?.header.target == "register.record-get.v1")
        #expect(trace.answers.map(\.position) == [33])
        let end = try #require(trace.finished)
        #expect(end.times.requestIn == noon)
        #expect(end.times.requestOut == noon + 100)
        #expect(end.times.replyIn == noon + 900)
        #expect(end.times.replyOut == noon + 1000)
    }

    @Test func theIdAloneFindsRequestReplyAndEnd() throws { try check(traced(skew: 0)) }

    @Test(arguments: [-300, -60, -3, 3, 60, 300] as [Int64])
    func itIsFoundWithASendersClockThatIsWrong(seconds: Int64) throws {
        try check(traced(skew: seconds * 1_000_000))
    }

    /// The sender's clock is a little ahead and the answer late: the answer lies in the near window, the request does not.
    @Test func aLateAnswerDoesNotHideTheRequest() throws {
        try check(traced(skew: 4_000_000, replyAfter: 9_000_000))
    }

    @Test func anUnknownIdFindsNothing() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        #expect(try JournalReader(folder: folder.path).trace(id(1)).isEmpty)
        _ = try journal.commit(batch(message(header(.request, id(1)))), at: noon)
        #expect(try JournalReader(folder: folder.path).trace(id(2)).isEmpty)
        journal.close()
    }

    /// Exactly as many batches as a page holds: the last one must not be read twice.
    @Test(arguments: [31, 32, 33, 64]) func settlementsOfAnEventAreListedOnce(batches: Int) throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        _ = try journal.commit(batch(message(header(.event, id(1)))), at: noon)
        for number in 2..<batches {
            _ = try journal.commit(batch(message(header(.request, id(UInt64(number))))), at: noon)
        }
        let settled = SettledRecord(position: 1, at: noon, integration: 3, code: 0, subscriber: "portal")
        _ = try journal.commit(batch(.record(.settled, settled.encoded)), at: noon)
        let trace = try JournalReader(folder: folder.path).trace(id(1))
        #expect(trace.settlements == [settled])
        journal.close()
    }
}
