// Escapes in strings.
extension JSONText {
    /// The character of the escape that begins at an offset, which moves on behind it.
    func scalarOfEscape(_ at: inout Int) throws(ScanFault) -> Unicode.Scalar {
        let start = at
        guard at + 1 < count else { throw ScanFault(reason: .unexpectedEnd, offset: count) }
        let letter = bytes[at + 1]
        at += 2
        switch letter {
        case Byte.quote, Byte.backslash, Byte.slash: return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try scalarOfUnicodeEscape(&at, startedAt: start)
        default: throw ScanFault(reason: .badEscape, offset: start)
        }
    }

    private func scalarOfUnicodeEscape(_ at: inout Int, startedAt start: Int) throws(ScanFault) -> Unicode.Scalar {
        let first = try fourHexDigits(&at, startedAt: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, at + 1 < count, bytes[at] == Byte.backslash, bytes[at + 1] == UInt8(ascii: "u") else {
            throw ScanFault(reason: .loneSurrogate, offset: start)
        }
        at += 2
        let second = try fourHexDigits(&at, startedAt: start)
        guard second >= 0xDC00, second <= 0xDFFF,
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw ScanFault(reason: .loneSurrogate, offset: start) }
        return scalar
    }

    private func fourHexDigits(_ at: inout Int, startedAt start: Int) throws(ScanFault) -> UInt32 {
        guard at + 4 <= count else { throw ScanFault(reason: .badEscape, offset: start) }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = bytes[at].hexValue else { throw ScanFault(reason: .badEscape, offset: start) }
            value = value << 4 | digit
            at += 1
        }
        return value
    }
}
