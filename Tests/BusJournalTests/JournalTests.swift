import BusEvidence
import BusProtocol
import Foundation
import GRDB
import Testing

@testable import BusJournal

@Suite struct JournalTests {
    @Test func whatWasCommittedIsThereAfterReopening() throws {
        let folder = TemporaryFolder()
        var head: (treeSize: UInt64, root: Digest32) = (0, LogHash.empty)
        do {
            let journal = try Journal(folder: folder.path)
            #expect(journal.position == 0)
            #expect(journal.head.root == LogHash.empty)
            for number in 0..<7 {
                let committed = try journal.commit(
                    batch(message(header(.request, id(UInt64(number)))), .finished(finished(id(UInt64(number))))),
                    at: noon + Int64(number))
                #expect(committed.firstPosition == UInt64(2 * number + 1))
                #expect(committed.treeSize == UInt64(2 * number + 2))
                #expect(committed.root == journal.head.root)
            }
            head = journal.head
            journal.close()
        }
        let again = try Journal(folder: folder.path)
        #expect(again.head.treeSize == head.treeSize)
        #expect(again.head.root == head.root)
        let next = try again.commit(batch(message(header(.request, id(50)))), at: noon + 100)
        #expect(next.firstPosition == 15)
        again.close()
        #expect(try JournalVerifier.verify(folder: folder.path).findings == [])
    }

    /// Also where the folder was opened to others, and where the files are of before.
    @Test func nobodyElseReadsItsFiles() throws {
        let folder = TemporaryFolder()
        func modes() throws -> [String: Int?] {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            return Dictionary(
                uniqueKeysWithValues: try names.filter { $0.hasPrefix("journal.sqlite") }.map { name in
                    let found = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
                    return (name, found[.posixPermissions] as? Int)
                })
        }
        var journal = try Journal(folder: folder.path)
        _ = try journal.commit(batch(message(header(.event, id(1)))), at: noon)
        let made = try modes()
        #expect(made.count == 3 && made.values.allSatisfy { $0 == 0o600 }, "\(made)")
        journal.close()
        let path = Journal.path(in: folder.path)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        journal = try Journal(folder: folder.path)
        _ = try journal.commit(batch(message(header(.event, id(2)))), at: noon)
        let closed = try modes()
        #expect(closed.values.allSatisfy { $0 == 0o600 }, "\(closed)")
        journal.close()
    }

    /// A broker that is killed closes nothing: the WAL is all there is.
    @Test func aJournalThatWasNotClosedIsWholeAgain() throws {
        let folder = TemporaryFolder()
        let copy = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        for number in 0..<20 { _ = try journal.commit(batch(message(header(.request, id(UInt64(number))))), at: noon) }
        // What a kill leaves: the files as they are, without the lock's holder.
        try FileManager.default.copyItem(atPath: folder.path, toPath: copy.path)
        let found = try Journal(folder: copy.path)
        #expect(found.head.treeSize == 20)
        #expect(found.head.root == journal.head.root)
        found.close()
        journal.close()
    }

    /// A broker's own readers are open to its end: the emptied WAL stays beside the database, and holds nothing.
    @Test func closedInGoodOrderTheDatabaseAloneIsTheJournal() throws {
        let folder = TemporaryFolder()
        let copy = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        _ = try journal.commit(batch(message(header(.event, id(1)))), at: noon)
        let reader = try JournalReader(folder: folder.path)
        let root = journal.head.root
        journal.close()
        #expect(FileState(folder.file + "-wal").size == 0)
        try copy.makeFolder()
        try FileManager.default.copyItem(atPath: folder.file, toPath: copy.file)
        let found = try Journal(folder: copy.path)
        #expect(found.head.treeSize == 1 && found.head.root == root)
        #expect(try reader.body(at: 1) == Array("{}".utf8))
        found.close()
    }

    /// Killed in the middle of preparing the WAL, the journal must open again.
    @Test func aTableLeftByAKilledStartIsNoObstacle() throws {
        let folder = TemporaryFolder()
        try Journal(folder: folder.path).close()
        try folder.sql("CREATE TABLE prefill (b BLOB)")
        try Journal(folder: folder.path).close()
        #expect(try folder.number("SELECT count(*) FROM sqlite_master WHERE name = 'prefill'") == 0)
    }

    @Test func aBatchIsOneRowAndOnlyEventsKeepTheirBodies() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        let body = Array("the event".utf8)
        let committed = try journal.commit(
            batch(
                message(header(.request, id(1))), message(header(.event, id(2)), body: body),
                message(header(.reply, id(3), answering: id(1)))), at: noon)
        #expect(committed.treeSize == 3)
        #expect(try folder.number("SELECT count(*) FROM batch") == 1)
        #expect(try folder.number("SELECT count(*) FROM body") == 1)
        let reader = try JournalReader(folder: folder.path)
        #expect(try reader.body(at: 2) == body)
        #expect(try reader.body(at: 1) == nil)
        #expect(try reader.keptBodies(from: 1, limit: 100) == [2])
        let newest = try #require(try reader.newestEvent("register.record-changed.v1", among: 10))
        #expect(newest.position == 2 && newest.acceptedAt == noon)
        #expect(try reader.newestEvent("register.other.v1", among: 10)?.position == nil)
        #expect(try reader.newestEvent("register.record-changed.v1", among: 0)?.position == nil)
        let stored = try #require(try reader.message(at: 2))
        #expect(stored.header == header(.event, id(2)).encoded())
        #expect(stored.proof == [9, 9, 9])
        #expect(stored.bodyDigest == body.withUnsafeBytes { LogHash.body($0) }.bytes)
        #expect(stored.integration == 5)
        #expect(try reader.message(at: 4) == nil)
        journal.close()
    }

    @Test func everyKindOfRecordIsReadBackAsItWasWritten() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        let refused = RefusedRecord(consumer: "portal", target: "x.y.v1", code: 4030, count: 9, at: noon)
        let liveness = LivenessRecord(
            at: noon, up: true, agent: "register-1", systems: ["register", "other"], reason: "greeted")
        let state = StateRecord(at: noon, subject: "system", id: "register", from: "silent", to: "testing", why: "кеш")
        let settled = SettledRecord(
            position: 77, at: noon, integration: 3, code: 5020, subscriber: "portal", attempts: 3, agent: "portal-1")
        let broker = BrokerRecord(at: noon, broker: 1 << 100, software: "kerege")
        let end = finished(id(4))
        _ = try journal.commit(
            batch(
                .record(.refused, refused.encoded), .record(.liveness, liveness.encoded),
                .record(.state, state.encoded),
                .record(.settled, settled.encoded), .record(.brokerStarted, broker.encoded), .finished(end)), at: noon)
        var seen: [UInt64] = []
        try JournalReader(folder: folder.path).forEach(from: 1) { position, committedAt, type, reader throws(Fault) in
            seen.append(position)
            #expect(committedAt == noon)
            switch RecordType(rawValue: type) {
            case .refused: #expect(try RefusedRecord(&reader) == refused)
            case .liveness: #expect(try LivenessRecord(&reader) == liveness)
            case .state: #expect(try StateRecord(&reader) == state)
            case .settled: #expect(try SettledRecord(&reader) == settled)
            case .brokerStarted:
                let read = try BrokerRecord(&reader)
                #expect(read == broker)
            case .finished: #expect(try FinishedRecord(&reader) == end)
            default: Issue.record("type \(type)")
            }
            #expect(reader.remaining == 0)
        }
        #expect(seen == [1, 2, 3, 4, 5, 6])
        journal.close()
    }

    @Test func readingBeginsAtAnyPosition() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        // More batches than a page of the reader holds, three records each.
        for number in 0..<70 {
            _ = try journal.commit(
                batch(
                    message(header(.request, id(UInt64(number)))), message(header(.request, id(UInt64(1000 + number)))),
                    .finished(finished(id(UInt64(number))))), at: noon + Int64(number))
        }
        let reader = try JournalReader(folder: folder.path)
        for start in [1, 2, 3, 4, 191, 192, 193, 209, 210, 211, 500] as [UInt64] {
            var positions: [UInt64] = []
            try reader.forEach(from: start) { position, _, _, _ throws(Fault) in positions.append(position) }
            #expect(positions == Array(start..<max(211, start)), "from \(start)")
        }
        #expect(try reader.firstPosition(committedFrom: noon + 10) == 31)
        #expect(try reader.firstPosition(committedFrom: noon - 5) == 1)
        #expect(try reader.firstPosition(committedFrom: noon + 1000) == nil)
        #expect(try reader.lastCommit() == noon + 69)
        journal.close()
    }

    @Test func viewsAreSavedWithTheirPosition() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        let reader = try JournalReader(folder: folder.path)
        #expect(try reader.view("v") == nil)
        try journal.saveView("v", position: 0, [1])
        try journal.saveView("v", position: 12, [2, 3])
        let view = try #require(try reader.view("v"))
        #expect(view.position == 12)
        #expect(view.bytes == [2, 3])
        journal.close()
    }

    @Test func checkpointsRunBetweenBatchesWhenTheyAreDue() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        #expect(!journal.isCheckpointDue)
        let body = [UInt8](repeating: 1, count: 60_000)
        var number: UInt64 = 0
        while !journal.isCheckpointDue, number < 1000 {
            number += 1
            _ = try journal.commit(batch(message(header(.event, id(number)), body: body)), at: noon)
        }
        #expect(journal.isCheckpointDue)
        journal.checkpointIfDue()
        #expect(!journal.isCheckpointDue)
        _ = try journal.commit(batch(message(header(.event, id(number + 1)), body: body)), at: noon)
        let head = journal.head
        journal.close()
        let again = try Journal(folder: folder.path)
        #expect(again.head.root == head.root)
        again.close()
    }
}

@Suite struct ClosedJournalTests {
    @Test func aClosedJournalTakesNothingAndCanBeClosedAgain() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        journal.close()
        journal.close()
        #expect(throws: JournalError.self) { try journal.commit(batch(message(header(.request, id(1)))), at: noon) }
        #expect(throws: JournalError.self) { try journal.saveView("v", position: 1, []) }
        journal.checkpointIfDue()
        try Journal(folder: folder.path).close()
    }
}

@Suite struct RefusedFolderTests {
    @Test func aDatabaseOfAnotherProgramIsLeftAsItWas() throws {
        let folder = TemporaryFolder()
        try folder.makeFolder()
        try folder.sql("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('Aigerim')")
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file))
        let error = try #require(refusal(folder.path))
        #expect(error.kind == .foreignFile)
        #expect(error.remedy.contains("--data"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file)) == before)
    }

    @Test func aDatabaseOfAnotherProgramInWALModeIsLeftAsItWas() throws {
        let folder = TemporaryFolder()
        try folder.makeFolder()
        try folder.sql("PRAGMA journal_mode = WAL; CREATE TABLE people (name TEXT)")
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file))
        #expect(refusal(folder.path)?.kind == .foreignFile)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file)) == before)
    }

    @Test func aFileThatIsNoDatabaseIsLeftAsItWas() throws {
        let folder = TemporaryFolder()
        try folder.makeFolder()
        let text = Data(repeating: UInt8(ascii: "x"), count: 5000)
        try text.write(to: URL(fileURLWithPath: folder.file))
        #expect(refusal(folder.path)?.kind == .foreignFile)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file)) == text)
    }

    @Test func aNewerSchemaIsRefused() throws {
        let folder = TemporaryFolder()
        try Journal(folder: folder.path).close()
        try folder.sql("PRAGMA user_version = 99")
        let error = try #require(refusal(folder.path))
        #expect(error.kind == .newerVersion)
        #expect(error.detail.contains("99"))
        #expect(try folder.number("PRAGMA user_version") == 99)
    }

    @Test func twoJournalsOnOneFolderAreRefusedWithTheHoldersProcess() throws {
        let folder = TemporaryFolder()
        let first = try Journal(folder: folder.path)
        let error = try #require(refusal(folder.path))
        #expect(error.kind == .locked)
        #expect(error.detail.contains("\(getpid())"))
        _ = try first.commit(batch(message(header(.request, id(1)))), at: noon)
        first.close()
    }

    @Test func theLockEndsWithItsHolder() throws {
        let folder = TemporaryFolder()
        do { try Journal(folder: folder.path).close() }
        try Journal(folder: folder.path).close()
    }

    @Test func aFileInPlaceOfTheFolderIsNamed() throws {
        let folder = TemporaryFolder()
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path))
        let error = try #require(refusal(folder.path))
        #expect(error.kind == .readOnly)
        #expect(error.detail.contains(folder.path))
    }

    @Test func aFolderWithoutWriteRightIsRefused() throws {
        let folder = TemporaryFolder()
        try folder.makeFolder()
        guard geteuid() != 0 else {
            return print("NOT RUN: a folder without the right to write; root may write everywhere")
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.path)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path) }
        #expect(refusal(folder.path)?.kind == .readOnly)
    }

    @Test func readingWhereThereIsNoJournalSaysSo() throws {
        let folder = TemporaryFolder()
        do throws(JournalError) {
            _ = try JournalReader(folder: folder.path)
            Issue.record("a reader opened nothing")
        } catch { #expect(error.kind == .missing) }
    }

    /// A last batch whose saved edge was changed would let the tree grow on wrong ground.
    @Test func aDamagedEndIsNotBuiltUpon() throws {
        for change in [
            "edge = zeroblob(32)", "edge = x''", "root = zeroblob(32)", "count = 5", "chain = x'00'", "count = 'many'",
            "count = -1", "count = 9223372036854775807",
        ] {
            let folder = TemporaryFolder()
            let journal = try Journal(folder: folder.path)
            _ = try journal.commit(batch(message(header(.request, id(1)))), at: noon)
            journal.close()
            try folder.sql("UPDATE batch SET \(change)")
            #expect(refusal(folder.path)?.kind == .damaged, "\(change)")
        }
    }
}

@Suite struct FullDiskTests {
    /// The largest size of the file stands in for the disk: SQLite reports both as SQLITE_FULL.
    @Test func aFullDiskRefusesTheBatchAndLaterOnesSucceedOnceThereIsSpace() throws {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        _ = try journal.commit(batch(message(header(.request, id(1)))), at: noon)
        let before = journal.head
        try journal.limitPages(to: 1)
        let large = batch(message(header(.event, id(2)), body: [UInt8](repeating: 3, count: 60_000)))
        // Pages freed by the start are used up first.
        var refused: JournalError?
        var accepted: UInt64 = 0
        while refused == nil, accepted < 1000 {
            do throws(JournalError) {
                _ = try journal.commit(large, at: noon)
                accepted += 1
            } catch { refused = error }
        }
        #expect(refused?.kind == .full)
        #expect(refused?.fault.code == .storageFull)
        #expect(journal.head.treeSize == before.treeSize + accepted)
        let head = journal.head
        #expect(throws: JournalError.self) { try journal.commit(large, at: noon) }
        #expect(journal.head.root == head.root)

        try journal.limitPages(to: 1_000_000)
        let after = try journal.commit(large, at: noon)
        #expect(after.firstPosition == head.treeSize + 1)
        journal.close()
        #expect(try JournalVerifier.verify(folder: folder.path).findings == [])
    }
}
