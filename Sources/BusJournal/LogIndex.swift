package import BusEvidence
package import BusProtocol

/// What proofs of a log are made from, without holding the log: the roots of its perfect subtrees of 1024 records, 32 bytes each,
/// and where spaces took effect. It is read once and then grows with the journal.
package struct LogIndex: Sendable {
    /// Of the subtrees whose roots are kept; the leaves of a smaller one are read again.
    package static let level = 10
    private static let span = UInt64(1) << UInt64(level)

    private var roots: [Digest32] = []
    /// The leaves behind the last whole subtree.
    private var rest = MerkleLog()
    /// Positions of the records that a space took effect.
    private var spaces: [UInt64] = []

    package init() {}

    /// Records that are indexed.
    package var size: UInt64 { UInt64(roots.count) * Self.span + rest.size }

    /// The position at which the space took effect that was in force when the record at `position` was written.
    package func space(before position: UInt64) -> UInt64? { spaces.last { $0 < position } }

    /// Reads on to the newest batch.
    /// - Returns: size and root of the log at its end, held against the root that was written with it.
    package mutating func extend(_ reader: JournalReader) throws(JournalError) -> TreeHead {
        guard let end = try reader.batchEnds(limit: 1).last, let root = Digest32(end.root) else {
            return TreeHead(size: 0, root: LogHash.empty)
        }
        if end.size > size {
            try Self.forEachLeaf(reader, size + 1...end.size) { leaf, type, position in
                if type == RecordType.space.rawValue { spaces.append(position) }
                rest.append(leaf)
                guard rest.size == Self.span else { return }
                roots.append(rest.root)
                rest = MerkleLog()
            }
        }
        let proofs = try proofs(reader, of: [])
        guard size == end.size, try proofs.root() == root else {
            throw JournalError.damaged("the journal", "its records do not lead to the root at \(end.size) records")
        }
        return TreeHead(size: size, root: root)
    }

    /// Makes proofs about these records, and of the whole. Reads at most 1024 records for each, and as many at the end.
    ///
    /// - Parameter end: of how many records the log is, at most those that are indexed; all of them unless it is given.
    package func proofs(
        _ reader: JournalReader, of positions: [UInt64], in end: UInt64? = nil
    ) throws(JournalError) -> LogProver<JournalError> {
        let end = end ?? size
        precondition(end <= size, "\(end) records are not indexed")
        var leaves: [UInt64: [Digest32]] = [:]
        let blocks = Set(positions.map { ($0 - 1) / Self.span } + (end % Self.span > 0 ? [end / Self.span] : []))
        for block in blocks {
            var read: [Digest32] = []
            try Self.forEachLeaf(reader, block * Self.span + 1...min((block + 1) * Self.span, size)) { leaf, _, _ in
                read.append(leaf)
            }
            leaves[block] = read
        }
        let (roots, known) = (roots, leaves)
        return LogProver(size: end) { subtree throws(JournalError) in
            guard subtree.level < Self.level else {
                // The kept roots are the leaves of the tree above them.
                let above = Subtree(level: subtree.level - Self.level, index: subtree.index)
                return above.root { (index: UInt64) -> Digest32 in roots[Int(index)] }
            }
            let block = subtree.leaves.lowerBound / Self.span
            guard let read = known[block], UInt64(read.count) >= subtree.leaves.upperBound - block * Self.span else {
                throw JournalError.damaged("the journal", "records behind \(block * Self.span) are missing")
            }
            return subtree.root { (index: UInt64) -> Digest32 in read[Int(index - block * Self.span)] }
        }
    }

    private static func forEachLeaf(
        _ reader: JournalReader, _ positions: ClosedRange<UInt64>, _ each: (Digest32, UInt8, UInt64) -> Void
    ) throws(JournalError) {
        var next = positions.lowerBound
        while next <= positions.upperBound {
            let batches = try reader.batches(from: next, limit: 64)
            let unread = next
            for batch in batches where next <= positions.upperBound {
                do throws(Fault) {
                    try batch.forEach { position, type, payload throws(Fault) in
                        guard position == next, position <= positions.upperBound else { return }
                        each(try leaf(type, &payload), type, position)
                        next += 1
                    }
                } catch { throw JournalReader.damaged(error) }
            }
            // The journal ends before.
            if next == unread { return }
        }
    }

    /// The leaf of a record as it stands in a batch.
    package static func leaf(_ type: UInt8, _ payload: inout ByteReader) throws(Fault) -> Digest32 {
        guard type == RecordType.message.rawValue else {
            return try payload.takeArray(payload.remaining).withUnsafeBytes {
                LogHash.recordLeaf(type: type, payload: $0)
            }
        }
        let record = try MessageRecord(&payload)
        guard let digest = Digest32(record.bodyDigest) else {
            throw Fault(.storageFailed, at: .broker, "the digest of a message is cut")
        }
        return record.header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: digest) }
    }
}

extension JournalReader {
    /// Type and payload of the record at a position; `nil` when there is none.
    package func record(at position: UInt64) throws(JournalError) -> (type: UInt8, payload: [UInt8])? {
        guard let batch = try batches(from: position, limit: 1).first else { return nil }
        var found: (UInt8, [UInt8])?
        do throws(Fault) {
            try batch.forEach { at, type, payload throws(Fault) in
                if at == position { found = (type, try payload.takeArray(payload.remaining)) }
            }
        } catch { throw Self.damaged(error) }
        return found
    }
}
