import BusEvidence
import BusProtocol

/// Signatures: of what leaves, and of what comes.
extension AgentCore {
    /// Signs the root of the frame that is about to leave; every message in it carries its path. What is sent again after a new
    /// session is signed again, under a new root: the message itself never changes.
    mutating func signOutgoing(_ wall: Int64) {
        guard let signer, !outgoing.isEmpty else { return }
        let leaves = outgoing.map { LogHash.messageLeaf(header: $0.header, body: $0.body) }
        let batch = signer.sign(leaves, at: wall)
        let row = batch.row[...]
        for index in outgoing.indices {
            outgoing[index].proof = batch.proof(index)
            outgoing[index].signedRoot = row
        }
        // They are the last that were sent, in the same order; a reply to one of them is held to its leaf.
        for (reference, leaf) in zip(inFlight.suffix(leaves.count), leaves) { pending.setLeaf(leaf, of: reference) }
    }

    /// Whether a reply answers the request that was asked: its provider signed the digest of what it saw.
    func answers(_ reply: EnvelopeView, _ raw: UnsafeRawBufferPointer, _ request: PendingTable.Reference) -> Bool {
        // A reply of the broker's own is a fault and names no provider; who cannot sign binds nothing.
        guard let leaf = pending.leaf(of: request), senders?.mustSign(reply.header, raw) == true else { return true }
        guard let digest = reply.header.extensionValue(RequestDigest.type, in: raw) else { return false }
        return raw[digest].elementsEqual(leaf.bytes)
    }
}
