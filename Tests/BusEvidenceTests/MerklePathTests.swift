import BusProtocol
import Testing

@testable import BusEvidence

/// Root and path of RFC 9162 sections 2.1.1 and 2.1.3.1 by their own recursive definitions: slow, and obviously right.
enum NaiveTree {
    /// The largest power of two below `count`.
    private static func split(_ count: Int) -> Int {
        var split = 1
        while split * 2 < count { split *= 2 }
        return split
    }

    static func root(_ leaves: ArraySlice<Digest32>) -> Digest32 {
        if leaves.isEmpty { return LogHash.empty }
        if leaves.count == 1 { return leaves[leaves.startIndex] }
        let middle = leaves.startIndex + split(leaves.count)
        return LogHash.node(root(leaves[leaves.startIndex..<middle]), root(leaves[middle...]))
    }

    static func path(_ index: Int, _ leaves: ArraySlice<Digest32>) -> [Digest32] {
        if leaves.count <= 1 { return [] }
        let split = split(leaves.count)
        let left = leaves.prefix(split)
        let right = leaves.dropFirst(split)
        return index < split ? path(index, left) + [root(right)] : path(index - split, right) + [root(left)]
    }

    /// Section 2.1.4.1: PROOF(first, leaves).
    static func consistency(_ first: Int, _ leaves: ArraySlice<Digest32>) -> [Digest32] {
        subproof(first, leaves, true)
    }

    private static func subproof(_ first: Int, _ leaves: ArraySlice<Digest32>, _ isWhole: Bool) -> [Digest32] {
        if first == leaves.count { return isWhole ? [] : [root(leaves)] }
        let split = split(leaves.count)
        let left = leaves.prefix(split)
        let right = leaves.dropFirst(split)
        return first <= split
            ? subproof(first, left, isWhole) + [root(right)] : subproof(first - split, right, false) + [root(left)]
    }
}

/// Different leaves by number.
func testLeaf(_ number: Int) -> Digest32 {
    Array("record \(number)".utf8).withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: Digest32()) }
}

extension Digest32 {
    /// The same with one bit changed.
    var flipped: Digest32 {
        var other = self
        other.b ^= 1 << 17
        return other
    }
}

@Suite struct MerklePathTests {
    @Test func rootsAndPathsAreTheRecursiveOnes() {
        let leaves = (0..<300).map(testLeaf)
        for count in 1...leaves.count {
            let some = leaves.prefix(count)
            let tree = MerkleTree(some)
            #expect(tree.root == NaiveTree.root(some), "of \(count)")
            for leaf in 0..<count where count < 70 || leaf % 37 == 0 || leaf == count - 1 {
                let path = tree.path(of: leaf)
                #expect(path == NaiveTree.path(leaf, some), "leaf \(leaf) of \(count)")
                #expect(path.count == MerklePath.count(index: UInt64(leaf), size: UInt64(count)))
                let found = MerklePath.root(
                    leaf: some[leaf], index: UInt64(leaf), size: UInt64(count), path: path)
                #expect(found == tree.root, "leaf \(leaf) of \(count)")
            }
        }
    }

    @Test func everyWrongPathMissesTheRoot() {
        for count in 1...40 {
            let leaves = (0..<count).map(testLeaf)
            let tree = MerkleTree(leaves)
            for leaf in 0..<count {
                let path = tree.path(of: leaf)
                func root(_ path: [Digest32], of hash: Digest32 = leaves[leaf], index: Int = leaf) -> Digest32? {
                    MerklePath.root(leaf: hash, index: UInt64(index), size: UInt64(count), path: path)
                }
                #expect(root(path, of: leaves[leaf].flipped) != tree.root)
                #expect(root(path + [tree.root]) == nil, "a longer path")
                if !path.isEmpty { #expect(root(Array(path.dropLast())) == nil, "a shorter path") }
                for at in path.indices {
                    var changed = path
                    changed[at] = path[at].flipped
                    #expect(root(changed) != tree.root)
                }
                for other in 0..<count where other != leaf { #expect(root(path, index: other) != tree.root) }
                #expect(root(path, index: count) == nil, "a leaf outside of the tree")
            }
        }
    }

    @Test func greatTreesAreNoTrouble() {
        #expect(MerklePath.count(index: .max - 1, size: .max) == 63)
        #expect(MerklePath.count(index: 0, size: .max) == 64)
        #expect(MerklePath.count(index: 0, size: 1 << 63) == 63)
        #expect(MerklePath.count(index: 0, size: 0) == 0)
        #expect(MerklePath.root(leaf: testLeaf(0), index: 0, size: 0, path: []) == nil)
        #expect(MerklePath.root(leaf: testLeaf(0), index: .max - 1, size: .max, path: [testLeaf(1)]) == nil)
    }
}
