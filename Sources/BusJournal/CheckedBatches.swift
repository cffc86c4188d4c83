import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// Batches as they are read back: each is held to the one before it, so that no record is ever given out whose bytes or
/// place are not those that were written.
///
/// That is one hash for each batch read, and finds every flipped bit. It is not the audit: somebody who writes all columns
/// anew is found by `JournalVerifier` and a receipt.
enum CheckedBatches {
    /// What the next batch must follow.
    private struct Link {
        var position: Int64 = 1
        var chain = LogHash.empty
    }

    /// Every value is cast, and never NULL: what a damaged page holds may be of any type.
    private static let columns = """
        position, coalesce(CAST(count AS INTEGER), 0) AS count, coalesce(CAST(committed AS INTEGER), 0) AS committed,
        coalesce(CAST(chain AS BLOB), x'') AS chain
        """

    /// Up to `limit` batches from the one that holds `position` on.
    static func read(_ db: Database, from position: Int64, limit: Int) throws -> [StoredBatch] {
        let first = try Int64.fetchOne(
            db, sql: "SELECT max(position) FROM batch WHERE position <= ?", arguments: [position])
        return try read(db, atOrAfter: first ?? 0, limit: limit)
    }

    /// Up to `limit` batches that begin at `position` or later.
    static func read(_ db: Database, atOrAfter position: Int64, limit: Int) throws -> [StoredBatch] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT \(columns), coalesce(CAST(records AS BLOB), x'') AS records FROM batch
                WHERE position >= ? ORDER BY position LIMIT ?
                """,
            arguments: [position, limit])
        guard let first = rows.first else { return [] }
        var link = try link(before: first["position"], db)
        return try rows.map { try check($0, &link) }
    }

    static func last(_ db: Database) throws -> StoredBatch? {
        guard let last = try Int64.fetchOne(db, sql: "SELECT max(position) FROM batch") else { return nil }
        return try read(db, atOrAfter: last, limit: 1).first
    }

    private static func link(before position: Int64, _ db: Database) throws -> Link {
        let sql = "SELECT \(columns) FROM batch WHERE position < ? ORDER BY position DESC LIMIT 1"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [position]) else { return Link() }
        return try Link(position: end(row), chain: chain(row))
    }

    private static func check(_ row: Row, _ link: inout Link) throws -> StoredBatch {
        let position: Int64 = row["position"]
        guard position == link.position else {
            throw JournalError.damaged(
                at: link.position, "the batch at \(link.position) is missing, the next is at \(position)")
        }
        let batch = StoredBatch(
            firstPosition: UInt64(clamping: position), committedAt: row["committed"],
            records: [UInt8](row["records"] as Data))
        let chained = batch.records.withUnsafeBytes { LogHash.chain(link.chain, committedAt: batch.committedAt, $0) }
        link = try Link(position: end(row), chain: chain(row))
        guard chained == link.chain, batch.count == link.position - position else {
            throw JournalError.damaged(
                at: position,
                "the batch at \(position) does not hold what was written, or does not follow the one before it")
        }
        return batch
    }

    private static func end(_ row: Row) throws -> Int64 {
        let position: Int64 = row["position"]
        let count: Int64 = row["count"]
        guard position > 0, count > 0, count <= Int64(UInt32.max), position < .max - count else {
            throw JournalError.damaged(at: position, "the batch at \(position) says that it has \(count) records")
        }
        return position + count
    }

    private static func chain(_ row: Row) throws -> Digest32 {
        guard let chain = Digest32([UInt8](row["chain"] as Data)) else {
            throw JournalError.damaged(at: row["position"], "the chain value of the batch is cut")
        }
        return chain
    }
}
