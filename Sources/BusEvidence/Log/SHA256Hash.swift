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
}
