import BusEvidence
import BusProtocol
import Testing

@testable import BusJournal

@Suite struct LogIndexTests {
    /// Writes records up to a size, in batches of many sizes; the records at `spaces` are spaces, the others by turns messages and ends.
    private func fill(_ journal: Journal, to size: UInt64, spaces: Set<UInt64> = []) throws {
        while journal.position < size {
            var entries = JournalBatch()
            let first = journal.position + 1
            for position in first...min(size, first + first % 97) {
                if spaces.contains(position) {
                    entries.append(.record(.space, Array("space \(position)".utf8)))
                } else if position % 3 == 0 {
                    entries.append(.finished(finished(id(position))))
                } else {
                    entries.append(message(header(.request, id(position))))
                }
            }
            _ = try journal.commit(entries, at: noon + Int64(first))
        }
    }

    private func leaf(_ reader: JournalReader, _ position: UInt64) throws -> Digest32 {
        if let message = try reader.message(at: position) {
            let digest = try #require(Digest32(message.bodyDigest))
            return message.header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: digest) }
        }
        let record = try #require(try reader.record(at: position))
        return record.payload.withUnsafeBytes { LogHash.recordLeaf(type: record.type, payload: $0) }
    }

    /// Sizes around whole subtrees, and proofs of the first, the last and some records between: each leads to the journal's own root.
    @Test(.timeLimit(.minutes(2))) func proofsLeadToTheRootOfTheJournal() throws {
        var random = Effort.random("proofsLeadToTheRootOfTheJournal")
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        let reader = try JournalReader(folder: folder.path)
        var index = LogIndex()
        #expect(try index.extend(reader) == TreeHead(size: 0, root: LogHash.empty))
        var before: [TreeHead] = []
        for size: UInt64 in [1, 2, 700, 1023, 1024, 1025, 2048, 3000, 5121] {
            try fill(journal, to: size)
            let head = try index.extend(reader)
            #expect(head.size == size && head.root == journal.head.root)
            #expect(try index.extend(reader) == head, "nothing new changes nothing")
            let positions = Set([1, size, UInt64.random(in: 1...size, using: &random), max(1, size / 2)])
            for position in positions {
                let path = try index.proofs(reader, of: [position]).inclusion(of: position - 1)
                let leaf = try leaf(reader, position)
                #expect(throws: Never.self, "\(position) of \(size)") {
                    try LogProof.check(inclusion: path, of: leaf, at: position - 1, in: head)
                }
            }
            for older in before {
                let path = try index.proofs(reader, of: [older.size]).consistency(from: older.size)
                #expect(throws: Never.self, "\(older.size) to \(size)") {
                    try LogProof.check(consistency: path, from: older, to: head)
                }
            }
            before.append(head)
        }
        // The log as it was at any of these sizes, from the index of the whole.
        for (number, older) in before.enumerated() {
            #expect(try index.proofs(reader, of: [], in: older.size).root() == older.root)
            let place = UInt64.random(in: 1...older.size, using: &random)
            let inside = try index.proofs(reader, of: [place], in: older.size).inclusion(of: place - 1)
            let leaf = try leaf(reader, place)
            #expect(throws: Never.self, "\(place) of \(older.size)") {
                try LogProof.check(inclusion: inside, of: leaf, at: place - 1, in: older)
            }
            for first in before[...number] {
                let path = try index.proofs(reader, of: [first.size], in: older.size).consistency(from: first.size)
                #expect(throws: Never.self, "\(first.size) to \(older.size)") {
                    try LogProof.check(consistency: path, from: first, to: older)
                }
            }
        }
    }

    @Test func theSpaceInForceIsTheNewestBefore() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        try fill(journal, to: 1500, spaces: [2, 900, 1200])
        var index = LogIndex()
        let reader = try JournalReader(folder: folder.path)
        _ = try index.extend(reader)
        #expect([1, 2, 3, 900, 901, 1500].map { index.space(before: $0) } == [nil, nil, 2, 2, 900, 1200])
        #expect(try reader.record(at: 900)?.payload == Array("space 900".utf8))
        #expect(try reader.record(at: 1501)?.type == nil)
    }
}
