import BusEvidence
import BusProtocol

/// Signatures: of what leaves, and of what comes.
extension AgentCore {
    /// Signs the root of the frame that is about to leave; every message in it carries its path. What is sent again after a new
    /// session is signed again, under a new root: the message itself never changes.
    mutating func signOutgoing(_ wall: Int64) {
        guard let signer, !outgoing.isEmpty else { return }
        let leaves = outgoing.map { envelope in
            envelope.header.withUnsafeBytes { header in
                envelope.body.withUnsafeBytes { LogHash.messageLeaf(header: header, bodyDigest: LogHash.body($0)) }
            }
        }
        let batch = signer.sign(leaves, at: wall)
        let row = batch.row[...]
        for index in outgoing.indices {
            outgoing[index].proof = batch.proof(index)
            outgoing[index].signedRoot = row
        }
    }

    /// Why a delivered message is not what its sender signed; `nil` when it is, or need not be.
    mutating func unproven(_ envelope: EnvelopeView, _ raw: UnsafeRawBufferPointer) -> ProofFault? {
        guard senders != nil else { return nil }
        return senders?.fault(in: envelope, raw)
    }

    /// Whether a reply answers the request that was asked: its provider signed the digest of what it saw.
    func answers(_ reply: EnvelopeView, _ raw: UnsafeRawBufferPointer, _ request: Submission) -> Bool {
        // A reply of the broker's own is a fault and names no provider; unsigned providers bind nothing.
        guard signer != nil, senders?.mustSign(reply.header, raw) == true else { return true }
        let leaf = request.header.withUnsafeBytes { header in
            request.body.withUnsafeBytes { LogHash.messageLeaf(header: header, bodyDigest: LogHash.body($0)) }
        }
        return RequestDigest.read(raw, reply.header) == leaf.bytes
    }
}
