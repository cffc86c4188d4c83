import BusProtocol
import Testing

@testable import BusEvidence

/// What is known of a batch's tree saves hashing, and lets nothing pass that hashing would refuse.
@Suite struct VerifiedTreeTests {
    private static func leaves(_ count: Int) -> [Digest32] {
        (0..<count).map { index in [UInt8(index & 0xff), UInt8(index >> 8)].withUnsafeBytes { LogHash.body($0) } }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 11, 16, 31, 33, 100])
    func theSameAsHashingEachPath(_ count: Int) {
        let seed = UInt64.random(in: .min ... .max)
        var random = Seeded(state: seed)
        let leaves = Self.leaves(count)
        let tree = MerkleTree(leaves)
        var known = VerifiedTree(root: tree.root, size: UInt32(count))
        for turn in 0..<3 * count + 20 {
            let index = Int.random(in: 0..<count, using: &random)
            var leaf = leaves[index]
            var path = tree.path(of: index)
            // Half of them are wrong somewhere: the leaf, or one hash at any height, known already or not.
            if Bool.random(using: &random) {
                let place = Int.random(in: 0...path.count, using: &random)
                if place == path.count {
                    leaf.a ^= 1
                } else {
                    path[place].d ^= 1 << UInt64.random(in: 0..<64, using: &random)
                }
            }
            let isRight =
                MerklePath.root(leaf: leaf, index: UInt64(index), size: UInt64(count), path: path) == tree.root
            let holds = path.withUnsafeBytes { known.holds(leaf, at: index, $0) }
            #expect(holds == isRight, "seed \(seed), turn \(turn), leaf \(index) of \(count)")
        }
    }

    /// A path of another leaf, or of another batch of the same size, is none of this one.
    @Test func aPathOfAnotherPlaceIsRefused() {
        let leaves = Self.leaves(8)
        let tree = MerkleTree(leaves)
        var known = VerifiedTree(root: tree.root, size: 8)
        for index in 0..<8 {
            #expect(tree.path(of: index).withUnsafeBytes { known.holds(leaves[index], at: index, $0) })
        }
        for index in 0..<8 {
            for other in 0..<8 where other != index {
                #expect(!tree.path(of: other).withUnsafeBytes { known.holds(leaves[other], at: index, $0) })
                #expect(!tree.path(of: index).withUnsafeBytes { known.holds(leaves[other], at: index, $0) })
            }
        }
        let stranger = MerkleTree(leaves.reversed())
        #expect(!stranger.path(of: 0).withUnsafeBytes { known.holds(leaves[7], at: 0, $0) })
    }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
