import Crypto
import Foundation

/// The public half of an Ed25519 key: of an agent, of the broker's log, or of the authority that signs the space.
package struct SigningKey: Sendable, Hashable, CustomStringConvertible {
    package static let byteCount = 32
    package static let signatureByteCount = 64
    private static let domain = "kerege signing key v1"

    package let bytes: [UInt8]

    /// Nil unless there are exactly 32 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    /// 64 hexadecimal digits of either case, or 43 characters of base64url; nil for anything else.
    package init?(_ text: String) {
        guard let bytes = Hexadecimal.bytes(text) ?? Base64URL.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// 64 lower-case hexadecimal digits: the one form in which a snapshot holds it.
    package var description: String { Hexadecimal.text(bytes) }

    /// How messages name the key that signed them.
    package var id: UInt64 { KeyID.of(bytes, Self.domain) }

    package func isSignature(_ signature: some Collection<UInt8>, over message: [UInt8]) -> Bool {
        guard signature.count == Self.signatureByteCount,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { return false }
        return key.isValidSignature(Array(signature), for: message)
    }
}

/// The secret half. Its own type, so that it cannot be shown, logged, compared or sent where a public key belongs.
package struct SigningSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let key: Curve25519.Signing.PrivateKey

    /// A new random key.
    package init() { key = Curve25519.Signing.PrivateKey() }

    /// Nil unless the text is 43 characters of base64url.
    package init?(_ text: String) {
        guard let bytes = Base64URL.decode(text),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    package var publicKey: SigningKey {
        // An Ed25519 public key has 32 bytes always.
        SigningKey(bytes: Array(key.publicKey.rawRepresentation))!
    }

    package func signature(over message: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: message)) }

    /// For its file, and for nothing else.
    package func reveal() -> String { Base64URL.encode(key.rawRepresentation) }
    /// For whoever signs with it.
    package func revealBytes() -> [UInt8] { Array(key.rawRepresentation) }

    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The public half of the key to which a system's messages are sealed: X-Wing (X25519 and ML-KEM-768).
package struct SealingKey: Sendable, Hashable, CustomStringConvertible {
    package static let byteCount = 1216
    private static let domain = "kerege system key v1"

    package let bytes: [UInt8]

    /// Nil unless there are exactly 1,216 bytes that are a key.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount,
            (try? XWingMLKEM768X25519.PublicKey(rawRepresentation: Data(bytes))) != nil
        else { return nil }
        self.bytes = Array(bytes)
    }

    /// Nil unless the text is 1,622 characters of base64url.
    package init?(_ text: String) {
        guard let bytes = Base64URL.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    package var description: String { Base64URL.encode(bytes) }
    package var id: UInt64 { KeyID.of(bytes, Self.domain) }
}

/// The secret half of a seal key: its seed of 32 bytes.
package struct SealingSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let seed: [UInt8]
    package let publicKey: SealingKey

    /// A new random key.
    package init() throws { try self.init(XWingMLKEM768X25519.PrivateKey()) }

    /// Nil unless the text is 43 characters of base64url.
    package init?(_ text: String) {
        guard let seed = Base64URL.decode(text), seed.count == 32,
            let key = try? XWingMLKEM768X25519.PrivateKey(seedRepresentation: seed, publicKey: nil),
            let made = try? SealingSecret(key)
        else { return nil }
        self = made
    }

    private init(_ key: XWingMLKEM768X25519.PrivateKey) throws {
        guard let publicKey = SealingKey(bytes: Array(key.publicKey.rawRepresentation)) else {
            throw CryptoKitError.incorrectParameterSize
        }
        seed = Array(key.seedRepresentation)
        self.publicKey = publicKey
    }

    package func reveal() -> String { Base64URL.encode(seed) }
    package func revealBytes() -> [UInt8] { seed }

    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// How keys are named where their 32 or 1,216 bytes would be too long.
package enum KeyID {
    /// The first 8 bytes of SHA-256(domain ‖ 0x00 ‖ public key), little endian: as the wire and `BusEvidence` have it.
    static func of(_ key: [UInt8], _ domain: String) -> UInt64 {
        var hash = SHA256()
        hash.update(data: Array(domain.utf8) + [0])
        hash.update(data: key)
        return hash.finalize().prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// 16 hexadecimal digits, for people.
    package static func text(_ id: UInt64) -> String {
        Hexadecimal.text((0..<8).map { UInt8(truncatingIfNeeded: id >> UInt64(8 * $0)) })
    }
}

enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Nil when a character is no digit or one is missing.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        guard digits.count % 2 == 0, digits.allSatisfy({ $0 != nil }) else { return nil }
        let values = digits.compactMap(\.self)
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
