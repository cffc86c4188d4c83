import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// One batch of the journal against what was written with it.
extension JournalVerifier {
    /// What a message says of its body.
    private struct Body {
        var digest: [UInt8]
        var isKept: Bool
    }

    /// Signatures of its messages wait in `state` until they are verified.
    static func check(
        _ row: Row, _ reader: JournalReader, _ state: inout State, _ report: inout Report
    ) throws(JournalError) {
        let position = UInt64(clamping: row["position"] as Int64)
        let expected = state.log.size + 1
        let count = row["count"] as Int64
        let batch = StoredBatch(
            firstPosition: position, committedAt: row["committed"], records: [UInt8](row["records"] as Data))
        report.batches += 1
        if position != expected {
            report.add("records \(expected) to \(position) are missing or out of order", at: position)
        }
        state.chain = batch.records.withUnsafeBytes {
            LogHash.chain(state.chain, committedAt: batch.committedAt, $0)
        }
        if [UInt8](row["chain"] as Data) != state.chain.bytes {
            report.add(
                "the batch's bytes or its time are not those that were chained when it was written", at: position)
            // Go on from what is written, so that one finding does not hide where the next one is.
            if let written = Digest32([UInt8](row["chain"] as Data)) { state.chain = written }
        }
        var bodies: [UInt64: Body] = [:]
        let seen = checkRecords(batch, &bodies, &state, &report)
        if seen != count { report.add("\(count) records were written, \(seen) can be read", at: position) }
        report.records += Int(seen)
        report.messages += bodies.count
        if [UInt8](row["root"] as Data) != state.log.root.bytes {
            report.add("the tree's root is not the one that was written", at: position)
        }
        if [UInt8](row["edge"] as Data) != state.log.savedEdge.flatMap(\.bytes) {
            report.add("the tree's saved edge is not the one of its records", at: position)
        }
        report.times.hashing += state.watch.lap()
        let kept = try reader.bodies(from: position, through: position.addingClamped(UInt64(max(seen, 1)) - 1))
        report.times.reading += state.watch.lap()
        check(kept, &bodies, &report)
        for (position, body) in bodies where body.isKept {
            state.gone.insert(position)
            report.bodiesGone += 1
        }
        report.times.hashing += state.watch.lap()
    }

    /// - Returns: how many could be read.
    private static func checkRecords(
        _ batch: StoredBatch, _ bodies: inout [UInt64: Body], _ state: inout State, _ report: inout Report
    ) -> Int64 {
        var seen: Int64 = 0
        do throws(Fault) {
            try batch.forEach { position, type, payload throws(Fault) in
                seen += 1
                guard type == RecordType.message.rawValue else {
                    return try checkRecord(type, &payload, at: position, &state, &report)
                }
                let record = try MessageRecord(&payload)
                guard let digest = Digest32(record.bodyDigest) else {
                    throw Fault(.storageFailed, at: .broker, "the digest at \(position) is cut")
                }
                let kind = try kind(record.header)
                bodies[position] = Body(digest: record.bodyDigest, isKept: kind != .request && kind != .reply)
                let leaf = record.header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: digest) }
                state.append(leaf)
                state.signatures.add(
                    record, leaf: leaf, signedRoot: batch.signedRoot(of: record.proof),
                    at: .init(position: position, findings: report.findings.count))
            }
        } catch { report.add(error.detail.isEmpty ? "\(error)" : error.detail, at: batch.firstPosition) }
        return seen
    }

    private static func kind(_ header: [UInt8]) throws(Fault) -> MessageKind {
        let result: Result<MessageKind, Fault> = header.withUnsafeBytes { raw in
            do throws(Fault) { return .success(try HeaderView(raw, in: 0..<raw.count).kind) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// A record that is no message.
    private static func checkRecord(
        _ type: UInt8, _ payload: inout ByteReader, at position: UInt64, _ state: inout State, _ report: inout Report
    ) throws(Fault) {
        let bytes = try payload.takeArray(payload.remaining)
        if type == RecordType.erased.rawValue {
            let erased = bytes.withUnsafeBytes { raw in
                var reader = ByteReader(raw)
                return (try? ErasedRecord(&reader))?.positions ?? []
            }
            for position in erased where state.gone.remove(position) != nil { report.bodiesErased += 1 }
        }
        guard RecordType.canRead(type, bytes) else {
            throw Fault(.storageFailed, at: .broker, "the record of type \(type) at \(position) cannot be read")
        }
        state.append(bytes.withUnsafeBytes { LogHash.recordLeaf(type: type, payload: $0) })
        if type == RecordType.space.rawValue { takeSpace(bytes, at: position, &state, &report) }
    }

    private static func takeSpace(
        _ canonical: [UInt8], at position: UInt64, _ state: inout State, _ report: inout Report
    ) {
        let stated = StatedKeys(snapshot: canonical)
        if let stated {
            state.signatures.take(stated)
            state.checkpoint?.take(stated, at: position)
        } else {
            report.add("the space that took effect here cannot be read", at: position)
        }
        for wrong in state.spaces.take(canonical, stated) { report.add(wrong, at: position) }
    }

    private static func check(
        _ kept: [(UInt64, [UInt8])], _ bodies: inout [UInt64: Body], _ report: inout Report
    ) {
        for (position, bytes) in kept {
            report.bodies += 1
            guard let body = bodies.removeValue(forKey: position) else {
                report.add("a body stands here without its message", at: position)
                continue
            }
            if bytes.withUnsafeBytes({ LogHash.body($0) }).bytes != body.digest {
                report.add("the kept body is not the one that was accepted", at: position)
            }
        }
    }
}

extension UInt64 {
    fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
