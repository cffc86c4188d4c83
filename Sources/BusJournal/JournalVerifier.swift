import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// Recomputes a journal from its records: leaves, tree, roots and chain of every batch, the digests of kept bodies and of
/// saved views; and has SQLite examine its file. Changes nothing in the folder.
///
/// A tail that was cut off whole leaves a journal that is sound in itself. It shows in a view that was folded further, and
/// for certain against a receipt from outside: every WELCOME and ACCEPT is one.
package enum JournalVerifier {
    package struct Finding: Sendable, Codable, Equatable {
        /// 0: no record, but the file as a whole.
        package var position: UInt64
        package var what: String
    }

    package struct Report: Sendable, Codable {
        package var batches = 0
        package var records = 0
        package var messages = 0
        package var bodies = 0
        /// Events and commands whose body is not kept any more. Erasing is allowed, so it is no finding; losing is not, so
        /// it is counted.
        package var bodiesGone = 0
        /// Of these, how many the journal says were erased because their retention had passed.
        package var bodiesErased = 0
        /// Messages whose sender's signature was checked, and those whose sender's key no space in the journal states.
        package var signatures = 0
        package var signaturesUncheckable = 0
        package var treeSize: UInt64 = 0
        package var root = ""
        /// First the earliest; at most `maximumFindings`.
        package var findings: [Finding] = []
        package var isSound: Bool { findings.isEmpty }

        fileprivate mutating func add(_ what: String, at position: UInt64) {
            let isPlaced = position > 0 || what.contains("journal.sqlite")
            findings.append(Finding(position: position, what: isPlaced ? what : "journal.sqlite: " + what))
        }
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
        do throws(JournalError) {
            try checkBatches(reader, &state, &report, progress)
            if report.findings.count < maximumFindings {
                try checkEnd(reader, state, &report)
                try checkFile(reader, &report)
            }
        } catch {
            // What can be read is told, and where that ends.
            if error.kind == .locked { throw error }
            report.add(error.detail, at: state.log.size + 1)
        }
        report.signatures = state.signatures.checked
        report.signaturesUncheckable = state.signatures.uncheckable
        report.treeSize = state.log.size
        report.root = state.log.root.bytes.hex
        try reader.expectUntouched()
        return report
    }

    private static func checkBatches(
        _ reader: JournalReader, _ state: inout State, _ report: inout Report, _ progress: (Int) -> Void
    ) throws(JournalError) {
        // From the smallest number there is: a damaged row may stand at any.
        var next = Int64.min
        while true {
            let from = next
            let rows = try reader.reading { db in
                try Row.fetchAll(
                    db,
                    // Cast and never NULL, because what was damaged or tampered with may be of any type.
                    sql: """
                        SELECT position, coalesce(CAST(count AS INTEGER), -1) AS count,
                            coalesce(CAST(committed AS INTEGER), 0) AS committed,
                            coalesce(CAST(root AS BLOB), x'') AS root, coalesce(CAST(chain AS BLOB), x'') AS chain,
                            coalesce(CAST(edge AS BLOB), x'') AS edge, coalesce(CAST(records AS BLOB), x'') AS records
                        FROM batch WHERE position > ? ORDER BY position LIMIT 64
                        """,
                    arguments: [from])
            }
            if rows.isEmpty { return }
            for row in rows {
                let position: Int64 = row["position"]
                // A tree whose pages lead back to themselves would never end.
                guard position > next else { throw JournalError.damaged(at: position, "the batches are out of order") }
                next = position
                try check(row, reader, &state, &report)
                progress(report.records)
                if report.findings.count >= maximumFindings { return }
            }
        }
    }

    private struct State {
        var log = MerkleLog()
        var chain = LogHash.empty
        var signatures = SignatureAudit()
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
        let expected = state.log.size + 1
        let count = row["count"] as Int64
        let records = [UInt8](row["records"] as Data)
        func found(_ what: String, at place: UInt64? = nil) {
            report.add(what, at: place ?? position)
        }
        report.batches += 1
        if position != expected { found("records \(expected) to \(position) are missing or out of order") }
        state.chain = records.withUnsafeBytes { LogHash.chain(state.chain, committedAt: row["committed"], $0) }
        if [UInt8](row["chain"] as Data) != state.chain.bytes {
            found("the batch's bytes or its time are not those that were chained when it was written")
            // Go on from what is written, so that one finding does not hide where the next one is.
            if let written = Digest32([UInt8](row["chain"] as Data)) { state.chain = written }
        }
        var bodies: [UInt64: Body] = [:]
        var seen: Int64 = 0
        let batch = StoredBatch(firstPosition: position, committedAt: 0, records: records)
        do throws(Fault) {
            try batch.forEach { at, type, payload throws(Fault) in
                seen += 1
                if type == RecordType.erased.rawValue {
                    var copy = payload
                    report.bodiesErased += (try? ErasedRecord(&copy))?.positions.count ?? 0
                }
                var copy = payload
                let leaf = try leaf(type, &payload, at, &bodies)
                state.append(leaf)
                if let fault = try signatureFault(type, &copy, batch, leaf, &state.signatures) { found(fault, at: at) }
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
        for (at, kept) in try reader.bodies(from: position, through: position.addingClamped(UInt64(max(seen, 1)) - 1)) {
            report.bodies += 1
            guard let body = bodies.removeValue(forKey: at) else {
                found("a body stands here without its message", at: at)
                continue
            }
            if kept.withUnsafeBytes({ LogHash.body($0) }).bytes != body.digest {
                found("the kept body is not the one that was accepted", at: at)
            }
        }
        report.bodiesGone += bodies.values.count { $0.isKept }
    }

    private static func signatureFault(
        _ type: UInt8, _ payload: inout ByteReader, _ batch: StoredBatch, _ leaf: Digest32,
        _ signatures: inout SignatureAudit
    ) throws(Fault) -> String? {
        switch RecordType(rawValue: type) {
        case .space: signatures.take(space: try payload.takeArray(payload.remaining))
        case .message:
            let record = try MessageRecord(&payload)
            return signatures.fault(
                record, try Header(decoding: record.header), leaf: leaf, signedRoot: batch.signedRoot(of: record.proof))
        default: break
        }
        return nil
    }

    /// What a message says of its body.
    private struct Body {
        var digest: [UInt8]
        var isKept: Bool
    }

    private static func leaf(
        _ type: UInt8, _ payload: inout ByteReader, _ position: UInt64, _ bodies: inout [UInt64: Body]
    ) throws(Fault) -> Digest32 {
        let bytes = try payload.takeArray(payload.remaining)
        guard type == RecordType.message.rawValue else {
            guard RecordType.canRead(type, bytes) else {
                throw Fault(.storageFailed, at: .broker, "the record of type \(type) at \(position) cannot be read")
            }
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
        let kind = try Header(decoding: record.header).kind
        bodies[position] = Body(digest: record.bodyDigest, isKept: kind == .event || kind == .command)
        return record.header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: digest) }
    }

    /// What the rows outside the batches, and the receipt, say about where the log should end.
    private static func checkEnd(_ reader: JournalReader, _ state: State, _ report: inout Report) throws(JournalError) {
        let size = state.log.size
        let (stray, views) = try reader.reading { db in
            (
                try Int64.fetchOne(
                    db, sql: "SELECT position FROM body WHERE position > ? OR position < 1 LIMIT 1",
                    arguments: [Int64(clamping: size)]),
                try SavedView.all(db)
            )
        }
        func found(_ what: String, at position: UInt64) {
            report.add(what, at: position)
        }
        if let stray {
            found("journal.sqlite: a body stands at \(stray) without its message", at: UInt64(clamping: stray))
        }
        for view in views {
            if view.bytes == nil {
                found(
                    "the view \(view.name) is not the one that was saved; the broker will fold it anew",
                    at: view.position)
            }
            if view.position > size {
                found(
                    "the log ends at \(size), but the view \(view.name) was folded to \(view.position): its tail is missing",
                    at: size + 1)
            }
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

    /// What SQLite itself finds in the file: pages that nobody or two own, indices that miss rows.
    private static func checkFile(_ reader: JournalReader, _ report: inout Report) throws(JournalError) {
        let lines = try reader.reading { try String.fetchAll($0, sql: "PRAGMA integrity_check(10)") }
        for line in lines where line != "ok" {
            report.add("journal.sqlite: SQLite says: \(line)", at: 0)
        }
    }
}

extension UInt64 {
    fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
