/// The append-only Merkle tree of RFC 9162 as its right edge: roots of the perfect subtrees, largest first.
///
/// Appending costs one node hash on average and 32 bytes × log₂(size) of memory, whatever the size of the log.
package struct MerkleLog: Sendable, Equatable {
    package private(set) var size: UInt64 = 0
    private var edge: [Digest32] = []

    package init() {}

    /// Resumes from a saved edge: one root for each bit set in `size`. `nil` when the counts differ.
    package init?(size: UInt64, edge: [Digest32]) {
        guard edge.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.edge = edge
    }

    package var savedEdge: [Digest32] { edge }

    package mutating func append(_ leaf: Digest32) {
        var carry = leaf
        // Each trailing 1 bit of the size is a perfect subtree of the same height as `carry`: join them.
        for _ in 0..<size.trailingOnes { carry = LogHash.node(edge.removeLast(), carry) }
        edge.append(carry)
        size += 1
    }

    /// Root over everything appended.
    package var root: Digest32 {
        guard var root = edge.last else { return LogHash.empty }
        for left in edge.dropLast().reversed() { root = LogHash.node(left, root) }
        return root
    }
}

extension UInt64 {
    fileprivate var trailingOnes: Int { (~self).trailingZeroBitCount }
}
