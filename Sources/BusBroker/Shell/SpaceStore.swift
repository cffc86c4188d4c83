package import BusDirectory
import BusEvidence
import BusProtocol
package import DurableFiles

/// The signed space in a broker's data folder. It is written before the space takes effect, so a broker that starts again has the
/// authority's signature of every version its agents may have seen.
package struct SpaceStore: Sendable {
    private let folder: String
    package let path: String
    /// The authority's signature of every version that was in force, a line each: digest and signature in hexadecimal. The versions
    /// themselves are in the journal; evidence of an old exchange needs both.
    private let signatures: String

    package init(folder: String) {
        self.folder = folder
        path = folder + "/space.signed"
        signatures = folder + "/" + SpaceSignatures.fileName
    }

    /// Nil when none was kept.
    package func read() throws(BrokerError) -> SignedSpace? { try Self.read(path) }

    /// Reads a signed space; nil when there is no such file.
    package static func read(_ path: String) throws(BrokerError) -> SignedSpace? {
        do {
            guard let bytes = try DurableFile.read(path, limit: SignedSpace.fileLimit) else { return nil }
            return try SignedSpace(file: bytes)
        } catch {
            throw BrokerError(
                "\(path) is no signed space: \(error)",
                remedy: "make it again: kerege space sign DIR --authority authority.key -o \(path)")
        }
    }

    func write(_ space: SignedSpace) throws(BrokerError) {
        do throws(DurableFile.Problem) {
            try keepSignature(of: space)
            try DurableFile.replace(path, with: space.file)
        } catch {
            throw BrokerError("the signed space cannot be kept: \(error)", remedy: "mend the data folder")
        }
    }

    /// The newest signature that was kept of a version; nil when none was. Nothing is believed of it yet.
    package func signature(of digest: SpaceDigest) throws(DurableFile.Problem) -> [UInt8]? {
        guard let digest = Digest32(digest.bytes) else { return nil }
        return SpaceSignatures(file: try kept()).all(of: digest).compactMap(\.self).last
    }

    /// Whether a space that nobody signed may take effect, at a start or by an operator's order: not where an authority is pinned, and not
    /// over a space that one has signed. Every agent that pins it would leave, and no space it signed before would be taken again.
    ///
    /// - Parameter inForce: nil in a new journal.
    func expectUnsigned(under authority: VerifyingKey?, over inForce: SpaceSnapshot?) throws(BrokerError) {
        guard authority == nil else {
            throw BrokerError(
                "the space is not signed, and this broker takes only what its authority signed",
                remedy: "kerege space sign DIR --authority authority.key --broker -o space.signed, then kerege space "
                    + "apply space.signed")
        }
        let start = "leave --space out and start it with --authority \(folder)/keys/authority.pub --signed-space"
        let anyKey = "--authority takes the public key from wherever it lies"
        // What is in force may be older: what is signed is kept before it takes effect.
        if let kept = try read(), kept.snapshot.version >= inForce?.version ?? 0 {
            throw Self.isSigned(kept.snapshot.version, remedy: "\(start) \(path); \(anyKey)")
        }
        // A data folder may have been restored without that file; the signatures go with the journal.
        guard let inForce, try hasSignature(of: inForce) else { return }
        throw Self.isSigned(
            inForce.version,
            remedy:
                "\(start) FILE, the newest that the authority signed; \(anyKey). Where no such file is left: kerege space "
                + "sign DIR --authority authority.key --after \(folder) -o space.signed")
    }

    private static func isSigned(_ version: UInt64, remedy: String) -> BrokerError {
        BrokerError(
            "version \(version) of the space here is signed by an authority, and this broker is started without one: "
                + "agents that pin it would refuse what nobody signed (4094)", remedy: remedy)
    }

    private func hasSignature(of space: SpaceSnapshot) throws(BrokerError) -> Bool {
        do throws(DurableFile.Problem) { return try signature(of: space.digest) != nil } catch {
            throw BrokerError(
                "whether the space in force is signed is not known: \(error)", remedy: "mend the data folder")
        }
    }

    /// The signed space itself may be lost, as by a restore without it; that it was signed is still known.
    private func expectNeverSigned(_ inForce: SpaceSnapshot?) throws(BrokerError) {
        let known: [UInt8]?
        do throws(DurableFile.Problem) {
            known = try inForce.flatMap { space throws(DurableFile.Problem) in try signature(of: space.digest) }
        } catch { throw BrokerError("\(signatures) cannot be read: \(error)", remedy: "mend the data folder") }
        guard let inForce, let known, known != SignedSpace.noSignature else { return }
        throw BrokerError(
            "version \(inForce.version) of the space, which is in force here, was signed by an authority, and \(path) is missing",
            remedy:
                "bring that file back, or sign the next version: kerege space sign DIR --authority authority.key --after \(folder) "
                + "-o \(path); then start it with --authority \(folder)/keys/authority.pub --signed-space \(path)")
    }

    private func keepSignature(of space: SignedSpace) throws(DurableFile.Problem) {
        let line = "\(space.snapshot.digest) \(space.signature.hex)"
        let lines = String(decoding: try kept(), as: UTF8.self).split(separator: "\n")
        if lines.contains(line[...]) { return }
        try DurableFile.replace(signatures, with: Array((lines + [line[...]]).map { $0 + "\n" }.joined().utf8))
    }

    private func kept() throws(DurableFile.Problem) -> [UInt8] {
        try DurableFile.read(signatures, limit: SpaceSignatures.fileLimit) ?? []
    }
}

/// Which space a broker starts with, and why it does not.
struct SpaceAtStart {
    let snapshot: SpaceSnapshot
    let signature: [UInt8]
    /// Whether it has to be journaled as new.
    let isNew: Bool

    /// - Parameter inForce: what the journal says; nil in a new one.
    init(_ source: SpaceSource, store: SpaceStore, inForce: SpaceSnapshot?) throws {
        switch source {
        case .files(let wanted):
            try store.expectUnsigned(under: nil, over: inForce)
            signature = SignedSpace.noSignature
            guard let inForce else {
                snapshot = try SpaceSnapshot(wanted)
                isNew = true
                return
            }
            let next = try SpaceSnapshot(wanted, after: inForce)
            isNew = next.space != inForce.space
            snapshot = isNew ? next : inForce
        case .signed(let given, let authority):
            let newest = try Self.newest(given, store.read(), authority)
            snapshot = newest.snapshot
            signature = newest.signature
            isNew = try Self.isNew(newest.snapshot, after: inForce)
        }
    }

    private static func newest(
        _ given: SignedSpace?, _ kept: SignedSpace?, _ authority: VerifyingKey
    ) throws(BrokerError) -> SignedSpace {
        if let given, !given.isSigned(by: authority) {
            throw BrokerError(
                "the signed space that was given is not signed by the pinned authority",
                remedy: "sign it with the secret half of the file named with --authority, or name the right file")
        }
        // What was kept under another authority counts no more: the operator changed it.
        let kept = kept.flatMap { $0.isSigned(by: authority) ? $0 : nil }
        guard let given else {
            if let kept { return kept }
            throw BrokerError(
                "there is an authority and no space that it signed",
                remedy:
                    "kerege space sign DIR --authority authority.key -o space.signed, then --signed-space space.signed")
        }
        guard let kept else { return given }
        if given.snapshot.version == kept.snapshot.version, given.snapshot.digest != kept.snapshot.digest {
            throw BrokerError(
                "there are two signed spaces of version \(given.snapshot.version)",
                remedy: "sign the right one again: kerege space sign DIR --authority authority.key --after "
                    + "DATA/space.signed -o space.signed")
        }
        return given.snapshot.version > kept.snapshot.version ? given : kept
    }

    private static let signAnew =
        "sign it after what the journal has: kerege space sign DIR --authority authority.key --after DATA -o "
        + "space.signed, then --signed-space space.signed"

    private static func isNew(_ newest: SpaceSnapshot, after inForce: SpaceSnapshot?) throws(BrokerError) -> Bool {
        guard let inForce else { return true }
        switch newest.succession(to: inForce) {
        case .same: return false
        case .follows, .skips: return true
        case .rolledBack(let from, let to):
            throw BrokerError(
                "the signed space is version \(to), and version \(from) was in force here",
                remedy: "give the newest one with --signed-space FILE; where nobody signed that version: \(signAnew)")
        case .forked(let version):
            throw BrokerError(
                "version \(version) of the signed space does not follow what was in force here",
                remedy: signAnew)
        }
    }
}
