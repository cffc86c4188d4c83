import BusProtocol
import Testing

@testable import BusJournal

@Suite struct AccessSearchTests {
    private static let reference: UInt128 = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10

    private func reply(_ number: UInt64, about subject: UInt128?, more: Bool = false) -> JournalBatch.Entry {
        var reply = header(.reply, id(number), answering: id(number + 1000))
        reply.subjectReference = subject
        if more {
            reply.causation = id(5)
            reply.expiry = 77
            reply.orderKey = 9
            reply.contractDigest = [UInt8](repeating: 3, count: 32)
        }
        return message(reply)
    }

    /// Batches of three: an access, another person's, and a record of something else.
    private func withJournal(_ body: (JournalReader) throws -> Void) throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        for number in 0..<40 as Range<UInt64> {
            // The reference of a request is somebody's word, and no access.
            var request = header(.request, id(500 + number))
            request.subjectReference = Self.reference
            _ = try journal.commit(
                batch(
                    reply(number, about: number % 2 == 0 ? Self.reference : 42, more: number % 4 == 0),
                    message(request), .finished(finished(id(number + 1000)))),
                at: noon + Int64(number) * 1_000_000)
        }
        journal.close()
        try body(try JournalReader(folder: folder.path))
    }

    @Test func repliesAboutOnePersonAreFoundInTheirOrder() throws {
        try withJournal { reader in
            let page = try reader.accesses(to: [Self.reference], from: 1, limit: 100)
            #expect(page.found.count == 20 && page.next == nil)
            let expected = stride(from: 1 as UInt64, to: 120, by: 6)
            #expect(page.found.map(\.position) == Array(expected))
            #expect(page.found.allSatisfy { $0.header.subjectReference == Self.reference })
            #expect(page.found[0].header.correlation == id(1000))
            #expect(try reader.accesses(to: [Self.reference, 42], from: 1, limit: 100).found.count == 40)
            #expect(try reader.accesses(to: [7], from: 1, limit: 100).found.isEmpty)
            #expect(try reader.accesses(to: [Self.reference], from: 8, limit: 100).found.first?.position == 13)
            #expect(try reader.accesses(to: [Self.reference], from: 1_000_000, limit: 100).next == nil)
        }
    }

    @Test func pagesLeaveOutNothingAndTellNothingTwice() throws {
        try withJournal { reader in
            let whole = try reader.accesses(to: [Self.reference], from: 1, limit: 100).found.map(\.position)
            for (limit, records) in [(1, 1_000), (3, 1_000), (20, 1_000), (100, 1), (100, 7), (2, 5)] as [(Int, UInt64)]
            {
                var found: [UInt64] = []
                var from: UInt64? = 1
                while let start = from {
                    let page = try reader.accesses(to: [Self.reference], from: start, limit: limit, records: records)
                    #expect(page.found.count <= limit && page.next.map { $0 > start } ?? true)
                    found += page.found.map(\.position)
                    from = page.next
                }
                #expect(found == whole, "\(limit) replies, \(records) records")
            }
        }
    }
}
