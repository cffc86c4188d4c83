/// What stopped a scan, without the cost of counting lines.
struct ScanFault: Error {
    let reason: JSONParseError.Reason
    let offset: Int
}

/// An array or object that is still open.
struct OpenContainer: BitwiseCopyable {
    let entry: Int
    /// Where the names of this object begin on the stack of names.
    let names: Int
    /// One bit per hash seen: a clear bit proves a name new without looking.
    var seen: UInt64
    let isObject: Bool
}

/// A name of an open object.
struct OpenName: BitwiseCopyable {
    let hash: UInt64
    let entry: Int
}

/// The buffers of one scan, reused from text to text.
struct TapeBuffers: ~Copyable {
    var entries = RawStack<TapeEntry>(capacity: 512)
    var decoded = RawStack<UInt8>(capacity: 512)
    var open = RawStack<OpenContainer>(capacity: 32)
    var names = RawStack<OpenName>(capacity: 64)

    /// The most each buffer keeps between texts, in elements.
    static let retained = 1 << 16

    mutating func trim() {
        entries.shrink(to: Self.retained)
        decoded.shrink(to: Self.retained)
        names.shrink(to: Self.retained)
    }

    func view(of body: UnsafeBufferPointer<UInt8>) -> TapeView {
        TapeView(
            entries: UnsafePointer(entries.base), body: body.baseAddress ?? UnsafePointer(decoded.base),
            decoded: UnsafePointer(decoded.base))
    }
}

/// One pass over a text that fills a tape. It keeps its own stack of open containers, so depth costs no machine stack.
struct TapeScanner: ~Copyable {
    /// Objects with more names than this are checked for duplicates by sorting when they close.
    private static let namesComparedAtOnce = 48
    /// Equal 64-bit hashes of different names that are still taken for chance.
    private static let toleratedCollisions = 8

    private let text: UnsafePointer<UInt8>
    private let raw: UnsafeRawPointer
    private let count: Int
    private let limits: JSONLimits
    private let seed = NameHash.seed
    private var at = 0

    static func scan(
        _ body: UnsafeBufferPointer<UInt8>, limits: JSONLimits, into buffers: inout TapeBuffers
    ) throws(ScanFault) {
        buffers.entries.count = 0
        buffers.decoded.count = 0
        buffers.open.count = 0
        buffers.names.count = 0
        guard let base = body.baseAddress, body.count > 0 else { throw ScanFault(reason: .empty, offset: 0) }
        guard body.count <= limits.maxBytes else { throw ScanFault(reason: .tooLarge, offset: limits.maxBytes) }
        var scanner = TapeScanner(text: base, count: body.count, limits: limits)
        try scanner.run(&buffers)
    }

    private init(text: UnsafePointer<UInt8>, count: Int, limits: JSONLimits) {
        self.text = text
        raw = UnsafeRawPointer(text)
        self.count = count
        self.limits = limits
    }

    private func fault(_ reason: JSONParseError.Reason, at offset: Int) -> ScanFault {
        ScanFault(reason: reason, offset: offset)
    }

    /// The next byte that is not white space, or a fault at the end of the text.
    @inline(__always)
    private mutating func nextByte() throws(ScanFault) -> UInt8 {
        while at < count {
            let byte = text[at]
            if byte > Byte.space { return byte }
            guard byte == Byte.space || byte == Byte.lineFeed || byte == Byte.carriageReturn || byte == Byte.tab else {
                throw fault(.unexpectedByte, at: at)
            }
            at += 1
        }
        throw fault(.unexpectedEnd, at: count)
    }

    private mutating func run(_ buffers: inout TapeBuffers) throws(ScanFault) {
        if try nextByteOrEmpty() == nil { throw fault(.empty, at: count) }
        repeat {
            if try openValue(&buffers) { continue }
            try closeFinished(&buffers)
        } while buffers.open.count > 0
        while at < count {
            let byte = text[at]
            guard byte == Byte.space || byte == Byte.lineFeed || byte == Byte.carriageReturn || byte == Byte.tab else {
                throw fault(.trailingBytes, at: at)
            }
            at += 1
        }
    }

    private mutating func nextByteOrEmpty() throws(ScanFault) -> UInt8? {
        do { return try nextByte() } catch {
            if error.reason == .unexpectedEnd { return nil }
            throw error
        }
    }

    /// Scans one value; true when it opened a container that has content, so that a value follows at once.
    @inline(__always)
    private mutating func openValue(_ buffers: inout TapeBuffers) throws(ScanFault) -> Bool {
        guard buffers.entries.count < limits.maxValues else { throw fault(.tooManyValues, at: at) }
        let byte = try nextByte()
        switch byte {
        case Byte.quote:
            _ = try scanString(&buffers)
        case Byte.openBrace:
            return try openContainer(&buffers, isObject: true)
        case Byte.openBracket:
            return try openContainer(&buffers, isObject: false)
        case Byte.minus, Byte.zero...Byte.nine:
            try scanNumber(&buffers)
        default:
            try scanLiteral(byte, &buffers)
        }
        return false
    }

    private mutating func openContainer(_ buffers: inout TapeBuffers, isObject: Bool) throws(ScanFault) -> Bool {
        guard buffers.open.count < limits.maxDepth else { throw fault(.tooDeep, at: at) }
        let entry = buffers.entries.count
        buffers.entries.push(
            TapeEntry(
                kind: isObject ? .object : .array, flags: 0, start: UInt32(truncatingIfNeeded: at), length: 0,
                link: UInt32(truncatingIfNeeded: entry + 1)))
        at += 1
        if try nextByte() == (isObject ? Byte.closeBrace : Byte.closeBracket) {
            at += 1
            return false
        }
        buffers.open.push(OpenContainer(entry: entry, names: buffers.names.count, seen: 0, isObject: isObject))
        if isObject { try scanName(&buffers) }
        return true
    }

    /// After a finished value: steps to the next value, closing every container that ends here.
    @inline(__always)
    private mutating func closeFinished(_ buffers: inout TapeBuffers) throws(ScanFault) {
        while buffers.open.count > 0 {
            let container = buffers.open.base[buffers.open.count - 1]
            buffers.entries.base[container.entry].length += 1
            let byte = try nextByte()
            if byte == Byte.comma {
                at += 1
                if container.isObject { try scanName(&buffers) }
                return
            }
            guard byte == (container.isObject ? Byte.closeBrace : Byte.closeBracket) else {
                throw fault(.unexpectedByte, at: at)
            }
            at += 1
            if container.isObject { try closeNames(container, &buffers) }
            buffers.entries.base[container.entry].link = UInt32(truncatingIfNeeded: buffers.entries.count)
            buffers.open.count -= 1
        }
    }

    // MARK: names

    private mutating func scanName(_ buffers: inout TapeBuffers) throws(ScanFault) {
        guard buffers.entries.count < limits.maxValues else { throw fault(.tooManyValues, at: at) }
        guard try nextByte() == Byte.quote else { throw fault(.unexpectedByte, at: at) }
        let nameOffset = at
        let entry = try scanString(&buffers)
        guard try nextByte() == Byte.colon else { throw fault(.unexpectedByte, at: at) }
        at += 1
        let hash = NameHash.of(buffers.view(of: body).text(entry), seed: seed)
        buffers.entries.base[entry].link = UInt32(truncatingIfNeeded: hash)
        try noteName(OpenName(hash: hash, entry: entry), at: nameOffset, &buffers)
    }

    private var body: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: text, count: count) }

    @inline(__always)
    private func noteName(_ name: OpenName, at offset: Int, _ buffers: inout TapeBuffers) throws(ScanFault) {
        let top = buffers.open.count - 1
        let bit = UInt64(1) << (name.hash >> 58)
        let first = buffers.open.base[top].names
        if buffers.open.base[top].seen & bit != 0, buffers.names.count - first < Self.namesComparedAtOnce {
            for other in first..<buffers.names.count
            where buffers.names.base[other].hash == name.hash && sameName(name, buffers.names.base[other], buffers) {
                throw fault(.duplicateName, at: offset)
            }
        }
        buffers.open.base[top].seen |= bit
        buffers.names.push(name)
    }

    private func sameName(_ left: OpenName, _ right: OpenName, _ buffers: borrowing TapeBuffers) -> Bool {
        let view = buffers.view(of: body)
        return sameBytes(view.text(left.entry), view.text(right.entry))
    }

    /// Drops the names of a closed object; a large one is only now looked through for duplicates, by sorting.
    @inline(__always)
    private func closeNames(_ container: OpenContainer, _ buffers: inout TapeBuffers) throws(ScanFault) {
        if buffers.names.count - container.names > Self.namesComparedAtOnce {
            try searchDuplicates(from: container.names, buffers)
        }
        buffers.names.count = container.names
    }

    private func searchDuplicates(from first: Int, _ buffers: borrowing TapeBuffers) throws(ScanFault) {
        var names = UnsafeMutableBufferPointer(start: buffers.names.base + first, count: buffers.names.count - first)
        names.sort { ($0.hash, $0.entry) < ($1.hash, $1.entry) }
        var groupStart = 0
        for index in names.indices.dropFirst() {
            if names[index].hash != names[groupStart].hash {
                groupStart = index
                continue
            }
            for other in groupStart..<index where sameName(names[index], names[other], buffers) {
                let offset = buffers.entries.base[names[index].entry]
                let isDecoded = offset.flags & TapeEntry.decoded != 0
                throw fault(.duplicateName, at: isDecoded ? at - 1 : Int(offset.start) - 1)
            }
            if index - groupStart > Self.toleratedCollisions { throw fault(.collidingNames, at: at - 1) }
        }
    }

    // MARK: literals and numbers

    private mutating func scanLiteral(_ first: UInt8, _ buffers: inout TapeBuffers) throws(ScanFault) {
        switch first {
        case UInt8(ascii: "t"): try literal("true", .yes, &buffers)
        case UInt8(ascii: "f"): try literal("false", .no, &buffers)
        case UInt8(ascii: "n"): try literal("null", .null, &buffers)
        default: throw fault(.unexpectedByte, at: at)
        }
    }

    private mutating func literal(
        _ word: StaticString, _ kind: TapeKind, _ buffers: inout TapeBuffers
    ) throws(ScanFault) {
        let length = word.utf8CodeUnitCount
        guard at + length <= count else { throw fault(.badLiteral, at: at) }
        for offset in 0..<length where text[at + offset] != word.utf8Start[offset] {
            throw fault(.badLiteral, at: at)
        }
        push(kind, flags: 0, start: at, length: length, &buffers)
        at += length
    }

    @inline(__always)
    private func push(_ kind: TapeKind, flags: UInt8, start: Int, length: Int, _ buffers: inout TapeBuffers) {
        buffers.entries.push(
            TapeEntry(
                kind: kind, flags: flags, start: UInt32(truncatingIfNeeded: start),
                length: UInt32(truncatingIfNeeded: length), link: 0))
    }

    @inline(__always)
    private mutating func skipDigits() -> Int {
        let from = at
        while at < count, text[at].isDigit { at += 1 }
        return at - from
    }

    private mutating func scanNumber(_ buffers: inout TapeBuffers) throws(ScanFault) {
        let start = at
        if text[at] == Byte.minus { at += 1 }
        let leadsWithZero = at < count && text[at] == Byte.zero
        let digits = skipDigits()
        guard digits > 0, !leadsWithZero || digits == 1 else { throw fault(.badNumber, at: start) }
        var flags = digits <= 18 ? TapeEntry.plainInteger : 0
        if at < count, text[at] == Byte.point {
            flags = 0
            at += 1
            guard skipDigits() > 0 else { throw fault(.badNumber, at: start) }
        }
        if at < count, text[at].isExponentMark {
            flags = 0
            try scanExponent(of: start)
        }
        guard at - start <= limits.maxNumberBytes else { throw fault(.numberTooLong, at: start) }
        push(.number, flags: flags, start: start, length: at - start, &buffers)
    }

    private mutating func scanExponent(of start: Int) throws(ScanFault) {
        at += 1
        if at < count, text[at] == Byte.plus || text[at] == Byte.minus { at += 1 }
        let from = at
        guard skipDigits() > 0 else { throw fault(.badNumber, at: start) }
        var exponent = 0
        for offset in from..<at {
            exponent = exponent * 10 + Int(text[offset] - Byte.zero)
            guard exponent <= limits.maxExponent else { throw fault(.exponentTooLarge, at: start) }
        }
    }

    // MARK: strings

    /// Scans a string from its opening quote; returns its entry.
    @inline(__always)
    private mutating func scanString(_ buffers: inout TapeBuffers) throws(ScanFault) -> Int {
        at += 1
        let start = at
        var flags: UInt8 = 0
        while true {
            skipPlainCharacters()
            guard at < count else { throw fault(.unexpectedEnd, at: count) }
            let byte = text[at]
            if byte == Byte.quote { break }
            if byte >= 0x80 {
                flags = TapeEntry.beyondASCII
                at = try afterCharactersBeyondASCII(at)
            } else if byte == Byte.backslash {
                return try scanEscapedString(from: start, &buffers)
            } else {
                throw fault(.controlCharacter, at: at)
            }
        }
        let entry = buffers.entries.count
        push(.string, flags: flags, start: start, length: at - start, &buffers)
        at += 1
        return entry
    }

    /// Steps over bytes that need no attention: ASCII but controls, quote and backslash; eight at a time.
    @inline(__always)
    private mutating func skipPlainCharacters() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        // A local offset stays in a register; wrapping arithmetic is safe below the text's bounded length.
        var offset = at
        let wholeWords = count &- 8
        while offset <= wholeWords {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let quotes = word ^ (ones &* UInt64(Byte.quote))
            let slashes = word ^ (ones &* UInt64(Byte.backslash))
            let found =
                (word | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)
                    | ((word &- (ones &* 0x20)) & ~word)) & tops
            if found != 0 {
                at = offset &+ (found.trailingZeroBitCount &>> 3)
                return
            }
            offset = offset &+ 8
        }
        while offset < count {
            let byte = text[offset]
            if byte >= 0x80 || byte < 0x20 || byte == Byte.quote || byte == Byte.backslash { break }
            offset = offset &+ 1
        }
        at = offset
    }

    /// Checks a run of multi-byte characters (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
    private func afterCharactersBeyondASCII(_ from: Int) throws(ScanFault) -> Int {
        var at = from
        while at < count, text[at] >= 0x80 {
            let lead = text[at]
            if lead >= 0xC2, lead < 0xE0 {
                guard at &+ 1 < count, text[at &+ 1] & 0xC0 == 0x80 else { throw fault(.badUTF8, at: at) }
                at = at &+ 2
            } else {
                let length = lead & 0xF0 == 0xE0 ? 3 : lead & 0xF8 == 0xF0 ? 4 : 0
                guard length > 0, at + length <= count else { throw fault(.badUTF8, at: at) }
                for offset in 1..<length where text[at + offset] & 0xC0 != 0x80 { throw fault(.badUTF8, at: at) }
                let second = text[at + 1]
                let isWrong =
                    (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)
                    || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F) || lead > 0xF4
                guard !isWrong else { throw fault(.badUTF8, at: at) }
                at += length
            }
        }
        return at
    }

    /// The rare string with escapes: decoded into the buffer beside the body, so that nobody later sees an escape.
    private mutating func scanEscapedString(
        from start: Int, _ buffers: inout TapeBuffers
    ) throws(ScanFault) -> Int {
        let decodedStart = buffers.decoded.count
        var isBeyondASCII = false
        at = start
        while true {
            let runStart = at
            while at < count, text[at] != Byte.quote, text[at] != Byte.backslash {
                if text[at] >= 0x80 {
                    isBeyondASCII = true
                    at = try afterCharactersBeyondASCII(at)
                } else if text[at] < 0x20 {
                    throw fault(.controlCharacter, at: at)
                } else {
                    at += 1
                }
            }
            buffers.decoded.reserve(at - runStart + 4)
            for offset in runStart..<at { buffers.decoded.push(text[offset]) }
            guard at < count else { throw fault(.unexpectedEnd, at: count) }
            if text[at] == Byte.quote { break }
            let scalar = try scanEscape()
            if scalar.value >= 0x80 { isBeyondASCII = true }
            for unit in scalar.utf8 { buffers.decoded.push(unit) }
        }
        at += 1
        let entry = buffers.entries.count
        push(
            .string, flags: TapeEntry.decoded | (isBeyondASCII ? TapeEntry.beyondASCII : 0), start: decodedStart,
            length: buffers.decoded.count - decodedStart, &buffers)
        return entry
    }

    private mutating func scanEscape() throws(ScanFault) -> Unicode.Scalar {
        let start = at
        guard at + 1 < count else { throw fault(.unexpectedEnd, at: count) }
        let letter = text[at + 1]
        at += 2
        switch letter {
        case Byte.quote, Byte.backslash, Byte.slash: return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try scanUnicodeEscape(startedAt: start)
        default: throw fault(.badEscape, at: start)
        }
    }

    private mutating func scanUnicodeEscape(startedAt start: Int) throws(ScanFault) -> Unicode.Scalar {
        let first = try fourHexDigits(startedAt: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, at + 1 < count, text[at] == Byte.backslash, text[at + 1] == UInt8(ascii: "u") else {
            throw fault(.loneSurrogate, at: start)
        }
        at += 2
        let second = try fourHexDigits(startedAt: start)
        guard second >= 0xDC00, second <= 0xDFFF,
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw fault(.loneSurrogate, at: start) }
        return scalar
    }

    private mutating func fourHexDigits(startedAt start: Int) throws(ScanFault) -> UInt32 {
        guard at + 4 <= count else { throw fault(.badEscape, at: start) }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = text[at].hexValue else { throw fault(.badEscape, at: start) }
            value = value << 4 | digit
            at += 1
        }
        return value
    }
}

/// Whether two runs of bytes are equal.
@inline(__always)
func sameBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    var offset = 0
    let (a, b) = (UnsafeRawPointer(left.baseAddress), UnsafeRawPointer(right.baseAddress))
    guard let a, let b else { return true }
    while offset + 8 <= left.count {
        let (x, y) = (
            a.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
            b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        )
        if x != y { return false }
        offset += 8
    }
    while offset < left.count {
        if left[offset] != right[offset] { return false }
        offset += 1
    }
    return true
}
