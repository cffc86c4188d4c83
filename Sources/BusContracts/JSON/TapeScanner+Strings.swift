// Strings as values.
extension TapeScanner {
    /// Scans a string from its opening quote; there is room for its entry.
    @inline(__always)
    mutating func scanString(_ at: Int, _ buffers: inout TapeBuffers) throws(ScanFault) -> Int {
        let start = at &+ 1
        let (end, byte) = text.endOfPlainRun(from: start)
        guard byte == Byte.quote else { return try scanUncommonString(start, plainUpTo: end, &buffers) }
        buffers.push(.string, start: start, end: end)
        return end &+ 1
    }

    /// A string with more than plain ASCII.
    @inline(never)
    private mutating func scanUncommonString(
        _ start: Int, plainUpTo offset: Int, _ buffers: inout TapeBuffers
    ) throws(ScanFault) -> Int {
        let end = try text.endOfUnescapedRun(from: offset)
        if text[end] == Byte.backslash { return try scanEscapedString(start, &buffers) }
        // The plain run ended at something that is neither quote nor escape.
        buffers.push(.string, flags: TapeEntry.beyondASCII, start: start, end: end)
        return end &+ 1
    }

    /// The rare string with escapes: decoded into the buffer beside the body, so that nobody later sees an escape.
    @inline(never)
    private mutating func scanEscapedString(_ start: Int, _ buffers: inout TapeBuffers) throws(ScanFault) -> Int {
        let decodedStart = buffers.decoded.count
        var at = start
        while true {
            let end = try text.endOfUnescapedRun(from: at)
            // Room for the longest character besides.
            buffers.decoded.reserve(end - at + 4)
            for offset in at..<end { buffers.decoded.pushWithinCapacity(text[offset]) }
            at = end
            if text[at] == Byte.quote { break }
            for unit in try text.scalarOfEscape(&at).utf8 { buffers.decoded.pushWithinCapacity(unit) }
        }
        let end = buffers.decoded.count
        let decoded = UnsafeBufferPointer(start: buffers.decoded.base + decodedStart, count: end - decodedStart)
        let isBeyondASCII = decoded.contains { $0 >= 0x80 }
        buffers.push(
            .string, flags: TapeEntry.decoded | (isBeyondASCII ? TapeEntry.beyondASCII : 0), start: decodedStart,
            end: end)
        return at + 1
    }
}
