package import BusProtocol

/// Signs what a sender submits: one signature for many messages. Each message carries the path from its leaf
/// (`LogHash.messageLeaf`) to the signed root.
package struct BatchSigner: Sendable {
    /// Most leaves under one root; their paths have at most 16 hashes.
    package static let maximumBatch = 65_536

    private let key: SigningKey

    package init(_ key: SigningKey) { self.key = key }

    package var keyID: KeyID { key.id }

    /// - Parameters:
    ///   - leaves: 1 to `maximumBatch`.
    ///   - signedAt: the sender's clock, Unix milliseconds.
    package func sign(_ leaves: some Collection<Digest32>, at signedAt: Int64) -> SignedBatch {
        precondition(leaves.count <= Self.maximumBatch, "a batch has at most \(Self.maximumBatch) messages")
        let tree = MerkleTree(leaves)
        var root = SignedRoot(
            root: tree.root.bytes, keyID: key.id.value, batchSize: UInt32(tree.count), signedAt: signedAt,
            signature: [UInt8](repeating: 0, count: SignedRoot.signatureSize))
        root.signature = key.sign(BatchStatement.bytes(root.encoded()))
        return SignedBatch(tree, root)
    }
}

/// What is signed: "kerege batch v1", a zero byte, then the fields of the signed root as they travel.
enum BatchStatement {
    private static let domain = Domain.batch.bytes

    /// - Parameter row: a signed root as it travels, 116 bytes.
    static func bytes(_ row: some Collection<UInt8>) -> [UInt8] {
        domain + row.prefix(SignedRoot.size - SignedRoot.signatureSize)
    }
}

/// A signed root and the proofs of the messages under it, in the form they travel.
package struct SignedBatch: Sendable {
    package let root: SignedRoot
    /// The root's 116 bytes.
    package let row: [UInt8]
    /// Proofs one behind the other; the first begins at `starts[0]`, the last ends at `starts[count]`.
    private let proofs: [UInt8]
    private let starts: [Int]

    fileprivate init(_ tree: MerkleTree, _ root: SignedRoot) {
        self.root = root
        row = root.encoded()
        let starts = Self.places(in: tree)
        self.starts = starts
        proofs = [UInt8](writing: starts[tree.count]) { out in
            for leaf in 0..<tree.count {
                let hashes = (starts[leaf + 1] - starts[leaf] - MessageProof.fixedSize) / Digest32.size
                out.put(MessageProof.ed25519)
                out.put(UInt8(hashes))
                out.put(UInt16(0))  // the frame's writer puts the row in
                out.put(UInt32(leaf))
                tree.forEachSibling(of: leaf) { hash in withUnsafeBytes(of: hash) { out.put(raw: $0) } }
            }
        }
    }

    /// Where each proof begins, and the end of the last.
    private static func places(in tree: MerkleTree) -> [Int] {
        var starts: [Int] = []
        starts.reserveCapacity(tree.count + 1)
        var end = 0
        for leaf in 0..<tree.count {
            starts.append(end)
            let hashes = MerklePath.count(index: UInt64(leaf), size: UInt64(tree.count))
            end += MessageProof.fixedSize + Digest32.size * hashes
        }
        starts.append(end)
        return starts
    }

    package var count: Int { starts.count - 1 }

    package func proof(_ leaf: Int) -> ArraySlice<UInt8> { proofs[starts[leaf]..<starts[leaf + 1]] }
}
