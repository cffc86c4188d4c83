/// Writes numbers (little endian) and bytes into memory whose size was counted before: for what is written for every
/// message. A number costs one store, where `ByteWriter` looks for room and for other owners of its array each time.
///
/// The memory is the array's that is being made by `[UInt8](writing:)`, and only borrowed for the scope of its closure.
@usableFromInline
package struct ByteCursor {
    @usableFromInline let start: UnsafeMutableRawPointer
    @usableFromInline let end: Int
    @usableFromInline var at: Int

    @inlinable @inline(__always)
    init(_ start: UnsafeMutableRawPointer, end: Int) {
        self.start = start
        self.end = end
        at = 0
    }

    /// Bytes written so far.
    @inlinable @inline(__always)
    package var count: Int { at }

    @inlinable @inline(__always)
    package mutating func put(_ number: UInt8) { store(number) }
    @inlinable @inline(__always)
    package mutating func put(_ number: UInt16) { store(number) }
    @inlinable @inline(__always)
    package mutating func put(_ number: UInt32) { store(number) }
    @inlinable @inline(__always)
    package mutating func put(_ number: UInt64) { store(number) }
    @inlinable @inline(__always)
    package mutating func put(_ number: Int32) { store(number) }
    @inlinable @inline(__always)
    package mutating func put(_ number: Int64) { store(number) }

    /// A 16-byte value in big-endian order, so that its bytes read like its text.
    @inlinable @inline(__always)
    package mutating func put(id: UInt128) {
        store(UInt64(truncatingIfNeeded: id >> 64).byteSwapped)
        store(UInt64(truncatingIfNeeded: id).byteSwapped)
    }

    // One comparison: a size that was counted wrong ends the process, and writes nothing behind the array.
    @inlinable @inline(__always)
    mutating func store<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        precondition(MemoryLayout<Number>.size <= end &- at, "more is written than was counted")
        start.storeBytes(of: number.littleEndian, toByteOffset: at, as: Number.self)
        at &+= MemoryLayout<Number>.size
    }

    @inlinable @inline(__always)
    package mutating func put(raw bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        precondition(bytes.count <= end &- at, "more is written than was counted")
        start.advanced(by: at).copyMemory(from: source, byteCount: bytes.count)
        at &+= bytes.count
    }

    @inlinable @inline(__always)
    package mutating func put(raw bytes: [UInt8]) { bytes.withUnsafeBytes { put(raw: $0) } }

    @inlinable @inline(__always)
    package mutating func put(raw bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { put(raw: $0) } }

    /// What was written from there on; to be read before anything else is written.
    @inlinable @inline(__always)
    package func written(from first: Int) -> UnsafeRawBufferPointer {
        precondition(first >= 0 && first <= at, "nothing was written there yet")
        return UnsafeRawBufferPointer(start: start.advanced(by: first), count: at &- first)
    }
}

extension [UInt8] {
    /// Exactly `size` bytes, all of them written by `write`.
    @inlinable @inline(__always)
    package init(writing size: Int, _ write: (inout ByteCursor) -> Void) {
        self.init(unsafeUninitializedCapacity: size) { buffer, count in
            // The memory of the array itself, which nobody else sees before it is whole.
            guard let start = buffer.baseAddress else { return }
            var out = ByteCursor(start, end: size)
            write(&out)
            precondition(out.at == size, "what was written is not of the size that was counted")
            count = size
        }
    }
}
