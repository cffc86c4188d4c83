import BusProtocol
import Crypto

/// Short name of a public key: the first 8 bytes of H(domain ‖ key), on the wire as they are.
package struct KeyID: Hashable, Sendable, CustomStringConvertible {
    package static let size = 8
    /// The 8 bytes as a number of the wire, little endian.
    package let value: UInt64

    package init(value: UInt64) { self.value = value }

    init(_ domain: Domain, _ publicKey: [UInt8]) {
        let digest = Digest32(SHA256.hash(data: domain.bytes + publicKey))
        value = UInt64(littleEndian: digest.a)
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    package var description: String { bytes.hex }
}

/// The Ed25519 key of an agent, of a broker's log or of a space's authority. Its seed is a secret: it is never described.
package struct SigningKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static let seedSize = 32
    private let key: Curve25519.Signing.PrivateKey
    package let publicKey: VerifyingKey

    /// A new key.
    package init() { self.init(Curve25519.Signing.PrivateKey()) }

    /// `nil` when there are not exactly 32 bytes.
    package init?(seed: [UInt8]) {
        guard seed.count == Self.seedSize, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
            return nil
        }
        self.init(key)
    }

    private init(_ key: Curve25519.Signing.PrivateKey) {
        self.key = key
        publicKey = VerifyingKey(key.publicKey)
    }

    package var seed: [UInt8] { Array(key.rawRepresentation) }
    package var id: KeyID { publicKey.id }

    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }

    /// 64 bytes. `statement` begins with the words of its domain.
    func sign(_ statement: [UInt8]) -> [UInt8] {
        // Signing fails only where memory cannot be had, and then nothing else goes on either.
        guard let signature = try? key.signature(for: statement) else { preconditionFailure("Ed25519 could not sign") }
        return Array(signature)
    }
}

/// The public half of a `SigningKey`.
package struct VerifyingKey: Sendable, Hashable {
    package static let size = 32
    package static let signatureSize = 64
    private let key: Curve25519.Signing.PublicKey
    package let bytes: [UInt8]
    package let id: KeyID

    /// `nil` when there are not exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else {
            return nil
        }
        self.init(key)
    }

    fileprivate init(_ key: Curve25519.Signing.PublicKey) {
        self.key = key
        bytes = Array(key.rawRepresentation)
        id = KeyID(.signingKey, bytes)
    }

    func isSignature(_ signature: some Collection<UInt8>, of statement: [UInt8]) -> Bool {
        key.isValidSignature(Array(signature), for: statement)
    }

    package static func == (a: VerifyingKey, b: VerifyingKey) -> Bool { a.bytes == b.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
