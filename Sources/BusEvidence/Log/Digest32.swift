/// A SHA-256 value, 32 bytes, kept inline.
@usableFromInline
package struct Digest32: Hashable, Sendable, BitwiseCopyable {
    @inlinable package static var size: Int { 32 }
    @usableFromInline package var a: UInt64 = 0
    @usableFromInline package var b: UInt64 = 0
    @usableFromInline package var c: UInt64 = 0
    @usableFromInline package var d: UInt64 = 0

    package init() {}

    /// Without a branch for each word: most that are compared are equal.
    @inlinable
    package static func == (left: Digest32, right: Digest32) -> Bool {
        let first = (left.a ^ right.a) | (left.b ^ right.b)
        let second = (left.c ^ right.c) | (left.d ^ right.d)
        return first | second == 0
    }

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
