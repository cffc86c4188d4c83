package import BusEvidence

extension AgentKey {
    /// The key with which this entry's agent signs, as a checker of proofs wants it; nil for an agent of before, and for a revoked key.
    package var senderKey: SenderKey? {
        guard let times = validity.times, let key = signingKey else { return nil }
        return SenderKey(key, validity: times)
    }
}
