package import BusDirectory
import BusEvidence
import BusProtocol

/// Holds what comes from the broker to what its sender signed.
package struct SenderCheck: Sendable {
    package let directory: Directory
    private var checker = ProofChecker()

    package init(_ directory: Directory) { self.directory = directory }

    /// What its sender signed, where anybody looked, and why the message is not its sender's; no fault when it is, or when nobody
    /// could have signed it.
    struct Verdict {
        var leaf: Digest32?
        var fault: ProofFault?
    }

    mutating func judge(_ envelope: EnvelopeView, _ raw: UnsafeRawBufferPointer) -> Verdict {
        guard let system = Self.sender(envelope.header, raw) else { return Verdict() }
        if envelope.proof.isEmpty, directory.maySendUnsigned(system) { return Verdict() }
        let leaf = LogHash.messageLeaf(envelope, in: raw)
        do throws(ProofFault) {
            let directory = directory
            try checker.check(
                leaf: leaf, proof: UnsafeRawBufferPointer(rebasing: raw[envelope.proof]),
                signedRoot: UnsafeRawBufferPointer(rebasing: raw[envelope.signedRoot])
            ) { directory.key($0, for: system) }
            return Verdict(leaf: leaf)
        } catch {
            // An agent that signs already and whose key the space does not state yet proves no more than one that cannot sign.
            if case .unknownKey = error, directory.maySendUnsigned(system) { return Verdict(leaf: leaf) }
            return Verdict(leaf: leaf, fault: error)
        }
    }

    /// Whether the message must carry its sender's signature.
    func mustSign(_ header: HeaderView, _ raw: UnsafeRawBufferPointer) -> Bool {
        guard let system = Self.sender(header, raw) else { return false }
        return !directory.maySendUnsigned(system)
    }

    /// The system in whose name it was sent; `nil` for what the broker itself says: a fault, never an answer.
    static func sender(_ header: HeaderView, _ raw: UnsafeRawBufferPointer) -> String? {
        switch header.kind {
        case .reply, .outcome:
            if header.provider.isEmpty, header.outcome != 0 { return nil }
            return String(decoding: raw[header.provider], as: UTF8.self)
        case .request, .command, .event, .keyEpoch, .keyWrap:
            return String(decoding: raw[header.consumer], as: UTF8.self)
        }
    }
}
