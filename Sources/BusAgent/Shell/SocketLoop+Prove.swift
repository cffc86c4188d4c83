import BusDirectory
import BusEvidence
import BusProtocol

/// Receipts that are to be proven, and what is kept of the broker's log.
extension SocketLoop {
    func prove(_ receipt: Receipt, _ order: ProveOrder) {
        guard let accepted = TreeHead(receipt.log), let system = receipt.message.sender else {
            let why = "the receipt names no state of the log"
            return order.continuation.resume(returning: .failure(BusFault(.noSuchMessage, at: .consumerAgent, why)))
        }
        nextToken += 1
        let claim = LogClaim(id: receipt.messageID, leaf: receipt.message.leaf, accepted: accepted)
        if let fault = core.prove([claim], of: system, token: nextToken, into: &actions) {
            return order.continuation.resume(returning: .failure(BusFault(fault)))
        }
        proofs[nextToken] = (clock.now.saturating(adding: order.within), receipt, order.continuation)
    }

    func proven(_ token: UInt64, _ result: Result<ProvenClaims, Fault>) {
        guard let (_, receipt, continuation) = proofs.removeValue(forKey: token) else { return }
        switch result {
        case .failure(let fault): continuation.resume(returning: .failure(BusFault(fault)))
        case .success(let claims):
            let batch = core.signer?.sign([receipt.message.leaf], at: clock.wall)
            let proof = ProvenMessage(
                claims: claims, space: core.trust.authority == nil ? nil : core.trust.held,
                signed: batch.map { ($0.row, Array($0.proof(0))) })
            continuation.resume(returning: .success(ProvenReceipt(receipt, proof)))
        }
    }

    func expireProofs() {
        for (token, proof) in proofs where proof.until <= clock.now {
            proofs[token] = nil
            let why = "the broker has not proven its log in time; the first proof after its start takes longest"
            proof.continuation.resume(returning: .failure(BusFault(.deadlinePassed, at: .broker, why)))
        }
    }

    func endProofs(_ fault: BusFault) {
        for proof in proofs.values { proof.continuation.resume(returning: .failure(fault)) }
        proofs = [:]
    }
}

/// What was sent, as it left: what a leaf of the log is made of.
package struct SentBytes: Sendable {
    package let header: [UInt8]
    package let body: [UInt8]

    package init(header: [UInt8], body: [UInt8]) {
        self.header = header
        self.body = body
    }

    var leaf: Digest32 { LogHash.messageLeaf(header: header[...], body: body[...]) }
    /// The system whose message it is.
    var sender: String? { (try? Header(decoding: header))?.sender }
}
