import BusProtocol
import Testing

@testable import BusEvidence

@Suite struct LogProofTests {
    private static let leaves = (0..<300).map(testLeaf)

    private func prover(_ size: Int) -> LogProver<Never> {
        LogProver(size: UInt64(size)) { subtree in subtree.root { Self.leaves[Int($0)] } }
    }

    private func head(_ size: Int) -> TreeHead {
        TreeHead(size: UInt64(size), root: NaiveTree.root(Self.leaves.prefix(size)))
    }

    @Test func inclusionProofsAreTheRecursiveOnesAndHold() throws {
        for size in [Int](1...70) + [127, 128, 129, 255, 256, 257, 300] {
            let prover = prover(size)
            let head = head(size)
            #expect(prover.root() == head.root)
            for index in 0..<size where size <= 40 || index % 29 == 0 || index > size - 3 {
                let path = prover.inclusion(of: UInt64(index))
                #expect(path == NaiveTree.path(index, Self.leaves.prefix(size)), "\(index) of \(size)")
                try LogProof.check(inclusion: path, of: Self.leaves[index], at: UInt64(index), in: head)
            }
        }
    }

    @Test func consistencyProofsAreTheRecursiveOnesAndHold() throws {
        for size in [Int](1...66) + [127, 128, 129, 255, 256, 300] {
            let prover = prover(size)
            let newer = head(size)
            for first in 1...size where size <= 66 || first % 17 == 0 || first.nonzeroBitCount < 3 || first == size - 1
            {
                let path = prover.consistency(from: UInt64(first))
                #expect(path == NaiveTree.consistency(first, Self.leaves.prefix(size)), "\(first) to \(size)")
                try LogProof.check(consistency: path, from: head(first), to: newer)
            }
        }
    }

    @Test func everyWrongInclusionIsRefusedWithItsReason() {
        for size in 1...20 {
            let prover = prover(size)
            let right = head(size)
            for index in 0..<size {
                let path = prover.inclusion(of: UInt64(index))
                func fault(
                    _ path: [Digest32], leaf: Digest32 = Self.leaves[index], at place: Int = index, _ head: TreeHead
                ) -> LogFault? {
                    do throws(LogFault) {
                        try LogProof.check(inclusion: path, of: leaf, at: UInt64(place), in: head)
                        return nil
                    } catch { return error }
                }
                #expect(fault(path, right) == nil)
                #expect(fault(path, leaf: Self.leaves[index].flipped, right) == .wrongRoot)
                #expect(fault(path, TreeHead(size: right.size, root: right.root.flipped)) == .wrongRoot)
                #expect(fault(path, at: size, right) == .outsideLog(index: UInt64(size), size: UInt64(size)))
                #expect(
                    fault(path + [right.root], right)
                        == .wrongPathLength(found: path.count + 1, expected: path.count))
                for at in path.indices {
                    var changed = path
                    changed[at] = path[at].flipped
                    #expect(fault(changed, right) == .wrongRoot)
                    var dropped = path
                    dropped.remove(at: at)
                    #expect(
                        fault(dropped, right) == .wrongPathLength(found: path.count - 1, expected: path.count))
                    var swapped = path
                    swapped.swapAt(at, path.count - 1)
                    if at < path.count - 1 { #expect(fault(swapped, right) == .wrongRoot) }
                }
                for other in 0..<size where other != index { #expect(fault(path, at: other, right) != nil) }
            }
        }
    }

    @Test func everyWrongConsistencyIsRefusedWithItsReason() {
        func fault(_ path: [Digest32], _ older: TreeHead, _ newer: TreeHead) -> LogFault? {
            do throws(LogFault) {
                try LogProof.check(consistency: path, from: older, to: newer)
                return nil
            } catch { return error }
        }
        for size in 1...20 {
            let prover = prover(size)
            let newer = head(size)
            for first in 1...size {
                let path = prover.consistency(from: UInt64(first))
                let older = head(first)
                #expect(fault(path, older, newer) == nil)
                let forked = fault(path, TreeHead(size: older.size, root: older.root.flipped), newer)
                // Where the older root is a node of the newer tree it is not sent: a wrong one shows in the newer root.
                #expect(first == size || first.nonzeroBitCount > 1 ? forked == .wrongOlderRoot : forked == .wrongRoot)
                #expect(
                    fault(path, older, TreeHead(size: newer.size, root: newer.root.flipped))
                        == (first == size ? .wrongOlderRoot : .wrongRoot))
                #expect(
                    fault(path + [newer.root], older, newer)
                        == .wrongPathLength(found: path.count + 1, expected: path.count))
                for at in path.indices {
                    var changed = path
                    changed[at] = path[at].flipped
                    #expect(fault(changed, older, newer) != nil)
                    var dropped = path
                    dropped.remove(at: at)
                    #expect(
                        fault(dropped, older, newer) == .wrongPathLength(found: path.count - 1, expected: path.count))
                }
                for other in 1...size where other != first {
                    #expect(fault(path, head(other), newer) != nil, "\(other) for \(first) to \(size)")
                }
                if first < size { #expect(fault(path, newer, older) == .logShrank(from: newer.size, to: older.size)) }
            }
        }
    }

    /// A log of a leaf less, or with two leaves exchanged, cannot pass for the same log grown.
    @Test func aRewrittenPastShows() {
        var other = Self.leaves
        other.swapAt(3, 4)
        let forged = LogProver<Never>(size: 40) { subtree in subtree.root { other[Int($0)] } }
        for first in 5...40 {
            let path = forged.consistency(from: UInt64(first))
            let newer = TreeHead(size: 40, root: forged.root())
            #expect(throws: LogFault.self) { try LogProof.check(consistency: path, from: head(first), to: newer) }
        }
    }

    @Test func theEmptyLogIsABeginningOfEveryLog() throws {
        let empty = TreeHead(size: 0, root: LogHash.empty)
        #expect(prover(7).consistency(from: 0).isEmpty)
        try LogProof.check(consistency: [], from: empty, to: head(7))
        try LogProof.check(consistency: [], from: empty, to: empty)
        #expect(throws: LogFault.wrongOlderRoot) {
            try LogProof.check(consistency: [], from: TreeHead(size: 0, root: testLeaf(1)), to: head(7))
        }
        #expect(throws: LogFault.wrongPathLength(found: 1, expected: 0)) {
            try LogProof.check(consistency: [testLeaf(1)], from: empty, to: head(7))
        }
        #expect(prover(0).root() == LogHash.empty)
    }

    /// Proofs of a log of millions ask for few hashes, so that a journal need not read itself whole.
    @Test func aProofAsksForFewSubtrees() {
        final class Asked { var subtrees: [Subtree] = [] }
        let asked = Asked()
        let size: UInt64 = 5_000_001
        let prover = LogProver<Never>(size: size) { subtree in
            asked.subtrees.append(subtree)
            return testLeaf(Int(subtree.index) &* 64 + subtree.level)
        }
        for index in [0, 1, 4_194_303, 4_194_304, 4_999_999, 5_000_000] as [UInt64] {
            asked.subtrees = []
            _ = prover.inclusion(of: index)
            #expect(asked.subtrees.count <= 48 && asked.subtrees.allSatisfy { $0.leaves.upperBound <= size })
            asked.subtrees = []
            _ = prover.consistency(from: index + 1)
            #expect(asked.subtrees.count <= 48 && asked.subtrees.allSatisfy { $0.leaves.upperBound <= size })
        }
    }
}
