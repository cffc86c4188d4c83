import CCrypto
import Crypto
import Synchronization

/// AES-256-GCM (NIST SP 800-38D) under one key. OpenSSL's, because it keeps the key's schedule from message to message and writes where
/// it is told; swift-crypto's takes both anew for every message.
final class SealCipher: Sendable {
    static let tagSize = 16
    private static let nonceSize = 12

    /// One direction of the cipher. Unchecked: OpenSSL's contexts belong to no thread, and the lock gives them to one at a time.
    private struct Context: @unchecked Sendable {
        let pointer: OpaquePointer

        init(_ key: SymmetricKey, encrypting: Bool) {
            guard let pointer = EVP_CIPHER_CTX_new() else { preconditionFailure("no memory for a cipher") }
            self.pointer = pointer
            let isSet = key.withUnsafeBytes { key in
                let key = key.bindMemory(to: UInt8.self).baseAddress
                return EVP_CipherInit_ex(pointer, EVP_aes_256_gcm(), nil, key, nil, encrypting ? 1 : 0) == 1
            }
            precondition(isSet, "AES-256-GCM takes keys of 32 bytes")
        }
    }

    private let sealing: Mutex<Context>
    private let opening: Mutex<Context>

    /// - Parameter key: 32 bytes.
    init(_ key: SymmetricKey) {
        precondition(key.bitCount == 256, "AES-256-GCM takes keys of 32 bytes")
        sealing = Mutex(Context(key, encrypting: true))
        opening = Mutex(Context(key, encrypting: false))
    }

    deinit {
        sealing.withLock { EVP_CIPHER_CTX_free($0.pointer) }
        opening.withLock { EVP_CIPHER_CTX_free($0.pointer) }
    }

    /// - Returns: `body` encrypted, and the tag behind it.
    func seal(_ body: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, counter: UInt64) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: body.count + Self.tagSize) { out, count in
            let sealed = sealing.withLock { context in
                Self.begin(context.pointer, header, counter)
                    && Self.update(context.pointer, body, into: out.baseAddress)
                    && Self.end(context.pointer)
                    && Self.getTag(context.pointer, into: out.baseAddress.map { $0 + body.count })
            }
            // Nothing that a sender gives can make it fail, and an open body must not leave in its place.
            precondition(sealed, "AES-256-GCM could not seal")
            count = body.count + Self.tagSize
        }
    }

    /// - Parameter body: encrypted, with its tag.
    /// - Returns: `nil` where header, body, counter or key is not the one it was sealed with.
    func open(_ body: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, counter: UInt64) -> [UInt8]? {
        guard body.count >= Self.tagSize else { return nil }
        let size = body.count - Self.tagSize
        var isAuthentic = false
        let opened = [UInt8](unsafeUninitializedCapacity: size) { out, count in
            let encrypted = UnsafeRawBufferPointer(rebasing: body[..<size])
            isAuthentic = opening.withLock { context in
                Self.begin(context.pointer, header, counter)
                    && Self.update(context.pointer, encrypted, into: out.baseAddress)
                    && Self.setTag(context.pointer, from: UnsafeRawBufferPointer(rebasing: body[size...]))
                    && Self.end(context.pointer)
            }
            count = isAuthentic ? size : 0
        }
        return isAuthentic ? opened : nil
    }

    // MARK: - Steps

    /// The nonce is four zero bytes and the counter, big endian; the header is authenticated.
    private static func begin(_ context: OpaquePointer, _ header: UnsafeRawBufferPointer, _ counter: UInt64) -> Bool {
        let hasNonce = withUnsafeTemporaryAllocation(byteCount: nonceSize, alignment: 8) { nonce in
            nonce.initializeMemory(as: UInt8.self, repeating: 0)
            nonce.storeBytes(of: counter.bigEndian, toByteOffset: nonceSize - 8, as: UInt64.self)
            let bytes = nonce.bindMemory(to: UInt8.self).baseAddress
            return EVP_CipherInit_ex(context, nil, nil, nil, bytes, -1) == 1
        }
        return hasNonce && update(context, header, into: nil)
    }

    /// - Parameter out: `nil` for what is authenticated and not encrypted.
    private static func update(
        _ context: OpaquePointer, _ bytes: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<UInt8>?
    ) -> Bool {
        guard !bytes.isEmpty else { return true }
        var written: Int32 = 0
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        return EVP_CipherUpdate(context, out, &written, start, Int32(bytes.count)) == 1 && written == Int32(bytes.count)
    }

    private static func getTag(_ context: OpaquePointer, into out: UnsafeMutablePointer<UInt8>?) -> Bool {
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagSize), out) == 1
    }

    /// The call is one for both ways, so its pointer is mutable: here OpenSSL copies the bytes and writes none.
    private static func setTag(_ context: OpaquePointer, from tag: UnsafeRawBufferPointer) -> Bool {
        let start = UnsafeMutableRawPointer(mutating: tag.baseAddress)
        return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagSize), start) == 1
    }

    /// Writes nothing: the mode has no blocks to fill.
    private static func end(_ context: OpaquePointer) -> Bool {
        var (rest, written): (UInt64, Int32) = (0, 0)
        return withUnsafeMutableBytes(of: &rest) {
            EVP_CipherFinal_ex(context, $0.bindMemory(to: UInt8.self).baseAddress, &written) == 1
        }
    }
}
