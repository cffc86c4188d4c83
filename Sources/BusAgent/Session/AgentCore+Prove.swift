import BusEvidence
import BusProtocol

/// Signatures: of what leaves, and of what comes.
extension AgentCore {
    /// Signs the root of what is about to leave, in however many frames; every message carries its path. What is sent again after a new
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

    /// Whether a reply answers the request that was asked: it is of the service that was asked, and its provider signed the digest of
    /// what it saw.
    /// - Parameter isProven: it is signed; who cannot sign binds nothing.
    func answers(
        _ reply: EnvelopeView, _ raw: UnsafeRawBufferPointer, _ request: PendingTable.Reference, isProven: Bool
    ) -> Bool {
        // A reply of the broker's own is a fault and names nobody; without a directory nobody can be held to anything.
        guard senders != nil, !SenderCheck.isBrokersOwn(reply.header) else { return true }
        guard pending.goes(request, to: raw.part(reply.header.target)) else { return false }
        guard isProven, let leaf = pending.leaf(of: request) else { return true }
        guard let digest = reply.header.extensionValue(RequestDigest.type, in: raw), digest.count == Digest32.size
        else { return false }
        return Digest32(in: raw, at: digest.lowerBound) == leaf
    }

    /// Why a message is not this agent's to act on: it is for a system that is served elsewhere. Of an event every subscriber's agent
    /// gets the same bytes, and a reply is held to its request.
    func misdelivery(_ header: HeaderView, _ raw: UnsafeRawBufferPointer) -> Fault? {
        let receiver: Range<Int>
        switch header.kind {
        case .request, .command: receiver = header.targetSystem(in: raw)
        case .outcome: receiver = header.consumer
        case .reply, .event, .keyEpoch, .keyWrap: return nil
        }
        let name = raw.part(receiver)
        guard !identity.systems.contains(where: { name.isSame(as: $0) }) else { return nil }
        let system = String(decoding: name, as: UTF8.self)
        return Fault(
            .keyNotForSystem, at: .broker, "the \(header.kind) is for \(system), which this agent does not serve")
    }

    /// Why a request that its sender signed is not answered: it came before, under this very signature.
    mutating func repetition(of envelope: EnvelopeView, _ raw: UnsafeRawBufferPointer, _ leaf: Digest32) -> Fault? {
        let signature = raw[envelope.signedRoot].suffix(SignedRoot.signatureSize)
        guard envelope.header.kind == .request, !answered.note(leaf, signature: signature) else { return nil }
        return Fault(
            .idReused, at: .broker,
            "request \(envelope.header.id) came before, under the same signature; who asks again signs again")
    }
}
