import BusEvidence
import BusProtocol

/// Messages that were signed together have the upper part of their paths in common. In a batch each proof is written up to where its path
/// joins that of the message before it: two hashes on average, in the order of signing, where a path of 128 messages has seven.
struct SharedPaths {
    /// By the index of the entry; empty when no message shares anything.
    private var hashes: [UInt16] = []

    init(_ batch: JournalBatch) {
        var before: (frame: [UInt8], proof: Range<Int>) = ([], 0..<0)
        for (index, entry) in batch.entries.enumerated() {
            guard case .message(let message) = entry else { continue }
            defer { before = (message.frame, message.proof) }
            // A batch without signed roots has whole proofs.
            guard SignedRootRows.hasRoot(entry) else { continue }
            let count = Self.joined(before, (message.frame, message.proof))
            guard count > 0 else { continue }
            if hashes.isEmpty { hashes = [UInt16](repeating: 0, count: batch.count) }
            hashes[index] = UInt16(count)
        }
    }

    var isEmpty: Bool { hashes.isEmpty }

    /// Hashes of this entry's path that are not written.
    func count(of entry: Int) -> Int { hashes.isEmpty ? 0 : Int(hashes[entry]) }
    /// The same in bytes.
    func size(of entry: Int) -> Int { count(of: entry) * Digest32.size }

    /// Whole hashes at the ends of two proofs that are the same.
    private static func joined(
        _ before: (frame: [UInt8], proof: Range<Int>), _ own: (frame: [UInt8], proof: Range<Int>)
    ) -> Int {
        let most = (min(before.proof.count, own.proof.count) - SignedRootRows.proofHead) / Digest32.size
        guard most > 0 else { return 0 }
        func hash(_ count: Int, before end: Int) -> Range<Int> {
            end - (count + 1) * Digest32.size..<end - count * Digest32.size
        }
        return before.frame.withUnsafeBytes { left in
            own.frame.withUnsafeBytes { right in
                (0..<most).prefix { count in
                    left.part(hash(count, before: before.proof.upperBound))
                        .isSame(as: right.part(hash(count, before: own.proof.upperBound)))
                }.count
            }
        }
    }
}

/// Reads messages of a batch back with their whole paths, one after the other.
struct WholePaths {
    /// Of the message before, whole.
    private var proof: [UInt8] = []

    /// - Parameter stored: the payload of a message's record as it is written.
    /// - Returns: the payload with the whole proof, of which nothing is shared.
    mutating func complete(_ stored: UnsafeRawBufferPointer, at position: UInt64) throws(Fault) -> [UInt8] {
        var reader = ByteReader(stored)
        _ = try reader.takeRange(MessageRecord.sizesAt)
        let headerSize = Int(try reader.take(UInt16.self))
        let proofSize = Int(try reader.take(UInt16.self))
        let shared = Int(try reader.take(UInt16.self)) * Digest32.size
        let end = MessageRecord.fixedSize + headerSize + proofSize
        guard end <= stored.count else {
            throw Fault(.storageFailed, at: .broker, "the message at \(position) is cut")
        }
        guard shared <= max(0, proof.count - SignedRootRows.proofHead), proofSize + shared <= Limits.proof else {
            throw Fault(
                .storageFailed, at: .broker, "the path at \(position) joins more than the message before it has")
        }
        proof = Array(stored[(end - proofSize)..<end]) + proof.suffix(shared)
        return [UInt8](writing: stored.count + shared) { out in
            out.put(raw: UnsafeRawBufferPointer(rebasing: stored[..<(MessageRecord.sizesAt + 2)]))
            out.put(UInt16(proof.count))
            out.put(UInt16(0))
            out.put(raw: UnsafeRawBufferPointer(rebasing: stored[(MessageRecord.sizesAt + 6)..<(end - proofSize)]))
            out.put(raw: proof)
            out.put(raw: UnsafeRawBufferPointer(rebasing: stored[end...]))
        }
    }
}
