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
            #expect(try replies.map { try reader.asked($0)?.header.consumer } == ["portal", "bank"])
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
            #expect(try outcomes.map { try reader.asked($0, known: [1, 2])?.position } == [2, 1])
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
            #expect(try reader.orphan(id(1)).finished?.request == id(1))
            #expect(try reader.orphan(id(2)).isEmpty)
        }
    }
}
