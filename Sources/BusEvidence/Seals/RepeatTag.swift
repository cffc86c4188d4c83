package import BusProtocol
import Crypto

/// The secret of a system with which it marks what it sends, so that it knows it again when it is sealed anew. Shared by the agents of
/// the system and given to nobody: who has it can try bodies. The same before and after the seal key was renewed.
package struct RepeatSecret: Sendable {
    package static let size = 32
    fileprivate let key: SymmetricKey

    /// A new secret.
    package init() { key = SymmetricKey(size: .bits256) }

    /// Of a system that has a seal key and no secret of its own: all who have the key come to the same.
    package init(derivedFrom key: SystemKey) {
        let words = Domain.repeatSecret.bytes
        let code = HMAC<SHA256>.authenticationCode(for: words, using: SymmetricKey(data: key.seed))
        self.key = SymmetricKey(data: code)
    }

    /// `nil` when there are not exactly 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// The secret itself, for a file of mode 0600.
    package var bytes: [UInt8] { key.withUnsafeBytes { Array($0) } }
}

/// Tells a broker that two sealed messages of one id are the same message, though each was sealed anew: it stands in the header, and
/// says nothing of the body to anybody without the sender's secret.
package enum RepeatTag {
    /// Of the extension of the header.
    package static let type: UInt16 = 2
    package static let size = 16

    /// - Parameter target: service or event.
    package static func make(_ id: MessageID, target: String, _ body: [UInt8], with secret: RepeatSecret) -> [UInt8] {
        let key = HMAC<SHA256>.authenticationCode(for: Domain.repeatTag.bytes, using: secret.key)
        var code = HMAC<SHA256>(key: SymmetricKey(data: key))
        code.update(data: withUnsafeBytes(of: id.value.bigEndian) { Array($0) })
        code.update(data: Array(target.utf8) + [0])
        code.update(data: body)
        return Array(code.finalize().prefix(size))
    }
}
