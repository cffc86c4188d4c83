package import BusDirectory
import BusEvidence
import BusProtocol

/// Whose keys sign for which systems, as the directory says.
package struct SenderDirectory: Sendable {
    private var keys: [BusEvidence.KeyID: (key: SenderKey, systems: Set<String>)] = [:]
    /// Systems with an agent that cannot sign: their messages may come without proof.
    private var unsigned: Set<String> = []

    package init(_ space: Space) {
        for entry in space.keys where entry.revoked == nil {
            if let key = entry.senderKey {
                keys[key.key.id, default: (key, [])].systems.formUnion(entry.systems)
            } else {
                unsigned.formUnion(entry.systems)
            }
        }
    }

    func key(_ id: BusEvidence.KeyID, for system: String) -> SenderKey? {
        guard let found = keys[id], found.systems.contains(system) else { return nil }
        return found.key
    }

    func maySendUnsigned(_ system: String) -> Bool { unsigned.contains(system) }
}

/// Holds what comes from the broker to what its sender signed.
package struct SenderCheck: Sendable {
    package var directory: SenderDirectory
    private var checker = ProofChecker()

    package init(_ directory: SenderDirectory) { self.directory = directory }

    /// - Returns: `nil` when the message is its sender's, or when nobody could have signed it.
    mutating func fault(in envelope: EnvelopeView, _ raw: UnsafeRawBufferPointer) -> ProofFault? {
        guard let system = Self.sender(envelope.header, raw) else { return nil }
        if envelope.proof.isEmpty, directory.maySendUnsigned(system) { return nil }
        let body = LogHash.body(UnsafeRawBufferPointer(rebasing: raw[envelope.body]))
        let leaf = LogHash.messageLeaf(
            header: UnsafeRawBufferPointer(rebasing: raw[envelope.header.range]), bodyDigest: body)
        do throws(ProofFault) {
            let directory = directory
            try checker.check(
                leaf: leaf, proof: UnsafeRawBufferPointer(rebasing: raw[envelope.proof]),
                signedRoot: UnsafeRawBufferPointer(rebasing: raw[envelope.signedRoot])
            ) { directory.key($0, for: system) }
            return nil
        } catch {
            // An agent that signs already and whose key the space does not state yet proves no more than one that cannot sign.
            if case .unknownKey = error, directory.maySendUnsigned(system) { return nil }
            return error
        }
    }

    /// Whether the message must carry its sender's signature.
    func mustSign(_ header: HeaderView, _ raw: UnsafeRawBufferPointer) -> Bool {
        guard let system = Self.sender(header, raw) else { return false }
        return !directory.maySendUnsigned(system)
    }

    /// The system in whose name it was sent; `nil` for what the broker itself says: a fault, never an answer.
    private static func sender(_ header: HeaderView, _ raw: UnsafeRawBufferPointer) -> String? {
        switch header.kind {
        case .reply, .outcome:
            if header.provider.isEmpty, header.outcome != 0 { return nil }
            return String(decoding: raw[header.provider], as: UTF8.self)
        case .request, .command, .event, .keyEpoch, .keyWrap:
            return String(decoding: raw[header.consumer], as: UTF8.self)
        }
    }
}
