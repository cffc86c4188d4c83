import BusEvidence

/// Holds the spaces of a journal to the authority. Its signatures stand beside the journal: what is in the log is the snapshot alone.
struct SpaceAudit {
    private let authority: VerifyingKey?
    private let signatures: SpaceSignatures
    private var newest: UInt64 = 0

    /// Spaces that took effect, and those of them that the authority has signed.
    private(set) var seen = 0
    private(set) var signed = 0

    init(authority: VerifyingKey?, signatures: SpaceSignatures) {
        self.authority = authority
        self.signatures = signatures
    }

    /// A space took effect.
    /// - Parameter stated: what it says; nil when it cannot be read.
    /// - Returns: what is wrong with it, each with its stable word first.
    mutating func take(_ canonical: [UInt8], _ stated: StatedKeys?) -> [String] {
        seen += 1
        let kept = signatures.all(of: canonical.withUnsafeBytes { LogHash.body($0) })
        var wrong: [String] = []
        if kept.contains(where: { $0 == nil }) {
            wrong.append(
                "malformed-space-signature: \(SpaceSignatures.fileName) has a signature of this space that is not 64 bytes"
            )
        }
        guard let authority else { return wrong }
        if kept.contains(where: { $0.map { SpaceSignature.holds($0, of: canonical, by: authority) } ?? false }) {
            signed += 1
        } else if kept.isEmpty {
            wrong.append(
                "space-not-signed: \(SpaceSignatures.fileName) has no signature of the space that took effect here; "
                    + "look whether the file was copied with the journal, else ask the authority whether it signed this"
            )
        } else if kept.contains(where: { $0 != nil }) {
            wrong.append(
                "wrong-space-signature: the signature of the space that took effect here is not the authority's; compare "
                    + "the authority's key with its owner, else somebody put this space in force without it")
        }
        return wrong + succession(stated)
    }

    /// The authority signed the old ones too: that one of them is in force again, only the order tells.
    private mutating func succession(_ stated: StatedKeys?) -> [String] {
        guard let stated else { return [] }
        defer { newest = max(newest, stated.version) }
        guard stated.version <= newest else { return [] }
        return [
            "space-rolled-back: version \(stated.version) took effect here after version \(newest); keys that were "
                + "revoked since may count again"
        ]
    }
}
