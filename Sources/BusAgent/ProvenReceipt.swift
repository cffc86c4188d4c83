import BusDirectory
import BusEvidence
import BusProtocol

/// Proof that the broker's log has a message: made of hashes and signatures, checked by this agent, and by anybody else who is shown it.
public struct ProvenReceipt: Sendable {
    public let receipt: Receipt
    /// The checkpoint of the log, signed by the log's key: a note as C2SP's signed-note and tlog-checkpoint have it.
    public let checkpoint: String
    /// Records in the log of that checkpoint.
    public let logSize: UInt64
    /// Id of the log's key, 16 hexadecimal digits. The space states the key itself.
    public let logKey: String
    /// Where the message stands in the log, from 1.
    public var position: UInt64 { place.position }
    /// Hashes beside the way from the message's leaf to the checkpoint's root, from the leaf upwards.
    public var path: [[UInt8]] { place.inclusion.map(\.bytes) }

    let place: EvidenceFile.Place
    /// The space that states the log's key, and its authority's signature; `nil` where no authority is pinned.
    let space: SignedSpace?
    /// What this agent has signed of the message; `nil` where it does not sign.
    let signed: (root: [UInt8], proof: [UInt8])?

    init(_ receipt: Receipt, _ proof: ProvenMessage) {
        self.receipt = receipt
        checkpoint = proof.claims.checkpoint.note
        logSize = proof.claims.checkpoint.head.size
        logKey = proof.claims.key.description
        place = proof.claims.places.first ?? EvidenceFile.Place(position: 0, inclusion: [])
        space = proof.space
        signed = proof.signed
    }

    /// The receipt as a file of evidence (`docs/EVIDENCE.md`, section 8), which `kerege evidence verify` and any other verifier takes from
    /// the authority's public key alone. The body is not in it, only its digest: who shows the receipt may show the body beside it.
    /// - Throws: 4094 without a pinned authority, 4013 without a signing key: nobody could be shown whose the message is.
    public func evidence() throws(BusFault) -> [UInt8] {
        guard let space else {
            throw BusFault(
                .spaceRefused, at: .consumerAgent,
                "this agent has no authority pinned, which would say whose keys these are")
        }
        guard let signed else {
            throw BusFault(.badSignature, at: .consumerAgent, "this agent signs nothing, so the message is nobody's")
        }
        let message = EvidenceFile.Message(
            header: receipt.message.header,
            bodyDigest: receipt.message.body.withUnsafeBytes { LogHash.body($0) }, signedRoot: signed.root,
            proof: signed.proof, place: place)
        return EvidenceFile(
            space: EvidenceFile.Space(snapshot: space.snapshot.canonical, signature: space.signature),
            checkpoint: checkpoint, messages: [message]
        ).json()
    }
}

/// What the socket thread adds to a proof: what a file of evidence needs besides.
struct ProvenMessage: Sendable {
    let claims: ProvenClaims
    let space: SignedSpace?
    let signed: (root: [UInt8], proof: [UInt8])?
}

extension Agent {
    /// Has the broker prove that its log has a message, and checks the proof: the signature with the key that the space states, the path
    /// from the message's own bytes, and that the log goes on from every state of it that this agent was shown before.
    /// - Parameter deadline: the first proof after a broker's start may take as long as the broker reads its journal.
    /// - Throws: 4095 when what the broker says proves nothing; 4041 when it proves no place of the message; 4092 when its log is not the
    ///   one it was, and then for every later call; 4096 when it does not sign its log; 4001 or 4002 when it is of a version without
    ///   proofs; 4080 when it did not answer in time.
    public func prove(_ receipt: Receipt, deadline: Duration? = nil) async throws(BusFault) -> ProvenReceipt {
        let within = (deadline ?? configuration.defaultDeadline).microseconds
        let result = await withUnsafeContinuation { (continuation: ProofContinuation) in
            if !put(.prove(receipt, ProveOrder(within: within, continuation: continuation))) {
                continuation.resume(returning: .failure(closedFault))
            }
        }
        return try result.get()
    }
}
