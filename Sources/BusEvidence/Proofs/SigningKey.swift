import BusProtocol
import CSodium

/// Short name of a public key: the first 8 bytes of H(domain ‖ key), on the wire as they are.
@usableFromInline
package struct KeyID: Hashable, Sendable, CustomStringConvertible {
    @inlinable package static var size: Int { 8 }
    /// The 8 bytes as a number of the wire, little endian.
    @usableFromInline package let value: UInt64

    @inlinable
    package init(value: UInt64) { self.value = value }

    @inlinable
    package static func == (a: KeyID, b: KeyID) -> Bool { a.value == b.value }

    @inlinable
    package func hash(into hasher: inout Hasher) { hasher.combine(value) }

    init(_ domain: Domain, _ publicKey: [UInt8]) {
        let digest = (domain.bytes + publicKey).withUnsafeBytes { LogHash.body($0) }
        value = UInt64(littleEndian: digest.a)
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    @usableFromInline package var description: String { bytes.hex }
}

/// The Ed25519 key (RFC 8032) of an agent, of a broker's log or of a space's authority. Its seed is a secret: it is never described.
package struct SigningKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static let seedSize = 32
    private let secret: GuardedSecret
    package let publicKey: VerifyingKey

    /// A new key.
    package init() {
        var random = SystemRandomNumberGenerator()
        self.init((0..<Self.seedSize).map { _ in UInt8.random(in: .min ... .max, using: &random) }[...])
    }

    /// `nil` when there are not exactly 32 bytes.
    package init?(seed: [UInt8]) {
        guard seed.count == Self.seedSize else { return nil }
        self.init(seed[...])
    }

    private init(_ seed: ArraySlice<UInt8>) {
        var publicKey = [UInt8](repeating: 0, count: VerifyingKey.size)
        secret = GuardedSecret(size: Int(crypto_sign_ed25519_SECRETKEYBYTES)) { secret in
            _ = crypto_sign_ed25519_seed_keypair(&publicKey, secret, Array(seed))
        }
        self.publicKey = VerifyingKey(checked: publicKey)
    }

    /// libsodium's form of the secret begins with the seed.
    package var seed: [UInt8] { secret.reading { [UInt8](UnsafeBufferPointer(start: $0, count: Self.seedSize)) } }
    package var id: KeyID { publicKey.id }

    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }

    /// 64 bytes. `statement` begins with the words of its domain.
    func sign(_ statement: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: VerifyingKey.signatureSize)
        // It has no way to fail: everything it needs is here.
        secret.reading { secret in
            _ = crypto_sign_ed25519_detached(&signature, nil, statement, UInt64(statement.count), secret)
        }
        return signature
    }
}

/// The public half of a `SigningKey`. Kept inline, as it is compared and copied for every message.
package struct VerifyingKey: Sendable, Hashable {
    package static let size = 32
    package static let signatureSize = 64
    /// Its 32 bytes.
    private let key: Digest32
    package let id: KeyID

    package var bytes: [UInt8] { key.bytes }

    /// `nil` when there are not exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        self.init(checked: bytes)
    }

    fileprivate init(checked bytes: [UInt8]) {
        key = bytes.withUnsafeBytes { Digest32(in: $0, at: 0) }
        id = KeyID(.signingKey, bytes)
    }

    func isSignature(_ signature: some Collection<UInt8>, of statement: [UInt8]) -> Bool {
        let signature = Array(signature)
        // It reads 64 bytes, whatever there are.
        guard signature.count == Self.signatureSize else { return false }
        return withUnsafePointer(to: key) { key in
            // The 32 bytes are read as such, while `key` is borrowed.
            let bytes = UnsafeRawPointer(key).assumingMemoryBound(to: UInt8.self)
            return crypto_sign_ed25519_verify_detached(signature, statement, UInt64(statement.count), bytes) == 0
        }
    }

    package static func == (a: VerifyingKey, b: VerifyingKey) -> Bool { a.key == b.key }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
