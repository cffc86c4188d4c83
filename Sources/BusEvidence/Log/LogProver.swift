/// A perfect subtree of a log: 2^level leaves, beginning at leaf index × 2^level. Level 0 is one leaf.
package struct Subtree: Hashable, Sendable {
    package let level: Int
    package let index: UInt64

    package init(level: Int, index: UInt64) {
        self.level = level
        self.index = index
    }

    package var leaves: Range<UInt64> { index << UInt64(level)..<(index + 1) << UInt64(level) }

    /// Its root from its leaves, in order, with memory for one hash a level.
    package func root<Failure: Error>(leaf: (UInt64) throws(Failure) -> Digest32) throws(Failure) -> Digest32 {
        var log = MerkleLog()
        for index in leaves { log.append(try leaf(index)) }
        return log.root
    }
}

/// Size and root of a log: what a checkpoint says, and what proofs relate to.
package struct TreeHead: Hashable, Sendable {
    package var size: UInt64
    package var root: Digest32

    package init(size: UInt64, root: Digest32) {
        self.size = size
        self.root = root
    }
}

/// Makes proofs of a log of `size` leaves (RFC 9162, 2.1.3.1 and 2.1.4.1) from the roots of its perfect subtrees, of which it
/// asks for at most two a level.
package struct LogProver<Failure: Error> {
    private let size: UInt64
    private let stored: (Subtree) throws(Failure) -> Digest32

    /// - Parameter stored: the root of a perfect subtree within `size`.
    package init(size: UInt64, stored: @escaping (Subtree) throws(Failure) -> Digest32) {
        self.size = size
        self.stored = stored
    }

    package func root() throws(Failure) -> Digest32 { try root(of: 0, size) }

    /// The path of the leaf at `index`, counted from 0; a record's position is one more.
    package func inclusion(of index: UInt64) throws(Failure) -> [Digest32] {
        precondition(index < size, "leaf \(index) is outside of a log of \(size)")
        var path: [Digest32] = []
        var start: UInt64 = 0
        var count = size
        while count > 1 {
            let left = Self.split(count)
            if index - start < left {
                path.append(try root(of: start + left, count - left))
                count = left
            } else {
                path.append(try root(of: start, left))
                start += left
                count -= left
            }
        }
        return path.reversed()
    }

    /// That the first `older` leaves are the same as when the log had only them.
    package func consistency(from older: UInt64) throws(Failure) -> [Digest32] {
        precondition(older <= size, "a log of \(size) was never one of \(older)")
        guard older > 0 else { return [] }
        var path: [Digest32] = []
        var start: UInt64 = 0
        var count = size
        var rest = older
        while rest != count {
            let left = Self.split(count)
            if rest <= left {
                path.append(try root(of: start + left, count - left))
                count = left
            } else {
                path.append(try root(of: start, left))
                start += left
                count -= left
                rest -= left
            }
        }
        // The older root itself is known to who asks, unless it is only a part of what is left here.
        if start > 0 { path.append(try root(of: start, count)) }
        return path.reversed()
    }

    /// The largest power of two below `count`.
    private static func split(_ count: UInt64) -> UInt64 { 1 << UInt64(63 - (count - 1).leadingZeroBitCount) }

    /// Root of `count` leaves from `start`, which is a multiple of the power of two not below `count`.
    private func root(of start: UInt64, _ count: UInt64) throws(Failure) -> Digest32 {
        if count == 0 { return LogHash.empty }
        var left: [Digest32] = []
        var start = start
        var rest = count
        while rest > 0 {
            let level = 63 - rest.leadingZeroBitCount
            left.append(try stored(Subtree(level: level, index: start >> UInt64(level))))
            start += 1 << UInt64(level)
            rest -= 1 << UInt64(level)
        }
        var root = left.removeLast()
        for other in left.reversed() { root = LogHash.node(other, root) }
        return root
    }
}
