// Runs of characters inside a string, and where they end. Nothing is copied, the bytes are only looked at.
extension JSONText {
    /// The first byte at or after an offset that is not plain ASCII, and where it is; 0 at the end of the text.
    @inline(__always)
    func endOfPlainRun(from start: Int) -> (offset: Int, byte: UInt8) {
        var offset = start
        while true {
            let word = word(at: offset)
            let ends = word.endsOfPlainRun
            if ends != 0 {
                let last = EightBytes.offset(of: ends)
                return (offset &+ last, word.byte(at: last))
            }
            offset = offset &+ EightBytes.width
            // Most strings have ended by now; what goes on may be long.
            if offset &- start == 2 &* EightBytes.width { offset = nearEndOfPlainRun(from: offset) }
        }
    }

    /// Steps over plain ASCII four words at a time.
    @inline(never)
    private func nearEndOfPlainRun(from start: Int) -> Int {
        let width = EightBytes.width
        var offset = start
        while offset <= count &- 4 &* width {
            let words = bytes + offset
            let ends =
                EightBytes(at: words).endsOfPlainRun | EightBytes(at: words + width).endsOfPlainRun
                | EightBytes(at: words + 2 &* width).endsOfPlainRun | EightBytes(at: words + 3 &* width).endsOfPlainRun
            if ends != 0 { break }
            offset = offset &+ 4 &* width
        }
        return offset
    }

    /// Steps over whole characters to the next quote or backslash.
    func endOfUnescapedRun(from start: Int) throws(ScanFault) -> Int {
        var offset = start
        while true {
            offset = endOfMixedRun(from: offset)
            guard offset < count else { throw ScanFault(reason: .unexpectedEnd, offset: count) }
            let byte = bytes[offset]
            if byte == Byte.quote || byte == Byte.backslash { return offset }
            guard byte >= 0x80 else { throw ScanFault(reason: .controlCharacter, offset: offset) }
            offset = try afterCharacterBeyondASCII(offset)
        }
    }

    /// Steps over plain ASCII and characters of two bytes from the beginning of a character; stops at another character or at an end
    /// of the run.
    @inline(__always)
    private func endOfMixedRun(from start: Int) -> Int {
        var offset = start
        var continued: UInt64 = 0
        while true {
            let run = EightBytes.MixedRun(word(at: offset), after: continued)
            // A character that goes on in this word began one byte before it.
            if run.isBroken { return endOfPlainRun(from: offset &- Int(truncatingIfNeeded: continued &>> 7)).offset }
            if run.ends != 0 { return offset &+ EightBytes.offset(of: run.ends) }
            continued = run.continues
            offset = offset &+ EightBytes.width
        }
    }

    /// Checks one multi-byte character (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
    private func afterCharacterBeyondASCII(_ at: Int) throws(ScanFault) -> Int {
        let lead = bytes[at]
        let length = lead >= 0xC2 && lead < 0xE0 ? 2 : lead & 0xF0 == 0xE0 ? 3 : lead & 0xF8 == 0xF0 ? 4 : 0
        guard length > 0, at + length <= count else { throw ScanFault(reason: .badUTF8, offset: at) }
        for offset in 1..<length where bytes[at + offset] & 0xC0 != 0x80 {
            throw ScanFault(reason: .badUTF8, offset: at)
        }
        let second = bytes[at + 1]
        let isWrong =
            (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)
            || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F) || lead > 0xF4
        guard !isWrong else { throw ScanFault(reason: .badUTF8, offset: at) }
        return at + length
    }
}
