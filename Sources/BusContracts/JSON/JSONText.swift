/// The bytes of a text under a scan.
///
/// Offsets wrap (`&+`) without a check: they stay within the text, whose length is bounded far below 2⁶³.
struct JSONText: BitwiseCopyable {
    // Whoever scans keeps the bytes alive; every read is below `count`.
    let bytes: UnsafePointer<UInt8>
    let count: Int

    @inline(__always)
    subscript(_ offset: Int) -> UInt8 { bytes[offset] }

    var all: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }

    /// The eight bytes at an offset within the text or at its end. Beyond the end they are zeros, which no run passes.
    @inline(__always)
    func word(at offset: Int) -> EightBytes {
        if offset <= count &- EightBytes.width { return EightBytes(at: bytes + offset) }
        return lastWord(at: offset)
    }

    @inline(never)
    private func lastWord(at offset: Int) -> EightBytes { EightBytes(first: count &- offset, at: bytes + offset) }

    @inline(__always)
    func has(_ byte: UInt8, at offset: Int) -> Bool { offset < count && bytes[offset] == byte }

    /// The offset after the white space at an offset.
    func afterWhiteSpace(_ from: Int) -> Int {
        var offset = from
        while offset < count {
            let byte = bytes[offset]
            guard byte == Byte.space || byte == Byte.lineFeed || byte == Byte.carriageReturn || byte == Byte.tab else {
                break
            }
            offset = offset &+ 1
        }
        return offset
    }

    /// The offset of the next byte that is not white space, or a fault at the end of the text.
    @inline(__always)
    func next(from offset: Int) throws(ScanFault) -> Int {
        if offset < count, bytes[offset] > Byte.space { return offset }
        return try nextAfterWhiteSpace(offset)
    }

    @inline(never)
    private func nextAfterWhiteSpace(_ from: Int) throws(ScanFault) -> Int {
        let offset = afterWhiteSpace(from)
        guard offset < count else { throw ScanFault(reason: .unexpectedEnd, offset: count) }
        guard bytes[offset] > Byte.space else { throw ScanFault(reason: .unexpectedByte, offset: offset) }
        return offset
    }

    /// The offset after a byte that has to come next, white space aside.
    @inline(__always)
    func after(_ byte: UInt8, from offset: Int) throws(ScanFault) -> Int {
        if has(byte, at: offset) { return offset &+ 1 }
        let next = try nextAfterWhiteSpace(offset)
        guard bytes[next] == byte else { throw ScanFault(reason: .unexpectedByte, offset: next) }
        return next &+ 1
    }
}
