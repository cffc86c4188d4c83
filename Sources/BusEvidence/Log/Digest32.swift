import CCrypto

/// A SHA-256 value, 32 bytes, kept inline.
package struct Digest32: Hashable, Sendable {
    package static let size = 32
    package var a: UInt64 = 0
    package var b: UInt64 = 0
    package var c: UInt64 = 0
    package var d: UInt64 = 0

    package init() {}

    /// `nil` when there are not exactly 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init()
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: bytes) }
    }

    /// The 32 bytes at `offset`, which must be inside.
    package init(in bytes: UnsafeRawBufferPointer, at offset: Int) {
        self = bytes.loadUnaligned(fromByteOffset: offset, as: Digest32.self)
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}

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
