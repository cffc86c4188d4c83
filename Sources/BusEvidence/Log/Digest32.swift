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
