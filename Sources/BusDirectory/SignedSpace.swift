package import BusEvidence
import BusProtocol

/// A snapshot with the authority's word for it. Only who holds the authority's secret makes one, and it is never on the bus: a
/// broker that was taken over can show an old space, and agents notice, but none of its own.
package struct SignedSpace: Sendable, Equatable {
    private static let magic = "kerege-signed-space/1 "
    /// What a broker without an authority sends in the place of a signature.
    package static let noSignature = [UInt8](repeating: 0, count: SpaceSignature.size)

    package let snapshot: SpaceSnapshot
    /// 64 bytes.
    package let signature: [UInt8]

    package init(_ snapshot: SpaceSnapshot, signature: [UInt8]) {
        self.snapshot = snapshot
        self.signature = signature
    }

    /// Signs a snapshot.
    package init(_ snapshot: SpaceSnapshot, by authority: SigningKey) {
        self.init(snapshot, signature: SpaceSignature.make(of: snapshot.canonical, by: authority))
    }

    package func isSigned(by authority: VerifyingKey) -> Bool {
        SpaceSignature.holds(signature, of: snapshot.canonical, by: authority)
    }

    // MARK: - As a file

    /// Larger ones are not read, bytes.
    package static let fileLimit = SpaceSnapshot.byteLimit + 256

    /// One line with the format and the signature in hexadecimal, then the canonical bytes to the end.
    package var file: [UInt8] {
        Array("\(Self.magic)\(signature.hex)\n".utf8) + snapshot.canonical
    }

    /// Whether the text begins like a signed space rather than like a file of YAML.
    package static func isFile(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: magic.utf8) }

    /// Reads a file; nothing is believed before `isSigned`.
    package init(file bytes: [UInt8]) throws(SnapshotError) {
        guard Self.isFile(bytes), let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            throw .unreadable("it does not begin with `\(Self.magic)`")
        }
        let hex = String(decoding: bytes[Self.magic.utf8.count..<end], as: UTF8.self)
        guard let signature = [UInt8](hex: hex), signature.count == SpaceSignature.size else {
            throw .unreadable("its signature is not 128 hexadecimal digits")
        }
        self.init(try SpaceSnapshot(canonical: Array(bytes[(end + 1)...])), signature: signature)
    }
}

/// Who may change the space, and what its holder has seen of it. The same rule for a broker that is given a space and for an
/// agent that is sent one.
package struct SpaceTrust: Sendable {
    /// Nil: nobody is pinned, and whatever comes is believed.
    package let authority: VerifyingKey?
    /// The newest that was taken.
    package private(set) var held: SignedSpace?

    package init(authority: VerifyingKey?, held: SignedSpace? = nil) {
        self.authority = authority
        self.held = held
    }

    package enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        case notSigned
        case unreadable(SnapshotError)
        case rolledBack(from: UInt64, to: UInt64)
        case forked(at: UInt64)

        package var description: String {
            switch self {
            case .notSigned: "the space is not signed by the authority that is pinned here"
            case .unreadable(let error): "\(error)"
            case .rolledBack(let from, let to): "version \(to) of the space is older than version \(from), seen before"
            case .forked(let version): "version \(version) of the space does not follow the one seen before"
            }
        }
    }

    /// Takes a space, or says why not.
    /// - Returns: whether it is another one than held before.
    package mutating func take(_ offered: SignedSpace) throws(Refusal) -> Bool {
        if let authority, !offered.isSigned(by: authority) { throw .notSigned }
        return try adopt(offered)
    }

    /// Takes the bytes of a space as they came over the wire; what is not signed is never parsed.
    package mutating func take(signature: [UInt8], canonical: [UInt8]) throws(Refusal) -> Bool {
        if let authority, !SpaceSignature.holds(signature, of: canonical, by: authority) { throw .notSigned }
        let snapshot: SpaceSnapshot
        do throws(SnapshotError) { snapshot = try SpaceSnapshot(canonical: canonical) } catch {
            throw .unreadable(error)
        }
        return try adopt(SignedSpace(snapshot, signature: signature))
    }

    private mutating func adopt(_ offered: SignedSpace) throws(Refusal) -> Bool {
        // Without an authority there is no history to hold anybody to.
        if authority != nil, let held {
            switch offered.snapshot.succession(to: held.snapshot) {
            case .same: return false
            case .follows, .skips: break
            case .rolledBack(let from, let to): throw .rolledBack(from: from, to: to)
            case .forked(let version): throw .forked(at: version)
            }
        }
        let isNew = held?.snapshot.digest != offered.snapshot.digest
        held = offered
        return isNew
    }
}
