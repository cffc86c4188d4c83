import CCrypto

/// SHA-256 (FIPS 180-4) on the stack. OpenSSL's, because swift-crypto allocates a context for every digest, and a message is hashed a
/// dozen times on its way.
struct SHA256Hash: ~Copyable {
    private var context = SHA256_CTX()

    init() { SHA256_Init(&context) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) { SHA256_Update(&context, bytes.baseAddress, bytes.count) }
    mutating func update(_ byte: UInt8) { withUnsafeBytes(of: byte) { update($0) } }
    mutating func update(_ digest: Digest32) { withUnsafeBytes(of: digest) { update($0) } }
    mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// Once.
    mutating func finish() -> Digest32 {
        var digest = Digest32()
        withUnsafeMutableBytes(of: &digest) { out in
            // Fails never: there is no hardware or memory it could lack.
            _ = SHA256_Final(out.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) }, &context)
        }
        return digest
    }

    /// Of the 65 bytes `first ‖ left ‖ right`. With their padding they are two blocks, which are hashed where they are: a stream
    /// of any length would count and copy them, and there are as many nodes in a tree as leaves.
    static func of(_ first: UInt8, _ left: Digest32, _ right: Digest32) -> Digest32 {
        var context = SHA256_CTX()
        SHA256_Init(&context)
        withUnsafeTemporaryAllocation(byteCount: 2 * blockSize, alignment: 8) { blocks in
            let second = UnsafeMutableRawBufferPointer(rebasing: blocks[blockSize...])
            second.initializeMemory(as: UInt8.self, repeating: 0)
            blocks[0] = first
            blocks.storeBytes(of: left, toByteOffset: 1, as: Digest32.self)
            blocks.storeBytes(of: right, toByteOffset: 33, as: Digest32.self)
            // The padding: one bit, zeros, and the number of bits before it.
            blocks[65] = 0x80
            blocks.storeBytes(of: UInt64(8 * 65).bigEndian, toByteOffset: 2 * blockSize - 8, as: UInt64.self)
            SHA256_Transform(&context, blocks.bindMemory(to: UInt8.self).baseAddress)
            SHA256_Transform(&context, second.bindMemory(to: UInt8.self).baseAddress)
        }
        let state = context.h
        var digest = Digest32()
        digest.a = bytes(state.0, state.1)
        digest.b = bytes(state.2, state.3)
        digest.c = bytes(state.4, state.5)
        digest.d = bytes(state.6, state.7)
        return digest
    }

    private static var blockSize: Int { 64 }

    /// Two words of the state as the digest has them in memory: big endian, one behind the other.
    private static func bytes(_ first: UInt32, _ second: UInt32) -> UInt64 {
        (UInt64(first) << 32 | UInt64(second)).bigEndian
    }
}
