import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// Recomputes a journal from its records: leaves, tree, roots and chain of every batch, and the digests of kept bodies.
///
/// A tail that was cut off whole leaves a journal that is sound in itself. It shows in a view that was folded further, and
/// for certain against a receipt from outside: every WELCOME and ACCEPT is one.
package enum JournalVerifier {
    package struct Finding: Sendable, Codable, Equatable {
        package var position: UInt64
        package var what: String
    }

    package struct Report: Sendable, Codable {
        package var batches = 0
        package var records = 0
        package var messages = 0
        package var bodies = 0
        package var treeSize: UInt64 = 0
        package var root = ""
        /// First the earliest; at most `maximumFindings`.
        package var findings: [Finding] = []
        package var isSound: Bool { findings.isEmpty }
    }

    package static let maximumFindings = 100

    /// What somebody else holds: the log had this many records and this root.
    package struct Receipt: Sendable {
        package var treeSize: UInt64
        package var root: [UInt8]
        package init(treeSize: UInt64, root: [UInt8]) {
            self.treeSize = treeSize
            self.root = root
        }
    }

    /// - Parameter progress: called after each batch with the records read so far.
    package static func verify(
        folder: String, receipt: Receipt? = nil, progress: (Int) -> Void = { _ in }
    ) throws(JournalError) -> Report {
        let reader = try JournalReader(folder: folder)
        var report = Report()
        var state = State(receipt: receipt)
        var next: Int64 = 0
        repeat {
            let from = next
            let rows = try reader.reading { db in
                try Row.fetchAll(
                    db,
                    // Cast, because what was tampered with may be of any type.
                    sql: """
                        SELECT position, CAST(count AS INTEGER) AS count, CAST(committed AS INTEGER) AS committed,
                            CAST(root AS BLOB) AS root, CAST(chain AS BLOB) AS chain, CAST(edge AS BLOB) AS edge,
                            CAST(records AS BLOB) AS records
                        FROM batch WHERE position > ? ORDER BY position LIMIT 64
                        """,
                    arguments: [from])
            }
            for row in rows {
                next = row["position"]
                try check(row, reader, &state, &report)
                progress(report.records)
                if report.findings.count >= maximumFindings { return report }
            }
            if rows.isEmpty { break }
        } while true
        try checkEnd(reader, state, &report)
        report.treeSize = state.log.size
        report.root = state.log.root.bytes.hex
        return report
    }

    private struct State {
        var log = MerkleLog()
        var chain = LogHash.empty
        var receipt: Receipt?
        /// The root at the receipt's size, once the log has reached it.
        var rootAtReceipt: [UInt8]?

        mutating func append(_ leaf: Digest32) {
            log.append(leaf)
            if log.size == receipt?.treeSize { rootAtReceipt = log.root.bytes }
        }
    }

    private static func check(
        _ row: Row, _ reader: JournalReader, _ state: inout State, _ report: inout Report
    ) throws(JournalError) {
        let position = UInt64(clamping: row["position"] as Int64)
        let count = row["count"] as Int64
        let records = [UInt8](row["records"] as Data)
        func found(_ what: String, at place: UInt64? = nil) {
            report.findings.append(Finding(position: place ?? position, what: what))
        }
        report.batches += 1
        if position != state.log.size + 1 {
            found("records \(state.log.size + 1) to \(position) are missing or out of order")
        }
        state.chain = records.withUnsafeBytes { LogHash.chain(state.chain, committedAt: row["committed"], $0) }
        if [UInt8](row["chain"] as Data) != state.chain.bytes {
            found("the batch's bytes or its time are not those that were chained when it was written")
            // Go on from what is written, so that one finding does not hide where the next one is.
            if let written = Digest32([UInt8](row["chain"] as Data)) { state.chain = written }
        }
        var bodies: [(UInt64, [UInt8])] = []
        var seen: Int64 = 0
        do throws(Fault) {
            try StoredBatch(firstPosition: position, committedAt: 0, records: records).forEach {
                at, type, payload throws(Fault) in
                seen += 1
                state.append(try leaf(type, &payload, at, &bodies))
            }
        } catch { found(error.detail.isEmpty ? "\(error)" : error.detail) }
        if seen != count { found("\(count) records were written, \(seen) can be read") }
        report.records += Int(seen)
        report.messages += bodies.count
        if [UInt8](row["root"] as Data) != state.log.root.bytes {
            found("the tree's root is not the one that was written")
        }
        if [UInt8](row["edge"] as Data) != state.log.savedEdge.flatMap(\.bytes) {
            found("the tree's saved edge is not the one of its records")
        }
        for (at, body) in try reader.bodies(from: position, through: position + UInt64(max(seen, 1)) - 1) {
            report.bodies += 1
            guard let digest = bodies.first(where: { $0.0 == at })?.1 else {
                found("a body stands here without its message", at: at)
                continue
            }
            if body.withUnsafeBytes({ LogHash.body($0) }).bytes != digest {
                found("the kept body is not the one that was accepted", at: at)
            }
        }
    }

    private static func leaf(
        _ type: UInt8, _ payload: inout ByteReader, _ position: UInt64, _ bodies: inout [(UInt64, [UInt8])]
    ) throws(Fault) -> Digest32 {
        let bytes = try payload.takeArray(payload.remaining)
        guard type == RecordType.message.rawValue else {
            return bytes.withUnsafeBytes { LogHash.recordLeaf(type: type, payload: $0) }
        }
        let result: Result<MessageRecord, Fault> = bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            do throws(Fault) { return .success(try MessageRecord(&reader)) } catch { return .failure(error) }
        }
        let record = try result.get()
        guard let digest = Digest32(record.bodyDigest) else {
            throw Fault(.storageFailed, at: .broker, "the digest at \(position) is cut")
        }
        bodies.append((position, record.bodyDigest))
        return record.header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: digest) }
    }

    /// What the rows outside the batches, and the receipt, say about where the log should end.
    private static func checkEnd(_ reader: JournalReader, _ state: State, _ report: inout Report) throws(JournalError) {
        let size = state.log.size
        let (stray, view) = try reader.reading { db in
            (
                try Int64.fetchOne(
                    db, sql: "SELECT position FROM body WHERE position > ? OR position < 1 LIMIT 1",
                    arguments: [Int64(clamping: size)]),
                try Int64.fetchOne(db, sql: "SELECT max(CAST(position AS INTEGER)) FROM view")
            )
        }
        func found(_ what: String, at position: UInt64) {
            report.findings.append(Finding(position: position, what: what))
        }
        if let stray { found("a body stands here without its message", at: UInt64(clamping: stray)) }
        if let view = view.map({ UInt64(clamping: $0) }), view > size {
            found("the log ends at \(size), but a view was folded to \(view): its tail is missing", at: size + 1)
        }
        guard let receipt = state.receipt else { return }
        if receipt.treeSize > size {
            found(
                "the log ends at \(size), but the receipt is for \(receipt.treeSize): its tail is missing", at: size + 1
            )
        } else if receipt.treeSize > 0, receipt.root != state.rootAtReceipt {
            found("the log had another root at \(receipt.treeSize) records than the receipt says", at: receipt.treeSize)
        }
    }
}
