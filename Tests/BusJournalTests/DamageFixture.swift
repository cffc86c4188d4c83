import BusEvidence
import BusProtocol
import Foundation
import Testing

@testable import BusJournal

/// The files of a journal as a crash leaves them: bytes that a test may damage, and what stood in them.
struct DamageFixture: Sendable {
    struct Record: Equatable, Sendable {
        var position: UInt64
        var committedAt: Int64
        var type: UInt8
        var payload: [UInt8]
    }

    var name: String
    var database: [UInt8]
    var wal: [UInt8]
    var records: [Record] = []
    var bodies: [UInt64: [UInt8]] = [:]
    /// Size and root of the log after each commit, the empty log first.
    var commits: [UInt64: [UInt8]] = [:]
    /// Every view that was ever saved.
    var savedViews: Set<SavedBytes> = []

    struct SavedBytes: Hashable, Sendable {
        var name: String
        var position: UInt64
        var bytes: [UInt8]
    }

    var size: UInt64 { UInt64(records.count) }
    var root: [UInt8] { commits[size] ?? [] }

    /// How the broker ended.
    enum End: String, CaseIterable, Sendable {
        /// Some batches in the database, the newest only in the WAL.
        case killed
        /// The newest batches were just copied from the WAL into the database, both are there: a WAL that loses its end then
        /// shows pages of two times.
        case killedAfterCheckpoint
        /// In good order: no WAL.
        case closed
        /// Killed in the first moments, when the WAL still has the blocks it was filled with.
        case killedWithFilledWAL
    }

    /// Batches of every kind of record, bodies of many sizes, views saved in between.
    init(_ end: End) throws {
        name = end.rawValue
        let folder = TemporaryFolder()
        let journal = try Journal(
            folder: folder.path, prefilling: end == .killedWithFilledWAL ? Journal.prefillBytes : 0)
        commits[0] = journal.head.root.bytes
        for number in 0..<14 as Range<UInt64> {
            let time = noon + Int64(number) * 1_000_000
            let size = [3, 200, 3000, 9000][Int(number % 4)]
            var entries = batch(
                message(header(.request, id(10 * number, at: time), at: time), at: time),
                message(
                    header(.event, id(10 * number + 1, at: time), at: time),
                    body: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(number)) }, at: time),
                .finished(finished(id(10 * number, at: time), from: time)))
            entries.append(
                .record(
                    .settled,
                    SettledRecord(position: 2, at: time, integration: 1, code: 0, subscriber: "portal").encoded))
            let committed = try journal.commit(entries, at: time)
            commits[committed.treeSize] = committed.root.bytes
            if number % 3 == 2 {
                let bytes = [UInt8](repeating: UInt8(number), count: 5000)
                for view in ["space", "integrations"] {
                    try journal.saveView(view, position: committed.treeSize, bytes)
                    savedViews.insert(SavedBytes(name: view, position: committed.treeSize, bytes: bytes))
                }
            }
            if number == 6, end == .killed || end == .killedAfterCheckpoint { try journal.copyIntoDatabase() }
        }
        if end == .killedAfterCheckpoint { try journal.copyIntoDatabase() }
        if end == .closed { journal.close() }
        database = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file)))
        wal = [UInt8]((try? Data(contentsOf: URL(fileURLWithPath: folder.file + "-wal"))) ?? Data())
        let seen = try Content(folder.path)
        (records, bodies) = (seen.records, seen.bodies)
        journal.close()
    }

    /// Where the newest commit ends in the WAL.
    var liveEnd: Int {
        // Frames of a WAL that was filled before carry the salts of then.
        guard wal.count > 32 else { return 0 }
        var at = 32
        while at + 4120 <= wal.count, wal[at + 8..<at + 16].elementsEqual(wal[16..<24]) { at += 4120 }
        return at
    }
}

/// Everything a reader gives out.
struct Content {
    var records: [DamageFixture.Record] = []
    var bodies: [UInt64: [UInt8]] = [:]
    var views: Set<DamageFixture.SavedBytes> = []

    init(_ folder: String) throws(JournalError) {
        let reader = try JournalReader(folder: folder)
        var records: [DamageFixture.Record] = []
        try reader.forEach(from: 1) { position, time, type, payload throws(Fault) in
            records.append(
                DamageFixture.Record(
                    position: position, committedAt: time, type: type,
                    payload: try payload.takeArray(payload.remaining)))
        }
        self.records = records
        for position in try reader.keptBodies(from: 1, limit: 100_000) {
            bodies[position] = try reader.body(at: position)
        }
        for name in ["space", "integrations"] {
            guard let view = try reader.view(name) else { continue }
            views.insert(DamageFixture.SavedBytes(name: name, position: view.position, bytes: view.bytes))
        }
    }
}
