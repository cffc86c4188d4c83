// Literals and numbers. A number is only checked for its form; whoever needs its value reads it later.
extension TapeScanner {
    mutating func scanLiteral(_ at: Int, _ buffers: inout TapeBuffers) throws(ScanFault) -> Int {
        switch text[at] {
        case UInt8(ascii: "t"): try literal("true", .yes, at, &buffers)
        case UInt8(ascii: "f"): try literal("false", .no, at, &buffers)
        case UInt8(ascii: "n"): try literal("null", .null, at, &buffers)
        default: throw ScanFault(reason: .unexpectedByte, offset: at)
        }
    }

    @inline(__always)
    private func literal(
        _ word: StaticString, _ kind: TapeKind, _ at: Int, _ buffers: inout TapeBuffers
    ) throws(ScanFault) -> Int {
        let length = word.utf8CodeUnitCount
        guard at &+ length <= text.count, EightBytes.areEqual(text.bytes + at, word.utf8Start, count: length) else {
            throw ScanFault(reason: .badLiteral, offset: at)
        }
        buffers.push(kind, start: at, end: at &+ length)
        return at &+ length
    }

    mutating func scanNumber(_ start: Int, _ buffers: inout TapeBuffers) throws(ScanFault) -> Int {
        let first = text[start] == Byte.minus ? start &+ 1 : start
        var end = text.afterDigits(first)
        let digits = end &- first
        guard digits > 0, digits == 1 || text[first] != Byte.zero else {
            throw ScanFault(reason: .badNumber, offset: start)
        }
        var flags = digits <= 18 ? TapeEntry.plainInteger : 0
        if text.has(Byte.point, at: end) || text.hasExponentMark(at: end) {
            flags = 0
            end = try text.afterFraction(end, of: start, maxExponent: limits.maxExponent)
        }
        guard end &- start <= limits.maxNumberBytes else { throw ScanFault(reason: .numberTooLong, offset: start) }
        buffers.push(.number, flags: flags, start: start, end: end)
        return end
    }
}

extension JSONText {
    /// The offset after the digits at an offset.
    @inline(__always)
    fileprivate func afterDigits(_ from: Int) -> Int {
        var offset = from
        while offset < count, bytes[offset].isDigit { offset = offset &+ 1 }
        return offset
    }

    @inline(__always)
    fileprivate func hasExponentMark(at offset: Int) -> Bool { offset < count && bytes[offset].isExponentMark }

    /// The offset after point, digits and exponent of the number that began at `start`.
    fileprivate func afterFraction(_ from: Int, of start: Int, maxExponent: Int) throws(ScanFault) -> Int {
        var end = from
        if has(Byte.point, at: end) {
            end = afterDigits(from + 1)
            guard end > from + 1 else { throw ScanFault(reason: .badNumber, offset: start) }
        }
        return hasExponentMark(at: end) ? try afterExponent(end, of: start, maxExponent: maxExponent) : end
    }

    private func afterExponent(_ mark: Int, of start: Int, maxExponent: Int) throws(ScanFault) -> Int {
        var from = mark + 1
        if has(Byte.plus, at: from) || has(Byte.minus, at: from) { from += 1 }
        let end = afterDigits(from)
        guard end > from else { throw ScanFault(reason: .badNumber, offset: start) }
        var exponent = 0
        for offset in from..<end {
            exponent = exponent * 10 + Int(bytes[offset] - Byte.zero)
            guard exponent <= maxExponent else { throw ScanFault(reason: .exponentTooLarge, offset: start) }
        }
        return end
    }
}
