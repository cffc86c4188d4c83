package import BusProtocol

/// A sender's public key as the directory states it.
package struct SenderKey: Sendable {
    package var key: VerifyingKey
    /// Unix milliseconds at which its signatures count, by the sender's clock.
    package var validity: ClosedRange<Int64>

    package init(_ key: VerifyingKey, validity: ClosedRange<Int64> = .min ... .max) {
        self.key = key
        self.validity = validity
    }
}

/// Checks that messages are their senders'. A signature is checked once for all messages under its root: roots found good are
/// remembered.
package struct ProofChecker: Sendable {
    /// Roots remembered unless told otherwise; 32 bytes each.
    package static let rootsRemembered = 8192

    /// Batches of which what is known of their trees is kept: frames of a few senders come mixed.
    private static let treesRemembered = 4

    private var trees: [VerifiedTree] = []
    private var oldestTree = 0
    /// Where the last message was found: its neighbours mostly are there too.
    private var lastTree = 0
    private var good: RecentMap<Digest32, Void>
    /// The last good one, whole: neighbours mostly share it, and comparing costs less than hashing.
    private var last: [UInt8] = []
    private var lastKey: VerifyingKey?

    package init(remembering roots: Int = rootsRemembered) { good = RecentMap(limit: roots) }

    /// - Parameters:
    ///   - leaf: `LogHash.messageLeaf` of the message's header and body.
    ///   - proof: as it travelled; its row of the table is not looked at.
    ///   - signedRoot: that row, 116 bytes.
    ///   - lookUp: the key of this id, if it is one the sender may sign with.
    @discardableResult
    package mutating func check(
        leaf: Digest32, proof: UnsafeRawBufferPointer, signedRoot: UnsafeRawBufferPointer,
        key lookUp: (KeyID) -> SenderKey?
    ) throws(ProofFault) -> KeyID {
        let proof = try MessageProof(proof)
        guard signedRoot.count == SignedRoot.size else { throw .rootMissing }
        let root = RootFields(signedRoot)
        guard proof.leafIndex < root.batchSize else {
            throw .leafOutside(index: proof.leafIndex, batchSize: root.batchSize)
        }
        guard let sender = lookUp(root.keyID), sender.key.id == root.keyID else { throw .unknownKey(root.keyID) }
        guard sender.validity.contains(root.signedAt) else { throw .outsideValidity(signedAt: root.signedAt) }
        let place = (index: UInt64(proof.leafIndex), size: UInt64(root.batchSize))
        let expected = MerklePath.count(index: place.index, size: place.size)
        guard proof.path.count == expected * Digest32.size else {
            throw .wrongPathLength(found: proof.path.count / Digest32.size, expected: expected)
        }
        guard leads(leaf, to: root, place, proof.path) else { throw .wrongRoot }
        try checkSignature(signedRoot, sender.key)
        return root.keyID
    }

    private mutating func leads(
        _ leaf: Digest32, to root: RootFields, _ place: (index: UInt64, size: UInt64), _ path: UnsafeRawBufferPointer
    ) -> Bool {
        guard root.batchSize <= VerifiedTree.most else {
            return MerklePath.root(leaf: leaf, index: place.index, size: place.size, path: path) == root.root
        }
        if let known = knownTree(of: root) {
            lastTree = known
            return trees[known].holds(leaf, at: Int(place.index), path)
        }
        var tree = VerifiedTree(root: root.root, size: root.batchSize)
        // Nothing is remembered of a root that nobody has shown a way to.
        guard tree.holds(leaf, at: Int(place.index), path) else { return false }
        guard root.batchSize > 1 else { return true }
        if trees.count < Self.treesRemembered { trees.append(tree) } else { trees[oldestTree] = tree }
        lastTree = oldestTree
        oldestTree = (oldestTree + 1) % Self.treesRemembered
        return true
    }

    /// Where it is in `trees`: compared in place, as a tree passed to a closure would be copied.
    private func knownTree(of root: RootFields) -> Int? {
        if lastTree < trees.count, isTree(lastTree, root) { return lastTree }
        for index in trees.indices where isTree(index, root) { return index }
        return nil
    }

    @inline(__always)
    private func isTree(_ index: Int, _ root: RootFields) -> Bool {
        trees[index].root == root.root && trees[index].size == root.batchSize
    }

    /// A message of a received frame. Where its leaf is known already, the other function saves hashing it again.
    @discardableResult
    package mutating func check(
        _ message: EnvelopeView, in frame: UnsafeRawBufferPointer, key lookUp: (KeyID) -> SenderKey?
    ) throws(ProofFault) -> KeyID {
        func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: frame[range]) }
        return try check(
            leaf: LogHash.messageLeaf(message, in: frame), proof: bytes(message.proof),
            signedRoot: bytes(message.signedRoot), key: lookUp)
    }

    private mutating func checkSignature(_ row: UnsafeRawBufferPointer, _ key: VerifyingKey) throws(ProofFault) {
        // The key stands behind the row: a directory may come to mean another key by the same id.
        if key == lastKey, isLast(row) { return }
        let bytes = Array(row) + key.bytes
        let name = bytes.withUnsafeBytes { LogHash.body($0) }
        if good.use(name) == nil {
            guard key.isSignature(bytes[SignedRoot.signatureOffset..<SignedRoot.size], of: BatchStatement.bytes(bytes))
            else { throw .wrongSignature }
            good.put((), for: name)
        }
        last = Array(row)
        lastKey = key
    }

    private func isLast(_ row: UnsafeRawBufferPointer) -> Bool { !last.isEmpty && row.isSame(as: last) }

    package mutating func check(
        leaf: Digest32, proof: [UInt8], signedRoot: [UInt8], key lookUp: (KeyID) -> SenderKey?
    ) throws(ProofFault) -> KeyID {
        let result: Result<KeyID, ProofFault> = proof.withUnsafeBytes { proof in
            signedRoot.withUnsafeBytes { root in
                do throws(ProofFault) {
                    return .success(try check(leaf: leaf, proof: proof, signedRoot: root, key: lookUp))
                } catch { return .failure(error) }
            }
        }
        return try result.get()
    }
}

/// The fields of a signed root that are looked at for every message, read in place.
private struct RootFields {
    let root: Digest32
    let keyID: KeyID
    let batchSize: UInt32
    let signedAt: Int64

    init(_ row: UnsafeRawBufferPointer) {
        root = Digest32(in: row, at: 0)
        keyID = KeyID(value: UInt64(littleEndian: row.loadUnaligned(fromByteOffset: 32, as: UInt64.self)))
        batchSize = UInt32(littleEndian: row.loadUnaligned(fromByteOffset: 40, as: UInt32.self))
        signedAt = Int64(littleEndian: row.loadUnaligned(fromByteOffset: 44, as: Int64.self))
    }
}
