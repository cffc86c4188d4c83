import BusProtocol
import Crypto
import Foundation

/// The secret under which a provider and its authorised consumers make order keys: messages about one object are told to be so
/// without telling which object. Wrapped for each of them like a content key.
package struct OrderSecret: Sendable {
    /// The provider's system, in whose name the secret is.
    package let system: String
    package let id: UInt64
    private let secret: SymmetricKey

    /// A new secret.
    package init(system: String) { self.init(system: system, SymmetricKey(size: .bits256)) }

    /// Of a system that has a seal key and no secret of its own: all who have the key come to the same.
    package init(system: String, derivedFrom key: SystemKey) {
        let code = HMAC<SHA256>.authenticationCode(
            for: Domain.orderSecret.bytes, using: SymmetricKey(data: key.seed))
        self.init(system: system, SymmetricKey(data: code))
    }

    /// `nil` when there are not exactly 32 bytes.
    package init?(system: String, bytes: [UInt8]) {
        guard bytes.count == KeyWrap.secretSize else { return nil }
        self.init(system: system, SymmetricKey(data: bytes))
    }

    /// The secret itself, for a file of mode 0600.
    package var bytes: [UInt8] { secret.withUnsafeBytes { Array($0) } }

    private init(system: String, _ secret: SymmetricKey) {
        self.system = system
        self.secret = secret
        id = Self.purpose(system).id(secret)
    }

    private static func purpose(_ system: String) -> KeyWrap.Purpose {
        KeyWrap.Purpose(words: .orderSecretWrap, idWords: .orderSecretID, name: system)
    }

    /// Its id as the space states it, 16 hexadecimal digits.
    package var name: String { KeyID(value: id).description }

    /// For one system's key, 1,192 bytes.
    package func wrapped(for recipient: SystemPublicKey) throws(SealFault) -> [UInt8] {
        try KeyWrap.wrap(secret, Self.purpose(system), for: recipient)
    }

    package init(
        unwrapping bytes: some Collection<UInt8>, system: String, with keyOf: (KeyID) -> SystemKey?
    ) throws(SealFault) {
        self.init(system: system, try KeyWrap.unwrap(bytes, Self.purpose(system), with: keyOf))
    }

    /// The order key of a value, given as its canonical JSON (`Schemas/wire.md`, section 9). Never 0.
    package func orderKey(of value: some Sequence<UInt8>) -> UInt128 {
        Pseudonym.make(.orderKey, Array(system.utf8) + [0] + Array(value), with: secret)
    }
}

/// A provider agent's own key for subject references: who asked about one person can be counted, and the person not be named.
/// Nobody else has it, so it is a secret to be kept with the agent's keys.
package struct SubjectKey: Sendable {
    package static let size = 32
    private let secret: SymmetricKey

    /// A new key.
    package init() { secret = SymmetricKey(size: .bits256) }

    /// `nil` when there are not exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        secret = SymmetricKey(data: bytes)
    }

    package var bytes: [UInt8] { secret.withUnsafeBytes { Array($0) } }

    /// The pseudonym of a person at a provider's system, by the identifier that the provider uses. Never 0.
    package func reference(to subject: some Sequence<UInt8>, at system: String) -> UInt128 {
        Pseudonym.make(.subject, Array(system.utf8) + [0] + Array(subject), with: secret)
    }
}

/// The first 16 bytes of HMAC-SHA-256; 1 in the place of 0, which means "none" on the wire.
private enum Pseudonym {
    static func make(_ domain: Domain, _ bytes: [UInt8], with secret: SymmetricKey) -> UInt128 {
        let code = HMAC<SHA256>.authenticationCode(for: domain.bytes + bytes, using: secret)
        let value = code.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        return value == 0 ? 1 : value
    }
}
