import BusEvidence
import BusProtocol

/// Holds the stored signatures of messages against the keys that the space of their time states.
struct SignatureAudit {
    private var keys: StatedKeys?
    private var checker = ProofChecker()
    /// Signed messages, and those of them whose sender's key no space in the journal states: nobody could check these.
    private(set) var checked = 0
    private(set) var uncheckable = 0

    /// A space took effect.
    mutating func take(space canonical: [UInt8]) { keys = StatedKeys(snapshot: canonical) }

    /// Why the message is not its sender's; `nil` when it is, or is not signed at all.
    mutating func fault(_ record: MessageRecord, _ header: Header, leaf: Digest32, signedRoot: [UInt8]) -> String? {
        guard !signedRoot.isEmpty else { return nil }
        guard let keys, let sender = header.sender else {
            uncheckable += 1
            return nil
        }
        do throws(ProofFault) {
            _ = try checker.check(leaf: leaf, proof: record.proof, signedRoot: signedRoot) { id in
                keys.agent(id, for: sender)?.sender
            }
        } catch {
            // An agent whose key is not stated yet may sign already; the broker looks at it no more than this.
            if case .unknownKey = error, keys.hasUnstatedKey(of: sender) {
                uncheckable += 1
                return nil
            }
            checked += 1
            return "its signature does not hold: \(error.code): \(error)"
        }
        checked += 1
        return nil
    }
}
