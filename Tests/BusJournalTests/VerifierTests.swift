import BusEvidence
import BusProtocol
import Foundation
import GRDB
import Testing

@testable import BusJournal

@Suite struct VerifierTests {
    /// Ten batches of three records: positions 1 to 30; every second record of a batch is an event with its body.
    private func written() throws -> (folder: TemporaryFolder, roots: [[UInt8]]) {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        var roots: [[UInt8]] = []
        for number in 0..<10 as Range<UInt64> {
            let committed = try journal.commit(
                batch(
                    message(header(.request, id(3 * number))),
                    message(header(.event, id(3 * number + 1)), body: Array("event \(number)".utf8)),
                    .finished(finished(id(3 * number)))), at: noon + Int64(number) * 1000)
            roots.append(committed.root.bytes)
        }
        try journal.saveView("integrations", position: 30, [1])
        journal.close()
        return (folder, roots)
    }

    @Test func aSoundJournalHasNoFindings() throws {
        let (folder, roots) = try written()
        var progress: [Int] = []
        let report = try JournalVerifier.verify(
            folder: folder.path, receipt: .init(treeSize: 12, root: roots[3])
        ) { progress.append($0) }
        #expect(report.isSound, "\(report.findings)")
        #expect(report.batches == 10)
        #expect(report.records == 30)
        #expect(report.messages == 20)
        #expect(report.bodies == 10)
        #expect(report.treeSize == 30)
        #expect(report.root == roots[9].hex)
        #expect(progress == Array(stride(from: 3, through: 30, by: 3)) + [30])
    }

    @Test("A body that is gone without a record of its erasure is a finding at its place")
    func aBodyThatWasTaken() throws {
        let (folder, _) = try written()
        try folder.sql("DELETE FROM body WHERE position = 5")
        let report = try JournalVerifier.verify(folder: folder.path)
        #expect(report.findings.map(\.position) == [5] && report.bodiesErased == 0)
        #expect(report.findings.first?.what.contains("no record says that it was erased") == true)
        #expect(report.bodies == 9)
    }

    /// Who delivers knows the record: a body that is damaged is gone, and no reason to give up the others.
    @Test func aDamagedBodyIsNoBody() throws {
        let (folder, _) = try written()
        try folder.sql("UPDATE body SET bytes = x'00' WHERE position = 5")
        let reader = try JournalReader(folder: folder.path)
        let records = try reader.messages(at: [2, 5])
        #expect(try reader.body(at: 5, digest: try #require(records[5]).bodyDigest) == nil)
        #expect(throws: JournalError.self) { try reader.body(at: 5) }
        let sound = try #require(records.first { $0.key != 5 })
        #expect(try reader.body(at: sound.key, digest: sound.value.bodyDigest) != nil)
    }

    /// Retention: the body goes in the transaction that says so, and its bytes with it.
    @Test func theJournalErasesWithTheRecordThatSaysSo() throws {
        let (folder, _) = try written()
        let journal = try Journal(folder: folder.path)
        let record = ErasedRecord(at: noon, positions: [5, 4, 999])
        _ = try journal.commit(batch(.record(.erased, record.encoded)), at: noon + 20_000)
        journal.close()
        let report = try JournalVerifier.verify(folder: folder.path)
        #expect(report.isSound, "\(report.findings)")
        #expect(report.bodies == 9 && report.bodiesGone == 1 && report.bodiesErased == 1)
        #expect(try JournalReader(folder: folder.path).body(at: 5) == nil)
        let file = try Data(contentsOf: URL(fileURLWithPath: folder.file))
        #expect(file.range(of: Data("event 1".utf8)) == nil, "what is erased is not to be read in the file")
        #expect(file.range(of: Data("event 2".utf8)) != nil)
    }

    /// What somebody did to the file, and the position that a finding must name.
    static let tampering: [(sql: String, position: UInt64)] = [
        ("UPDATE batch SET chain = zeroblob(32) WHERE position = 10", 10),
        ("UPDATE batch SET root = zeroblob(32) WHERE position = 10", 10),
        ("UPDATE batch SET edge = zeroblob(32) WHERE position = 10", 10),
        ("UPDATE batch SET count = 2 WHERE position = 10", 10),
        ("UPDATE batch SET count = 'three' WHERE position = 10", 10),
        ("UPDATE batch SET committed = committed + 1 WHERE position = 10", 10),
        ("UPDATE batch SET position = 9 WHERE position = 10", 9),
        ("UPDATE batch SET records = x'' WHERE position = 10", 10),
        ("UPDATE batch SET records = 'text' WHERE position = 10", 10),
        ("UPDATE batch SET records = records || x'00' WHERE position = 10", 10),
        ("UPDATE batch SET root = 'text' WHERE position = 10", 10),
        ("UPDATE body SET bytes = x'00' WHERE position = 11", 11),
        ("UPDATE body SET position = 12 WHERE position = 11", 12),
        ("INSERT INTO body VALUES (12, x'00')", 12),
        ("INSERT INTO body VALUES (31, x'00')", 31),
        ("INSERT INTO body VALUES (-4, x'00')", 0),
        ("DELETE FROM batch WHERE position = 10", 13),
        ("DELETE FROM batch WHERE position = 28", 28),
        ("DELETE FROM batch WHERE position = 1", 4),
    ]

    @Test(arguments: tampering) func everyChangeIsFoundAtItsPlace(sql: String, position: UInt64) throws {
        let (folder, _) = try written()
        try folder.sql(sql)
        let report = try JournalVerifier.verify(folder: folder.path)
        #expect(!report.isSound)
        #expect(report.findings.contains { $0.position == position }, "\(report.findings.prefix(3))")
    }

    /// Two batches of the same shape change places, with all their columns but the position.
    @Test func swappedBatchesAreFound() throws {
        let (folder, _) = try written()
        try folder.sql(
            "UPDATE batch SET position = 1000 WHERE position = 7; UPDATE batch SET position = 7 WHERE position = 13;"
                + "UPDATE batch SET position = 13 WHERE position = 1000")
        let report = try JournalVerifier.verify(folder: folder.path)
        #expect(report.findings.contains { $0.position == 7 })
        #expect(report.findings.contains { $0.position == 13 })
    }

    /// Every byte of a batch's records counts: head, type, size, times, stage, digest, header and proof alike.
    @Test func noByteOfTheRecordsCanChangeUnseen() throws {
        let (folder, _) = try written()
        let size = try #require(try folder.number("SELECT length(records) FROM batch WHERE position = 10"))
        let database = try DatabaseQueue(path: folder.file)
        let records = try #require(
            try database.read { try Data.fetchOne($0, sql: "SELECT records FROM batch WHERE position = 10") }.map {
                [UInt8]($0)
            })
        #expect(records.count == Int(size))
        for index in records.indices {
            var changed = records
            changed[index] ^= 0x10
            try database.write {
                try $0.execute(sql: "UPDATE batch SET records = ? WHERE position = 10", arguments: [Data(changed)])
            }
            let report = try JournalVerifier.verify(folder: folder.path)
            #expect(report.findings.first.map { (10...12).contains($0.position) } == true, "byte \(index)")
        }
        try database.write {
            try $0.execute(sql: "UPDATE batch SET records = ? WHERE position = 10", arguments: [Data(records)])
        }
        #expect(try JournalVerifier.verify(folder: folder.path).isSound)
    }

    @Test func aTailThatWasCutOffIsMissedByAViewAndByAReceipt() throws {
        let (folder, roots) = try written()
        try folder.sql("DELETE FROM batch WHERE position > 20; DELETE FROM body WHERE position > 20")
        let byView = try JournalVerifier.verify(folder: folder.path)
        #expect(byView.findings.contains { $0.position == 22 && $0.what.contains("tail") }, "\(byView.findings)")
        try folder.sql("DELETE FROM view")
        let alone = try JournalVerifier.verify(folder: folder.path)
        #expect(alone.isSound, "a cut without a trace is sound in itself")
        let byReceipt = try JournalVerifier.verify(folder: folder.path, receipt: .init(treeSize: 30, root: roots[9]))
        #expect(byReceipt.findings.contains { $0.position == 22 && $0.what.contains("receipt") })
    }

    /// Written anew from a place on, with everything recomputed: only a receipt from outside shows it.
    @Test func aForkedLogIsFoundByAReceipt() throws {
        let (folder, roots) = try written()
        try folder.sql("DELETE FROM batch WHERE position > 20; DELETE FROM body WHERE position > 20; DELETE FROM view")
        let journal = try Journal(folder: folder.path)
        for number in 50..<60 as Range<UInt64> {
            _ = try journal.commit(batch(message(header(.request, id(number)))), at: noon + 1_000_000)
        }
        journal.close()
        #expect(try JournalVerifier.verify(folder: folder.path).isSound)
        let old = try JournalVerifier.verify(folder: folder.path, receipt: .init(treeSize: 21, root: roots[6]))
        #expect(old.isSound)
        let forked = try JournalVerifier.verify(folder: folder.path, receipt: .init(treeSize: 24, root: roots[7]))
        #expect(forked.findings.map(\.position) == [24])
    }

    @Test func findingsAreBounded() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        for number in 0..<200 as Range<UInt64> {
            _ = try journal.commit(batch(message(header(.request, id(number)))), at: noon)
        }
        journal.close()
        try folder.sql("UPDATE batch SET root = zeroblob(32), chain = zeroblob(32)")
        let report = try JournalVerifier.verify(folder: folder.path)
        #expect(report.findings.count <= JournalVerifier.maximumFindings + 3)
        #expect(report.findings.count >= JournalVerifier.maximumFindings)
    }
}

/// Verifying the journal of a broker that goes on.
@Suite struct LiveVerifierTests {
    /// What is written between the last batch that was read and the look at the end is neither stray nor a missing tail.
    @Test func aGrowingJournalIsSound() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        defer { journal.close() }
        _ = try journal.commit(batch(message(header(.event, id(1)))), at: noon)
        var calls = 0
        let report = try JournalVerifier.verify(folder: folder.path) { records in
            calls += 1
            guard calls == 2 else { return }
            let committed = try? journal.commit(batch(message(header(.event, id(2)))), at: noon + 1)
            try? journal.saveView("space", position: committed?.treeSize ?? 0, [1])
        }
        #expect(calls == 2 && report.treeSize == 1 && report.findings.map(\.what) == [])
        #expect(try JournalVerifier.verify(folder: folder.path).treeSize == 2)
    }
}
