import Glibc

/// Names and the like, compared as words: `elementsEqual` of two slices goes byte by byte.
extension UnsafeRawBufferPointer {
    /// A part of the bytes, as bytes of their own.
    @inlinable @inline(__always)
    package func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }

    package func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        // Without an address there are no bytes, here and there.
        guard let a = baseAddress, let b = other.baseAddress else { return true }
        return memcmp(a, b, count) == 0
    }

    package func isSame(as bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { isSame(as: $0) } }

    package func isSame(as text: String) -> Bool {
        let found = text.utf8.withContiguousStorageIfAvailable { isSame(as: UnsafeRawBufferPointer($0)) }
        return found ?? elementsEqual(text.utf8)
    }
}
