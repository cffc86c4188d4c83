import BusEvidence
import BusProtocol
import Testing

@testable import BusJournal

@Suite struct TraceTests {
    private func messages(_ id: MessageID, _ folder: TemporaryFolder) throws -> [MessageTrace.Step] {
        try JournalReader(folder: folder.path).messages(id).messages
    }

    /// Of the one message of an id.
    private func trace(
        _ id: MessageID, _ folder: TemporaryFolder, known: [UInt64] = [],
        longest: UInt64 = JournalReader.longestHistory
    ) throws -> MessageTrace {
        let reader = try JournalReader(folder: folder.path)
        let found = try reader.messages(id, known: known).messages
        #expect(found.count == 1)
        return try reader.trace(#require(found.first), longest: longest)
    }

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
        return try trace(request, folder)
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
        #expect(try messages(id(1), folder).isEmpty)
        _ = try journal.commit(batch(message(header(.request, id(1)))), at: noon)
        #expect(try messages(id(2), folder).isEmpty)
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
        let trace = try trace(id(1), folder)
        #expect(trace.settlements == [settled])
        journal.close()
    }

    /// Tried again, given up, resent three days later and taken at last, with another message's history beside it.
    private func history(_ journal: Journal) throws -> [MessageTrace.Happening] {
        let command = id(1)
        let day: Int64 = 86_400_000_000
        let attempted = AttemptedRecord(
            position: 1, at: noon + 1, attempt: 1, code: 5020, receiver: "register", agent: "register-1")
        let other = AttemptedRecord(
            position: 2, at: noon + 1, attempt: 1, code: 5020, receiver: "register", agent: "register-1")
        let given = SettledRecord(
            position: 1, at: noon + 2, integration: 0, code: 5023, subscriber: "register", attempts: 2)
        let resent = ResentRecord(position: 1, at: noon + 3 * day, expiry: .max, receiver: "register")
        let taken = SettledRecord(
            position: 1, at: noon + 3 * day + 1, integration: 0, code: 0, subscriber: "register", attempts: 1)
        _ = try journal.commit(
            batch(message(header(.command, command)), message(header(.command, id(2)))), at: noon)
        _ = try journal.commit(
            batch(
                .record(.attempted, attempted.encoded), .record(.attempted, other.encoded),
                .record(.settled, given.encoded)),
            at: noon + 2)
        _ = try journal.commit(batch(.record(.resent, resent.encoded)), at: noon + 3 * day)
        _ = try journal.commit(
            batch(
                .record(.settled, taken.encoded), message(header(.outcome, id(3), answering: command)),
                .record(
                    .sought, SoughtRecord(at: noon, receiver: "register", event: "e", positions: [1, 2]).encoded)),
            at: noon + 3 * day + 2)
        return [.attempted(attempted), .settled(given), .resent(resent), .settled(taken)]
    }

    @Test(arguments: [[], [1]] as [[UInt64]]) func aCommandsHistoryIsFollowedForDays(position: [UInt64]) throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        let expected = try history(journal)
        let trace = try trace(id(1), folder, known: position)
        #expect(trace.happenings.map(\.what) == expected)
        #expect(trace.happenings.map(\.position) == [3, 5, 6, 7])
        #expect(trace.answers.map(\.position) == [8])
        #expect(trace.isWhole)
    }

    /// A command that was made, and given its id, long before it was sent.
    @Test func aMessageOlderThanItsAcceptanceIsFoundByItsPosition() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        let old = id(1, at: noon - 86_400_000_000)
        _ = try journal.commit(batch(message(header(.command, old))), at: noon)
        let reader = try JournalReader(folder: folder.path)
        #expect(try reader.messages(old).messages.isEmpty)
        #expect(try reader.messages(old, known: [1]).messages.map(\.position) == [1])
        #expect(try reader.message(old, at: 1)?.header.id == old)
        #expect(try reader.message(old, at: 2)?.position == nil)
        #expect(try reader.message(id(2), at: 1)?.position == nil)
    }

    @Test func aHistoryThatWasCutSaysSo() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        _ = try history(journal)
        let trace = try trace(id(1), folder, longest: 5)
        #expect(!trace.isWhole)
        #expect(trace.happenings.count == 2)
    }

    @Test func anEventRemembersWhoSoughtIt() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        let sought = SoughtRecord(at: noon, receiver: "portal", event: "e", positions: [1])
        let others = SoughtRecord(at: noon, receiver: "bank", event: "e", positions: [7])
        _ = try journal.commit(batch(message(header(.event, id(1)))), at: noon)
        _ = try journal.commit(
            batch(.record(.sought, sought.encoded), .record(.sought, others.encoded)), at: noon)
        let trace = try trace(id(1), folder)
        #expect(trace.happenings.map(\.what) == [.sought(receiver: "portal", at: noon)])
    }
}
