package import BusProtocol
import Crypto

/// Tells a broker that two sealed messages of one id are the same message, though each was sealed anew: it stands in the header, and is
/// made with the secret of the sender's system that outlives its seal keys, so that it says nothing of the body to anybody else.
package enum RepeatTag {
    /// Of the extension of the header.
    package static let type: UInt16 = 2
    package static let size = 16

    /// - Parameter target: service or event.
    package static func make(_ id: MessageID, target: String, _ body: [UInt8], with secret: OrderSecret) -> [UInt8] {
        let words = Domain.repeatTag.bytes
        let key = HMAC<SHA256>.authenticationCode(for: words, using: SymmetricKey(data: secret.bytes))
        var code = HMAC<SHA256>(key: SymmetricKey(data: key))
        code.update(data: withUnsafeBytes(of: id.value.bigEndian) { Array($0) })
        code.update(data: Array(target.utf8) + [0])
        code.update(data: body)
        return Array(code.finalize().prefix(size))
    }
}
