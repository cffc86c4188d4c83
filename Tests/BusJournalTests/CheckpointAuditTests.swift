import BusEvidence
import BusProtocol
import Testing

@testable import BusJournal

/// A journal against a checkpoint that an auditor has kept.
@Suite struct CheckpointAuditTests {
    private let key: SigningKey
    private let log: NoteSigner

    init() throws {
        let key = SigningKey()
        self.key = key
        log = try #require(NoteSigner(name: "s/b", key: key))
    }

    private func space(_ key: SigningKey?) -> JournalBatch.Entry {
        let sign = key.map { #","sign":"\#($0.publicKey.bytes.hex)""# } ?? ""
        return .record(
            .space,
            Array(
                #"{"format":"kerege-space/1","space":{"broker":{"id":"b"\#(sign)},"id":"s","keys":[]},"version":1}"#
                    .utf8))
    }

    /// Heads of the log after each of these batches.
    private func written(_ batches: [[JournalBatch.Entry]], in folder: TemporaryFolder) throws -> [TreeHead] {
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        return try batches.map { entries in
            var batch = JournalBatch()
            for entry in entries { batch.append(entry) }
            let committed = try journal.commit(batch, at: noon)
            return TreeHead(size: committed.treeSize, root: committed.root)
        }
    }

    private func requests(_ numbers: ClosedRange<UInt64>) -> [[JournalBatch.Entry]] {
        numbers.map { [message(header(.request, id($0)))] }
    }

    private func checkpoint(_ head: TreeHead, by signer: NoteSigner) throws -> KnownCheckpoint {
        try #require(KnownCheckpoint(kept: Checkpoint.sign(head, by: signer)))
    }

    /// Position and the words of every finding up to its explanation.
    private func found(
        _ folder: TemporaryFolder, _ checkpoint: KnownCheckpoint, log key: VerifyingKey? = nil
    ) throws -> [String] {
        let report = try JournalVerifier.verify(folder: folder.path, checkpoint: checkpoint, keys: .init(log: key))
        return report.findings.map { finding in
            let words = finding.what.split(separator: ": ")
            return "\(finding.position) \(words[finding.what.hasPrefix("the checkpoint") ? 1 : 0])"
        }
    }

    @Test func aLogThatGoesOnFromItIsSound() throws {
        let folder = TemporaryFolder()
        let heads = try written(
            [[space(key)]] + requests(1...9) + [[space(SigningKey())]] + requests(10...12), in: folder)
        // The key of its time signed it; another one has come since.
        for head in heads[..<10] { #expect(try found(folder, checkpoint(head, by: log)) == [], "\(head.size)") }
        #expect(try found(folder, checkpoint(heads[12], by: log)) == ["0 note-not-signed"])
        #expect(try found(folder, checkpoint(heads[12], by: log), log: key.publicKey) == [])
        let empty = TreeHead(size: 0, root: LogHash.empty)
        #expect(try found(folder, checkpoint(empty, by: log)) == [])
    }

    @Test func aShorterAndAForkedLogAreFound() throws {
        let folder = TemporaryFolder()
        let other = TemporaryFolder()
        let start = [[space(key)]]
        let heads = try written(start + requests(1...9), in: folder)
        let others = try written(start + requests(1...4) + requests(50...80), in: other)
        #expect(try found(folder, checkpoint(others[20], by: log)) == ["11 log-shrank"])
        #expect(try found(folder, checkpoint(others[7], by: log)) == ["8 log-forked"])
        #expect(try found(folder, checkpoint(others[4], by: log)) == [], "so far they are the same")
        #expect(try found(other, checkpoint(heads[9], by: log)) == ["10 log-forked"])
    }

    @Test func aNoteThatIsNotTheLogsIsFound() throws {
        let folder = TemporaryFolder()
        let silent = TemporaryFolder()
        let heads = try written([[space(key)]] + requests(1...3), in: folder)
        let stranger = try #require(NoteSigner(name: "s/b", key: SigningKey()))
        let renamed = try #require(NoteSigner(name: "s/second", key: key))
        #expect(try found(folder, checkpoint(heads[3], by: stranger)) == ["0 note-not-signed"])
        #expect(try found(folder, checkpoint(heads[3], by: renamed)) == ["0 other-log"])
        let note = Checkpoint.sign(heads[3], by: log).replacing("\n4\n", with: "\n3\n")
        let changed = try #require(KnownCheckpoint(kept: note))
        #expect(try found(folder, changed) == ["0 wrong-note-signature", "3 log-forked"])
        let unstated = try written([[space(nil)]] + requests(1...3), in: silent)
        #expect(try found(silent, checkpoint(unstated[3], by: log)) == ["0 no-log-key"])
        #expect(try found(silent, checkpoint(unstated[3], by: log), log: key.publicKey) == [])
    }
}
