import BusEvidence
package import BusProtocol
import Foundation
import GRDB

/// Reads a journal beside its writer: query-only, never checkpoints. A journal that nobody holds is not touched at all.
///
/// What it gives out is held to the hashes that were written with it; what does not fit is an error that names the place.
package final class JournalReader: Sendable {
    private let database: DatabaseQueue
    private let path: String
    /// The files as they were found, when no broker held them.
    private let found: [FileState]?

    package init(folder: String) throws(JournalError) {
        path = Journal.path(in: folder)
        guard FileManager.default.fileExists(atPath: path) else {
            throw JournalError(.missing, "there is no journal in \(folder)", remedy: "name the broker's data folder")
        }
        let isHeld = FolderLock.isHeld(folder)
        found = isHeld ? nil : Self.states(path)
        do {
            database = try isHeld ? Self.openShared(path) : QuietDatabase.open(path)
            let (id, difference) = try database.read {
                (try Int32.fetchOne($0, sql: "PRAGMA application_id") ?? 0, try JournalSchema.difference($0))
            }
            guard id == Journal.applicationID else {
                throw JournalError(.foreignFile, "\(path) is not a journal", remedy: "name the broker's data folder")
            }
            if let damage = difference ?? FileHeader.difference(path) { throw JournalError.damaged(path, damage) }
        } catch { throw JournalError.of(error, doing: "opening \(path) for reading") }
    }

    private static func openShared(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { try $0.execute(sql: QuietDatabase.reading) }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    private static func states(_ path: String) -> [FileState] { [FileState(path), FileState(path + "-wal")] }

    /// A broker may write to it at any time.
    var isLive: Bool { found == nil }

    /// Without locks nobody is kept from writing; what was read meanwhile would be of two times.
    func expectUntouched() throws(JournalError) {
        guard let found, found != Self.states(path) else { return }
        throw JournalError(
            .locked, "\(path) was written to while it was read", remedy: "a broker has started on it: run this again")
    }

    /// A saved view and the position it was folded to; `nil` when there is none, or not as it was saved.
    package func view(_ name: String) throws(JournalError) -> (position: UInt64, bytes: [UInt8])? {
        try reading { db in
            try SavedView.all(db).first { $0.name == name }.flatMap { view in
                view.bytes.map { (view.position, $0) }
            }
        }
    }

    /// The body of a message whose record is at hand; `nil` when it was never kept, has been erased, or is not the one that was accepted.
    package func body(at position: UInt64, digest: [UInt8]) throws(JournalError) -> [UInt8]? {
        guard let kept = try keptBody(position), kept.withUnsafeBytes({ LogHash.body($0) }).bytes == digest else {
            return nil
        }
        return kept
    }

    /// The body of a command or event; `nil` when it was never kept or has been erased.
    /// - Throws: also when it is not the one that was accepted.
    package func body(at position: UInt64) throws(JournalError) -> [UInt8]? {
        guard let kept = try keptBody(position) else { return nil }
        guard try message(at: position)?.bodyDigest == kept.withUnsafeBytes({ LogHash.body($0) }).bytes else {
            throw JournalError.damaged(at: Int64(clamping: position), "the kept body is not the one that was accepted")
        }
        return kept
    }

    private func keptBody(_ position: UInt64) throws(JournalError) -> [UInt8]? {
        try reading { db in
            try Data.fetchOne(
                db, sql: "SELECT CAST(bytes AS BLOB) FROM body WHERE position = ?",
                arguments: [Int64(clamping: position)]
            ).map([UInt8].init)
        }
    }

    /// Every kept body of a range of positions, in order.
    package func bodies(from first: UInt64, through last: UInt64) throws(JournalError) -> [(UInt64, [UInt8])] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT position, coalesce(CAST(bytes AS BLOB), x'') AS bytes FROM body WHERE position BETWEEN ? AND ? ORDER BY position",
                arguments: [Int64(clamping: first), Int64(clamping: last)]
            ).map { (UInt64(clamping: $0["position"] as Int64), [UInt8]($0["bytes"] as Data)) }
        }
    }

    /// Up to `limit` batches from the one that holds `position` on.
    package func batches(from position: UInt64, limit: Int) throws(JournalError) -> [StoredBatch] {
        try reading { try CheckedBatches.read($0, from: Int64(clamping: position), limit: limit) }
    }

    /// Calls `each` for every record from `position` on, in order.
    package func forEach(
        from position: UInt64, _ each: (UInt64, Int64, UInt8, inout ByteReader) throws(Fault) -> Void
    ) throws(JournalError) {
        var left = UInt64.max
        _ = try walk(position..<UInt64.max, to: .max, &left) { at, committedAt, type, reader throws(Fault) in
            try each(at, committedAt, type, &reader)
            return true
        }
    }

    /// Position of the first batch committed at or after a time (Unix microseconds); `nil` when there is none.
    package func firstPosition(committedFrom microseconds: Int64) throws(JournalError) -> UInt64? {
        try reading { db in
            guard let newest = try Int64.fetchOne(db, sql: "SELECT max(position) FROM batch") else { return nil }
            var low: Int64 = 1
            var high = newest
            while low < high {
                let middle = low + (high - low) / 2
                guard let batch = try CheckedBatches.read(db, atOrAfter: middle, limit: 1).first else { break }
                if batch.committedAt >= microseconds {
                    high = middle
                } else {
                    low = Int64(clamping: batch.firstPosition) + 1
                }
            }
            guard let batch = try CheckedBatches.read(db, atOrAfter: low, limit: 1).first,
                batch.committedAt >= microseconds
            else { return nil }
            return batch.firstPosition
        }
    }

    func reading<Value>(_ body: (Database) throws -> Value) throws(JournalError) -> Value {
        do { return try database.read(body) } catch { throw JournalError.of(error, doing: "reading \(path)") }
    }

    static func damaged(_ fault: Fault) -> JournalError {
        JournalError.damaged("the journal", fault.detail.isEmpty ? "\(fault)" : fault.detail)
    }
}

extension JournalReader {
    /// Positions from `first` on whose body is kept, in order; at most `limit`.
    package func keptBodies(from first: UInt64, limit: Int) throws(JournalError) -> [UInt64] {
        try reading { db in
            try Int64.fetchAll(
                db, sql: "SELECT position FROM body WHERE position >= ? ORDER BY position LIMIT ?",
                arguments: [Int64(clamping: first), limit]
            ).map { UInt64(clamping: $0) }
        }
    }

    /// The message records at these positions; what is no message is left out. A batch is read once for all of its positions.
    package func messages(at positions: [UInt64]) throws(JournalError) -> [UInt64: MessageRecord] {
        var found: [UInt64: MessageRecord] = [:]
        var left = positions.sorted()[...]
        while let next = left.first {
            guard let batch = try batches(from: next, limit: 1).first else { return found }
            var last = next
            do throws(Fault) {
                try batch.forEach { at, type, payload throws(Fault) in
                    last = max(last, at)
                    while let wanted = left.first, wanted < at { left = left.dropFirst() }
                    guard at == left.first else { return }
                    if type == RecordType.message.rawValue { found[at] = try Self.message(&payload, batch) }
                }
            } catch { throw Self.damaged(error) }
            while let passed = left.first, passed <= last { left = left.dropFirst() }
        }
        return found
    }

    /// Positions of the kept events of one type from `first` on, in order; at most `limit`.
    package func events(_ type: String, from first: UInt64, limit: Int) throws(JournalError) -> [UInt64] {
        var found: [UInt64] = []
        var next = first
        while found.count < limit {
            let kept = try keptBodies(from: next, limit: 512)
            guard let last = kept.last else { break }
            next = last + 1
            let messages = try messages(at: kept)
            for position in kept where found.count < limit {
                if let stored = messages[position], Self.isEvent(stored, of: type) { found.append(position) }
            }
        }
        return found
    }

    /// The newest kept event of one type, and when it was accepted; nil when there is none among so many of the newest kept bodies.
    package func newestEvent(
        _ type: String, among most: Int
    ) throws(JournalError) -> (position: UInt64, acceptedAt: Int64)? {
        var last = Int64.max
        var seen = 0
        while seen < most {
            let kept = try newestBodies(upTo: last, limit: min(512, most - seen))
            guard let oldest = kept.last else { return nil }
            last = oldest - 1
            seen += kept.count
            let positions = kept.map { UInt64(clamping: $0) }
            let messages = try messages(at: positions)
            for position in positions {
                if let stored = messages[position], Self.isEvent(stored, of: type) {
                    return (position, stored.receivedAt)
                }
            }
        }
        return nil
    }

    /// The newest first.
    private func newestBodies(upTo last: Int64, limit: Int) throws(JournalError) -> [Int64] {
        try reading { db in
            try Int64.fetchAll(
                db, sql: "SELECT position FROM body WHERE position <= ? ORDER BY position DESC LIMIT ?",
                arguments: [last, limit])
        }
    }

    private static func isEvent(_ stored: MessageRecord, of type: String) -> Bool {
        guard let header = try? Header(decoding: stored.header) else { return false }
        return header.kind == .event && header.target == type
    }

    private static func message(_ payload: inout ByteReader, _ batch: StoredBatch) throws(Fault) -> MessageRecord {
        var record = try MessageRecord(&payload)
        record.signedRoot = batch.signedRoot(of: record.proof)
        return record
    }

    /// The message record at a position; `nil` when there is none.
    package func message(at position: UInt64) throws(JournalError) -> MessageRecord? {
        guard let batch = try batches(from: position, limit: 1).first else { return nil }
        var found: MessageRecord?
        do throws(Fault) {
            try batch.forEach { at, type, payload throws(Fault) in
                if at == position, type == RecordType.message.rawValue { found = try Self.message(&payload, batch) }
            }
        } catch { throw Self.damaged(error) }
        return found
    }

    /// Size and root of the log at the ends of the newest batches, oldest first.
    package func batchEnds(limit: Int) throws(JournalError) -> [(size: UInt64, root: [UInt8])] {
        try reading { db in
            let sql = """
                SELECT position + CAST(count AS INTEGER) - 1 AS size, CAST(root AS BLOB) AS root FROM batch
                ORDER BY position DESC LIMIT ?
                """
            return try Row.fetchAll(db, sql: sql, arguments: [limit]).reversed().map {
                (UInt64(clamping: $0["size"] as Int64), [UInt8]($0["root"] as Data))
            }
        }
    }

    /// When the newest batch was committed, Unix microseconds; 0 for an empty journal.
    package func lastCommit() throws(JournalError) -> Int64 {
        try reading { try CheckedBatches.last($0)?.committedAt ?? 0 }
    }
}
