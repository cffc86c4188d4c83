import BusEvidence
import BusProtocol
import Testing

@testable import BusJournal

/// Ids are each system's own, and nothing hinders a system from using one it has seen of another.
@Suite struct SharedIdTests {
    private func header(_ kind: MessageKind, _ number: UInt64, of system: String, answering: UInt64? = nil) -> Header {
        var header = BusJournalTests.header(kind, id(number), answering: answering.map { id($0) } ?? .none)
        header.consumer = system
        if kind == .outcome { header.provider = "register" }
        return header
    }

    private func reading<Value>(_ batches: [JournalBatch], _ body: (JournalReader) throws -> Value) throws -> Value {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        for batch in batches { _ = try journal.commit(batch, at: noon) }
        return try body(JournalReader(folder: folder.path))
    }

    private func asked(_ answer: MessageTrace.Step, _ reader: JournalReader, known: [UInt64] = []) throws
        -> MessageTrace.Step?
    {
        var left = JournalReader.longestHistory
        return try reader.asked(answer, known: known, &left)
    }

    /// The bank asks under the id of the portal's request, which has been answered.
    @Test func requestsOfOneIdAreToldApart() throws {
        let (first, second) = (noon, noon + 5_000_000)
        let batches = [
            batch(message(header(.request, 1, of: "portal"), at: first)),
            batch(
                message(header(.reply, 2, of: "portal", answering: 1)), .finished(finished(id(1), from: first))),
            batch(message(header(.request, 1, of: "bank"), at: second)),
            batch(message(header(.reply, 3, of: "bank", answering: 1)), .finished(finished(id(1), from: second))),
        ]
        try reading(batches) { reader throws in
            let found = try reader.messages(id(1))
            #expect(found.messages.map(\.header.consumer) == ["portal", "bank"] && found.isWhole)
            let traces = try found.messages.map { try reader.trace($0) }
            #expect(traces.map { $0.answers.map(\.header.id) } == [[id(2)], [id(3)]])
            #expect(traces.map(\.finished?.times.requestIn) == [first, second])
            let replies = try [id(2), id(3)].map { try #require(reader.messages($0).messages.first) }
            #expect(try replies.map { try asked($0, reader)?.header.consumer } == ["portal", "bank"])
        }
    }

    /// A call under way when the earlier one's end is written: the end in the same batch is not its own.
    @Test func theEndOfAnEarlierRequestIsNotTakenForThisOnes() throws {
        let batches = [
            batch(
                message(header(.request, 1, of: "bank"), at: noon + 1),
                .finished(finished(id(1), from: noon)))
        ]
        try reading(batches) { reader throws in
            let message = try #require(reader.messages(id(1)).messages.first)
            #expect(try reader.trace(message).finished == nil)
        }
    }

    @Test func outcomesGoToTheCommandOfTheirSystem() throws {
        let batches = [
            batch(message(header(.command, 1, of: "portal")), message(header(.command, 1, of: "bank"))),
            batch(
                message(header(.outcome, 2, of: "bank", answering: 1)),
                message(header(.outcome, 3, of: "portal", answering: 1))),
        ]
        try reading(batches) { reader throws in
            let found = try reader.messages(id(1)).messages
            #expect(try found.map { try reader.trace($0).answers.map(\.header.id) } == [[id(3)], [id(2)]])
            let outcomes = try [id(2), id(3)].map { try #require(reader.messages($0).messages.first) }
            #expect(try outcomes.map { try asked($0, reader, known: [1, 2])?.position } == [2, 1])
        }
    }

    /// One kind does not answer for another: a command under the id of a request hides neither.
    @Test func kindsOfOneIdAreToldApart() throws {
        let batches = [
            batch(message(header(.request, 1, of: "portal")), message(header(.command, 1, of: "portal"))),
            batch(
                message(header(.reply, 2, of: "portal", answering: 1)),
                message(header(.outcome, 3, of: "portal", answering: 1))),
        ]
        try reading(batches) { reader throws in
            let found = try reader.messages(id(1)).messages
            #expect(try found.map { try reader.trace($0).answers.map(\.header.kind) } == [[.reply], [.outcome]])
        }
    }

    @Test func aSearchThatWasCutSaysSo() throws {
        let batches = (0..<4).map { _ in batch(message(header(.request, 9, of: "portal"))) }
        try reading(batches) { reader throws in
            #expect(try !reader.messages(id(1), longest: 2).isWhole)
            #expect(try reader.messages(id(1)).isWhole)
        }
    }

    /// A call that was refused before it was written has an end and no message.
    @Test func anEndWithoutAMessageIsFound() throws {
        try reading([batch(.finished(finished(id(1))))]) { reader throws in
            #expect(try reader.messages(id(1)).messages.isEmpty)
            #expect(try reader.messages(id(1)).orphan.finished?.request == id(1))
            #expect(try reader.messages(id(2)).orphan.isEmpty)
        }
    }

    // MARK: - Submitted again

    /// The broker was restarted with the call open, and the portal's agent submitted it again.
    @Test func aRequestThatWasSubmittedAgainIsOneMessage() throws {
        let again = noon + 3_000_000
        let batches = [
            batch(message(header(.request, 1, of: "portal"), at: noon)),
            batch(message(header(.request, 1, of: "portal"), at: again)),
            batch(
                message(header(.reply, 2, of: "portal", answering: 1)), .finished(finished(id(1), from: again))),
        ]
        try reading(batches) { reader throws in
            let found = try reader.messages(id(1))
            #expect(found.messages.map(\.position) == [2])
            let message = try #require(found.messages.first)
            let trace = try reader.trace(message)
            #expect(trace.finished?.times.requestIn == again && trace.answers.count == 1)
            // By its first record it is the same.
            let first = try #require(try reader.message(id(1), at: 1))
            #expect(try reader.trace(first).finished?.times.requestIn == again)
        }
    }

    /// Nobody was there to answer when it was submitted again: that end has no message of its own, and is its end all the same.
    @Test func theRefusalOfARequestThatWasSubmittedAgainIsItsEnd() throws {
        let batches = [
            batch(message(header(.request, 1, of: "portal"), at: noon)),
            batch(.finished(finished(id(1), from: noon + 3_000_000))),
        ]
        try reading(batches) { reader throws in
            let message = try #require(reader.messages(id(1)).messages.first)
            #expect(try reader.trace(message).finished?.times.requestIn == noon + 3_000_000)
        }
    }

    /// The bank's request of the same id has its own end.
    @Test func theEndOfALaterRequestIsNotTakenForThisOnes() throws {
        let batches = [
            batch(message(header(.request, 1, of: "portal"), at: noon)),
            batch(message(header(.request, 1, of: "bank"), at: noon + 1)),
            batch(.finished(finished(id(1), from: noon + 1))),
        ]
        try reading(batches) { reader throws in
            let message = try #require(reader.messages(id(1)).messages.first)
            #expect(try reader.trace(message).finished?.outcome == nil)
        }
    }

    // MARK: - Searching

    /// The portal's clock is ahead, so its request lies before the time its id says; the bank's lies behind.
    @Test func aCopiedIdHidesNothing() throws {
        let ahead: Int64 = 5_000_000
        func request(_ system: String) -> JournalBatch.Entry {
            var header = BusJournalTests.header(.request, id(1, at: noon + ahead))
            header.consumer = system
            return message(header)
        }
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        _ = try journal.commit(batch(request("portal")), at: noon)
        _ = try journal.commit(batch(request("bank")), at: noon + ahead + 1)
        let found = try JournalReader(folder: folder.path).messages(id(1, at: noon + ahead))
        #expect(found.messages.map(\.header.consumer) == ["portal", "bank"])
    }

    @Test func noMoreAreToldApartThanThereIsRoomFor() throws {
        let batches = (0..<20).map { batch(message(header(.request, 1, of: "system-\($0)"))) }
        try reading(batches) { reader throws in
            let found = try reader.messages(id(1))
            #expect(found.messages.count == FoundMessages.most && !found.isWhole)
        }
    }

    /// A reply is held to what came before it, as far as it may have waited, whatever its request's id says of the time.
    @Test(arguments: [-280, -60, 0, 60] as [Int64]) func theRequestOfAReplyIsFoundWhateverItsIdSays(seconds: Int64)
        throws
    {
        let asking = id(1, at: noon + seconds * 1_000_000)
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        _ = try journal.commit(batch(message(BusJournalTests.header(.request, asking))), at: noon)
        _ = try journal.commit(
            batch(message(BusJournalTests.header(.reply, id(2), answering: asking))), at: noon + 1_000_000)
        let reader = try JournalReader(folder: folder.path)
        let reply = try #require(try reader.message(id(2), at: 2))
        #expect(try asked(reply, reader)?.position == 1)
        var few: UInt64 = 0
        #expect(try reader.asked(reply, &few)?.position == nil && few == 0)
    }
}
