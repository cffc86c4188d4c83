import BusProtocol
import Crypto
import Foundation

/// A sealed body: AES-256-GCM under the epoch's key, the header as associated data, the tag of 16 bytes behind it. The nonce is
/// four zero bytes and the counter, big endian.
enum SealedBody {
    static let tagSize = 16

    static func seal(_ body: [UInt8], header: [UInt8], counter: UInt64, with key: SymmetricKey) -> [UInt8] {
        guard let nonce = nonce(counter),
            let sealed = try? AES.GCM.seal(body, using: key, nonce: nonce, authenticating: header).combined
        else { preconditionFailure("AES-256-GCM could not seal") }
        return Array(sealed.dropFirst(nonceSize))
    }

    /// `nil` where header, body, counter or key is not the one it was sealed with.
    static func open(
        _ body: ArraySlice<UInt8>, header: ArraySlice<UInt8>, counter: UInt64, with key: SymmetricKey
    ) -> [UInt8]? {
        guard body.count >= tagSize, let nonce = nonce(counter),
            let box = try? AES.GCM.SealedBox(
                nonce: nonce, ciphertext: body.dropLast(tagSize), tag: body.suffix(tagSize)),
            let opened = try? AES.GCM.open(box, using: key, authenticating: header)
        else { return nil }
        return Array(opened)
    }

    private static let nonceSize = 12

    private static func nonce(_ counter: UInt64) -> AES.GCM.Nonce? {
        var bytes = [UInt8](repeating: 0, count: nonceSize)
        withUnsafeBytes(of: counter.bigEndian) { bytes.replaceSubrange(4..., with: $0) }
        return try? AES.GCM.Nonce(data: bytes)
    }
}
