import BusProtocol

/// An inclusion path of RFC 9162: the hashes beside the way from a leaf up to the root.
package enum MerklePath {
    /// Longest path a tree of 2⁶⁴ leaves can have.
    package static let maximumCount = 64

    /// How many hashes lead from a leaf to the root: one for each level where its subtree has a sibling.
    package static func count(index: UInt64, size: UInt64) -> Int {
        guard index < size else { return 0 }
        var node = index
        var last = size - 1
        var count = 0
        while last > 0 {
            if node & 1 == 1 || node < last { count += 1 }
            node >>= 1
            last >>= 1
        }
        return count
    }

    /// The root that a leaf and its path lead to (RFC 9162, 2.1.3.2), or `nil` where the path's length is not that of this
    /// place in a tree of this size.
    ///
    /// - Parameter path: the hashes, 32 bytes each, from the leaf upwards.
    package static func root(
        leaf: Digest32, index: UInt64, size: UInt64, path: UnsafeRawBufferPointer
    ) -> Digest32? {
        guard index < size, path.count % Digest32.size == 0 else { return nil }
        var node = index
        var last = size - 1
        var hash = leaf
        var at = 0
        while last > 0 {
            // The last node of a level whose count is odd has no sibling: it goes up as it is.
            if node & 1 == 1 || node < last {
                guard at < path.count else { return nil }
                let sibling = Digest32(in: path, at: at)
                at += Digest32.size
                hash = node & 1 == 1 ? LogHash.node(sibling, hash) : LogHash.node(hash, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return at == path.count ? hash : nil
    }

    package static func root(leaf: Digest32, index: UInt64, size: UInt64, path: [Digest32]) -> Digest32? {
        path.withUnsafeBytes { root(leaf: leaf, index: index, size: size, path: $0) }
    }
}

/// A whole Merkle tree of RFC 9162 in memory: root and all paths in linear time and one allocation.
package struct MerkleTree: Sendable {
    /// Level by level from the leaves up; the last is the root. A level's odd last node stands in the next one as it is, which
    /// gives the tree of the RFC's recursive definition.
    private var nodes: [Digest32]
    package let count: Int

    /// - Parameter leaves: at least one.
    package init(_ leaves: some Collection<Digest32>) {
        precondition(!leaves.isEmpty, "a tree has at least one leaf")
        count = leaves.count
        nodes = []
        // Each level is half of the one before it, rounded up: at most one more a level than twice the leaves.
        nodes.reserveCapacity(2 * count + Int.bitWidth - count.leadingZeroBitCount)
        nodes.append(contentsOf: leaves)
        var start = 0
        var width = count
        while width > 1 {
            for pair in 0..<width / 2 {
                nodes.append(LogHash.node(nodes[start + 2 * pair], nodes[start + 2 * pair + 1]))
            }
            if width % 2 == 1 { nodes.append(nodes[start + width - 1]) }
            start += width
            width = (width + 1) / 2
        }
    }

    package var root: Digest32 { nodes[nodes.count - 1] }

    /// Hashes from the leaf upwards.
    package func path(of leaf: Int) -> [Digest32] {
        var path: [Digest32] = []
        forEachSibling(of: leaf) { path.append($0) }
        return path
    }

    func forEachSibling(of leaf: Int, _ each: (Digest32) -> Void) {
        precondition(leaf >= 0 && leaf < count, "no such leaf")
        var start = 0
        var width = count
        var node = leaf
        while width > 1 {
            let sibling = node ^ 1
            if sibling < width { each(nodes[start + sibling]) }
            start += width
            width = (width + 1) / 2
            node >>= 1
        }
    }
}
