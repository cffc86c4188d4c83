import BusProtocol
import Crypto
import Foundation

/// The private key of a system, shared by the agents that serve it: X-Wing, which is ML-KEM-768 and X25519 together, so that
/// what is sealed today stays closed to the computers of tomorrow. Its seed is a secret: it is never described.
package struct SystemKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static let seedSize = 32
    let key: XWingMLKEM768X25519.PrivateKey
    package let publicKey: SystemPublicKey

    /// A new key.
    package init() throws(SealFault) {
        guard let key = try? XWingMLKEM768X25519.PrivateKey() else { throw .malformedKey }
        self.init(key)
    }

    package init(seed: [UInt8]) throws(SealFault) {
        guard seed.count == Self.seedSize,
            let key = try? XWingMLKEM768X25519.PrivateKey(seedRepresentation: seed, publicKey: nil)
        else { throw .malformedKey }
        self.init(key)
    }

    private init(_ key: XWingMLKEM768X25519.PrivateKey) {
        self.key = key
        publicKey = SystemPublicKey(key.publicKey)
    }

    package var seed: [UInt8] { Array(key.seedRepresentation) }
    package var id: KeyID { publicKey.id }

    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The public half of a `SystemKey`.
package struct SystemPublicKey: Sendable, Hashable {
    package static let size = 1216
    let key: XWingMLKEM768X25519.PublicKey
    package let bytes: [UInt8]
    package let id: KeyID

    package init(_ bytes: [UInt8]) throws(SealFault) {
        guard bytes.count == Self.size, let key = try? XWingMLKEM768X25519.PublicKey(rawRepresentation: bytes) else {
            throw .malformedKey
        }
        self.init(key)
    }

    fileprivate init(_ key: XWingMLKEM768X25519.PublicKey) {
        self.key = key
        bytes = Array(key.rawRepresentation)
        id = KeyID(.systemKey, bytes)
    }

    package static func == (a: SystemPublicKey, b: SystemPublicKey) -> Bool { a.bytes == b.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
