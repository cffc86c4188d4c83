import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// Recomputes a journal from its records: leaves, tree, roots and chain of every batch, and the digests of kept bodies.
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

    package static func verify(folder: String, progress: (Int) -> Void = { _ in }) throws(JournalError) -> Report {
        let reader = try JournalReader(folder: folder)
        var report = Report()
        var state = State()
        var next: Int64 = 0
        repeat {
            let from = next
            let rows = try reader.reading { db in
                try Row.fetchAll(
                    db,
                    sql: "SELECT position, count, root, chain, records FROM batch WHERE position > ? ORDER BY position LIMIT 64",
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
        try checkStrayBodies(reader, &state, &report)
        report.treeSize = state.log.size
        report.root = state.log.root.bytes.hex
        return report
    }

    private struct State {
        var log = MerkleLog()
        var chain = LogHash.empty
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
        state.chain = records.withUnsafeBytes { LogHash.chain(state.chain, $0) }
        if [UInt8](row["chain"] as Data) != state.chain.bytes {
            found("the batch's bytes are not those that were chained when it was written")
        }
        var bodies: [(UInt64, [UInt8])] = []
        var seen: Int64 = 0
        do throws(Fault) {
            try StoredBatch(firstPosition: position, committedAt: 0, records: records).forEach { at, type, payload throws(Fault) in
                seen += 1
                state.log.append(try leaf(type, &payload, at, &bodies))
            }
        } catch { found(error.detail.isEmpty ? "\(error)" : error.detail) }
        if seen != count { found("\(count) records were written, \(seen) can be read") }
        report.records += Int(seen)
        report.messages += bodies.count
        if [UInt8](row["root"] as Data) != state.log.root.bytes { found("the tree's root is not the one that was written") }
        for (at, digest) in bodies {
            guard let body = try reader.body(at: at) else { continue }
            report.bodies += 1
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

    private static func checkStrayBodies(
        _ reader: JournalReader, _ state: inout State, _ report: inout Report
    ) throws(JournalError) {
        let size = Int64(clamping: state.log.size)
        let stray = try reader.reading { db in
            try Int64.fetchOne(db, sql: "SELECT position FROM body WHERE position > ? OR position < 1 LIMIT 1", arguments: [size])
        }
        if let stray { report.findings.append(Finding(position: UInt64(clamping: stray), what: "a body stands here without its message")) }
    }
}
