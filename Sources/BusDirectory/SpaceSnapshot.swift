import Crypto
import Foundation

/// SHA-256 of the canonical bytes of a snapshot.
package struct SpaceDigest: Sendable, Hashable, Codable, LosslessStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let description: String

    package init?(_ description: String) {
        guard Identifiers.isHex32(description) else { return nil }
        self.description = description
    }

    init(of bytes: [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        let hex = SHA256.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        description = String(decoding: hex, as: UTF8.self)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = SpaceDigest(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a SHA-256 digest in hexadecimal")
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        let nibbles = description.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}

/// One version of the space, linked to the one before it. What is signed and sent is `canonical`; it holds the version, the
/// digest of the previous snapshot and the space, so the digest fixes the whole history.
package struct SpaceSnapshot: Sendable, Equatable {
    /// Counts from 1.
    package let version: UInt64
    /// Nil for version 1 only.
    package let previousDigest: SpaceDigest?
    package let space: Space
    /// `{"format":"kerege-space/1","previous":…,"space":{…},"version":n}` in canonical JSON; members without a value are left
    /// out, so version 1 has no `previous`.
    package let canonical: [UInt8]
    package let digest: SpaceDigest

    package static let format = "kerege-space/1"
    /// Of the canonical bytes: a snapshot travels in one frame of the wire (4 MiB) with its signature.
    package static let byteLimit = (4 << 20) - 256

    private struct Body: Codable {
        var format: String
        var version: UInt64
        var previous: SpaceDigest?
        var space: Space
    }

    /// The next version after `previous`, or version 1.
    ///
    /// - Throws: `SnapshotError.tooLarge`.
    package init(_ space: Space, after previous: SpaceSnapshot? = nil) throws(SnapshotError) {
        try self.init(
            Body(
                format: Self.format, version: (previous?.version ?? 0) + 1, previous: previous?.digest,
                space: space.inOrder))
    }

    /// Reads a snapshot that was sent or stored. Signatures are checked by the caller, over the same bytes.
    ///
    /// - Throws: `SnapshotError` when the bytes are not exactly what this module writes for what they say.
    package init(canonical: [UInt8]) throws(SnapshotError) {
        guard canonical.count <= Self.byteLimit else { throw .tooLarge(bytes: canonical.count) }
        let body: Body
        do {
            body = try JSONDecoder().decode(Body.self, from: Data(canonical))
        } catch {
            throw .unreadable("\(error)")
        }
        guard body.format == Self.format else { throw .unknownFormat(body.format) }
        guard body.version > 0, (body.version == 1) == (body.previous == nil) else {
            throw .unreadable("version \(body.version) \(body.previous == nil ? "without" : "with") a previous digest")
        }
        try self.init(
            Body(format: body.format, version: body.version, previous: body.previous, space: body.space.inOrder))
        // Bytes that mean the same but look different would have another digest for the same space.
        guard self.canonical == canonical else { throw .notCanonical }
    }

    private init(_ body: Body) throws(SnapshotError) {
        let bytes: [UInt8]
        do {
            bytes = try CanonicalEncoder.encode(body).bytes
        } catch {
            throw .unreadable("\(error)")
        }
        guard bytes.count <= Self.byteLimit else { throw .tooLarge(bytes: bytes.count) }
        version = body.version
        previousDigest = body.previous
        space = body.space
        canonical = bytes
        digest = SpaceDigest(of: bytes)
    }
}

package enum SnapshotError: Error, Equatable, CustomStringConvertible {
    case tooLarge(bytes: Int)
    case unreadable(String)
    case unknownFormat(String)
    case notCanonical

    package var description: String {
        switch self {
        case .tooLarge(let bytes):
            "the snapshot has \(bytes) bytes, the limit is \(SpaceSnapshot.byteLimit); make the space smaller"
        case .unreadable(let reason): "the snapshot cannot be read: \(reason); ask the broker for it again"
        case .unknownFormat(let format):
            "the snapshot has format `\(format)`, this program reads `\(SpaceSnapshot.format)`; install a newer version"
        case .notCanonical: "the snapshot is not canonical JSON; ask the broker for it again"
        }
    }
}

/// How an offered snapshot stands to the one already held.
package enum SpaceSuccession: Sendable, Equatable {
    /// The same one again.
    case same
    /// The next version, linked to the held one.
    case follows
    /// Newer by more than one version: the link cannot be checked without those between, only the signature speaks for it.
    case skips(versions: UInt64)
    /// Older than the held one.
    case rolledBack(from: UInt64, to: UInt64)
    /// The same version with other contents, or the next version linked to another history.
    case forked(at: UInt64)

    /// Whether a holder may take it, given a valid signature of the authority.
    package var mayReplace: Bool {
        switch self {
        case .same, .follows, .skips: true
        case .rolledBack, .forked: false
        }
    }
}

extension SpaceSnapshot {
    /// The roll-back rule, from the version and digest that a holder has pinned. It needs no more than those two, so an
    /// agent stores 40 bytes to stay safe over restarts.
    package func succession(toVersion pinned: UInt64, digest pinnedDigest: SpaceDigest) -> SpaceSuccession {
        if version < pinned { return .rolledBack(from: pinned, to: version) }
        if version == pinned { return digest == pinnedDigest ? .same : .forked(at: version) }
        if version - pinned == 1 { return previousDigest == pinnedDigest ? .follows : .forked(at: version) }
        return .skips(versions: version - pinned - 1)
    }

    package func succession(to held: SpaceSnapshot) -> SpaceSuccession {
        succession(toVersion: held.version, digest: held.digest)
    }
}
