import BusProtocol
import Crypto
import Foundation

/// A sealed body: AES-256-GCM under the epoch's key, the header as associated data, the tag of 16 bytes behind it. The nonce is
/// four zero bytes and the counter, big endian.
enum SealedBody {
    static let tagSize = 16

    static func seal(_ body: [UInt8], header: [UInt8], counter: UInt64, with key: SymmetricKey) -> [UInt8] {
        guard let nonce = nonce(counter),
            let sealed = try? AES.GCM.seal(body, using: key, nonce: nonce, authenticating: header)
        else { preconditionFailure("AES-256-GCM could not seal") }
        // Copied as one piece each: an array made from a slice of `Data` is filled byte by byte.
        return [UInt8](unsafeUninitializedCapacity: body.count + tagSize) { out, count in
            for part in [sealed.ciphertext, sealed.tag] {
                part.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(out)[count...]).copyMemory(
                        from: bytes)
                    count += bytes.count
                }
            }
        }
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
        return opened.withUnsafeBytes { [UInt8]($0) }
    }

    private static func nonce(_ counter: UInt64) -> AES.GCM.Nonce? {
        var bytes = [UInt8](repeating: 0, count: 12)
        withUnsafeBytes(of: counter.bigEndian) { bytes.replaceSubrange(4..., with: $0) }
        return try? AES.GCM.Nonce(data: bytes)
    }
}
