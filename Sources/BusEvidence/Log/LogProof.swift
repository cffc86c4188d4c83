/// Checks proofs of a log against its heads (RFC 9162, 2.1.3.2 and 2.1.4.2).
package enum LogProof {
    /// - Parameter index: counted from 0; a record's position is one more.
    package static func check(
        inclusion path: [Digest32], of leaf: Digest32, at index: UInt64, in head: TreeHead
    ) throws(LogFault) {
        guard index < head.size else { throw .outsideLog(index: index, size: head.size) }
        guard let root = MerklePath.root(leaf: leaf, index: index, size: head.size, path: path) else {
            throw .wrongPathLength(
                found: path.count, expected: MerklePath.count(index: index, size: head.size))
        }
        guard root == head.root else { throw .wrongRoot }
    }

    /// That `newer` is `older` with leaves appended and nothing else.
    package static func check(
        consistency path: [Digest32], from older: TreeHead, to newer: TreeHead
    ) throws(LogFault) {
        guard older.size <= newer.size else { throw .logShrank(from: older.size, to: newer.size) }
        guard older.size > 0 else {
            guard older.root == LogHash.empty else { throw .wrongOlderRoot }
            guard path.isEmpty else { throw .wrongPathLength(found: path.count, expected: 0) }
            return
        }
        let expected = count(from: older.size, to: newer.size)
        guard path.count == expected else { throw .wrongPathLength(found: path.count, expected: expected) }
        guard older.size < newer.size else {
            guard older.root == newer.root else { throw .wrongOlderRoot }
            return
        }
        let roots = roots(path, older, newer)
        guard roots.older == older.root else { throw .wrongOlderRoot }
        guard roots.newer == newer.root else { throw .wrongRoot }
    }

    /// Hashes of a consistency proof: those of the path of the last leaf both have, from the height on where it ends a subtree.
    private static func count(from older: UInt64, to newer: UInt64) -> Int {
        guard older < newer else { return 0 }
        let height = older.trailingZeroBitCount
        let above = MerklePath.count(index: (older - 1) >> UInt64(height), size: ((newer - 1) >> UInt64(height)) + 1)
        return older.nonzeroBitCount == 1 ? above : above + 1
    }

    /// Both roots that the path leads to; its length is right.
    private static func roots(
        _ path: [Digest32], _ older: TreeHead, _ newer: TreeHead
    ) -> (older: Digest32, newer: Digest32) {
        let height = UInt64(older.size.trailingZeroBitCount)
        var node = (older.size - 1) >> height
        var last = (newer.size - 1) >> height
        // A whole power of two is a node of the newer tree, and its root is not sent.
        var rest = path[...]
        var old = older.root
        if older.size.nonzeroBitCount > 1, let first = rest.popFirst() { old = first }
        var new = old
        while last > 0, !rest.isEmpty {
            if node & 1 == 1 || node < last {
                let sibling = rest.removeFirst()
                if node & 1 == 1 {
                    old = LogHash.node(sibling, old)
                    new = LogHash.node(sibling, new)
                } else {
                    new = LogHash.node(new, sibling)
                }
            }
            node >>= 1
            last >>= 1
        }
        return (old, new)
    }
}

/// Why a proof of the log does not hold.
package enum LogFault: Error, Equatable, Sendable, CustomStringConvertible {
    case outsideLog(index: UInt64, size: UInt64)
    case wrongPathLength(found: Int, expected: Int)
    case wrongRoot
    case logShrank(from: UInt64, to: UInt64)
    case wrongOlderRoot

    /// Stable word for programs; `docs/EVIDENCE.md` lists them.
    package var code: String {
        switch self {
        case .outsideLog: "outside-log"
        case .wrongPathLength: "wrong-path-length"
        case .wrongRoot: "path-misses-root"
        case .logShrank: "log-shrank"
        case .wrongOlderRoot: "log-forked"
        }
    }

    package var description: String {
        switch self {
        case .outsideLog(let index, let size):
            "the record at position \(index &+ 1) is not in a log of \(size); take a later checkpoint"
        case .wrongPathLength(let found, let expected):
            "the path has \(found) hashes where \(expected) lead to the root; it belongs to another place or size"
        case .wrongRoot: "the path does not lead to the root of the checkpoint; record, path or root was changed"
        case .logShrank(let from, let to):
            "the log had \(from) records and has \(to); what was removed must be asked of its operator"
        case .wrongOlderRoot:
            "the log of this size had another root before; its past was rewritten, ask its operator"
        }
    }
}
