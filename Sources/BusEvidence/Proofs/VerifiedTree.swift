import BusProtocol

/// What is known of one batch's tree from the paths that were checked: a node on the way of a good path, or beside it, needs no hashing
/// when the next message comes by. All messages of a batch then cost about one hash each, where every path alone would cost one a level.
struct VerifiedTree: Sendable {
    /// Larger batches are checked path by path. A tree of this size is 260 kB.
    static let most: UInt32 = 4096

    let root: Digest32
    let size: UInt32
    /// Level by level from the leaves up, as in `MerkleTree`.
    private var nodes: [Digest32]
    private var isKnown: [Bool]
    /// On the way of the path being checked.
    private var climbed: [(place: Int, hash: Digest32)] = []

    /// - Parameter size: of the batch, 1 to `most`.
    init(root: Digest32, size: UInt32) {
        self.root = root
        self.size = size
        var count = 0
        var width = Int(size)
        while true {
            count += width
            if width == 1 { break }
            width = (width + 1) / 2
        }
        nodes = [Digest32](repeating: Digest32(), count: count)
        isKnown = [Bool](repeating: false, count: count)
        isKnown[count - 1] = true
        nodes[count - 1] = root
    }

    /// Whether the path leads from the leaf to the root, and every hash of it is the tree's.
    ///
    /// A node is known only when it was on a path that reached the root, or beside one; then the same holds for all nodes on its own way
    /// up and beside it. So from the first known node on comparing is enough.
    /// - Parameter path: of the right length for this place.
    mutating func holds(_ leaf: Digest32, at index: Int, _ path: UnsafeRawBufferPointer) -> Bool {
        climbed.removeAll(keepingCapacity: true)
        var (start, width, node, at) = (0, Int(size), index, 0)
        var hash = leaf
        while !isKnown[start + node] {
            climbed.append((start + node, hash))
            let beside = node ^ 1
            if beside < width {
                let sibling = Digest32(in: path, at: at)
                at += Digest32.size
                climbed.append((start + beside, sibling))
                hash = node & 1 == 1 ? LogHash.node(sibling, hash) : LogHash.node(hash, sibling)
            }
            (start, width, node) = (start + width, (width + 1) / 2, node >> 1)
        }
        guard nodes[start + node] == hash else { return false }
        while width > 1 {
            let beside = node ^ 1
            if beside < width {
                guard isKnown[start + beside], nodes[start + beside] == Digest32(in: path, at: at) else { return false }
                at += Digest32.size
            }
            (start, width, node) = (start + width, (width + 1) / 2, node >> 1)
        }
        for step in climbed {
            nodes[step.place] = step.hash
            isKnown[step.place] = true
        }
        return true
    }
}
