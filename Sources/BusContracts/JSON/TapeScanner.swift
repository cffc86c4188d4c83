/// What stopped a scan, without the cost of counting lines.
struct ScanFault: Error {
    let reason: JSONParseError.Reason
    let offset: Int
}

/// One pass over a text that fills a tape. It keeps its own stack of open containers, so depth costs no machine stack.
///
/// Where the scan is, is no part of it: each step takes an offset and returns the one after it, which so stays in a
/// register. Steps that are not inlined are `mutating`, even if they change nothing: a borrowed scanner is copied.
struct TapeScanner: ~Copyable {
    let text: JSONText
    let limits: JSONLimits
    let seed = NameHash.seed
    /// Entries that fit the tape as it is, and that the limits allow.
    private var room = 0

    static func scan(
        _ body: UnsafeBufferPointer<UInt8>, limits: JSONLimits, into buffers: inout TapeBuffers
    ) throws(ScanFault) {
        buffers.empty()
        guard let base = body.baseAddress, body.count > 0 else { throw ScanFault(reason: .empty, offset: 0) }
        guard body.count <= limits.maxBytes else { throw ScanFault(reason: .tooLarge, offset: limits.maxBytes) }
        var scanner = TapeScanner(text: JSONText(bytes: base, count: body.count), limits: limits)
        try scanner.run(&buffers)
    }

    private init(text: JSONText, limits: JSONLimits) {
        self.text = text
        self.limits = limits
    }

    private mutating func run(_ buffers: inout TapeBuffers) throws(ScanFault) {
        var at = text.afterWhiteSpace(0)
        guard at < text.count else { throw ScanFault(reason: .empty, offset: at) }
        var isInObject = false
        repeat {
            if isInObject { at = try scanName(at, &buffers) }
            try makeRoom(at, &buffers)
            at = try text.next(from: at)
            let first = text[at]
            switch first {
            case Byte.quote: at = try scanString(at, &buffers)
            case Byte.openBrace, Byte.openBracket:
                isInObject = first == Byte.openBrace
                let entry = try openContainer(at, isObject: isInObject, &buffers)
                at = try text.next(from: at &+ 1)
                if text[at] != (isInObject ? Byte.closeBrace : Byte.closeBracket) {
                    buffers.open.push(
                        OpenContainer(entry: entry, names: buffers.names.count, seen: 0, isObject: isInObject))
                    continue
                }
                at = at &+ 1
            case Byte.minus, Byte.zero...Byte.nine: at = try scanNumber(at, &buffers)
            default: at = try scanLiteral(at, &buffers)
            }
            (at, isInObject) = try closeFinished(at, &buffers)
        } while buffers.open.count > 0
        at = text.afterWhiteSpace(at)
        guard at == text.count else { throw ScanFault(reason: .trailingBytes, offset: at) }
    }

    /// Makes sure that one more entry fits.
    @inline(__always)
    mutating func makeRoom(_ at: Int, _ buffers: inout TapeBuffers) throws(ScanFault) {
        if buffers.entries.count >= room { try makeMoreRoom(at, &buffers) }
    }

    @inline(never)
    private mutating func makeMoreRoom(_ at: Int, _ buffers: inout TapeBuffers) throws(ScanFault) {
        guard buffers.entries.count < limits.maxValues else { throw ScanFault(reason: .tooManyValues, offset: at) }
        buffers.entries.reserve(1)
        room = min(buffers.entries.capacity, limits.maxValues)
    }

    // MARK: containers

    /// Notes a container that begins, and returns its entry.
    @inline(__always)
    private func openContainer(_ at: Int, isObject: Bool, _ buffers: inout TapeBuffers) throws(ScanFault) -> Int {
        guard buffers.open.count < limits.maxDepth else { throw ScanFault(reason: .tooDeep, offset: at) }
        let entry = buffers.entries.count
        buffers.push(isObject ? .object : .array, start: at, end: at, link: UInt32(truncatingIfNeeded: entry &+ 1))
        return entry
    }

    /// After a finished value: steps to the next one, closing every container that ends here. Tells whether what
    /// follows is in an object.
    @inline(__always)
    private mutating func closeFinished(
        _ start: Int, _ buffers: inout TapeBuffers
    ) throws(ScanFault) -> (at: Int, isInObject: Bool) {
        var at = start
        while buffers.open.count > 0 {
            let container = buffers.open.base + (buffers.open.count &- 1)
            let entry = buffers.entries.base + container.pointee.entry
            let isObject = container.pointee.isObject
            entry.pointee.length = entry.pointee.length &+ 1
            at = try text.next(from: at)
            let byte = text[at]
            if byte == Byte.comma { return (at &+ 1, isObject) }
            guard byte == (isObject ? Byte.closeBrace : Byte.closeBracket) else {
                throw ScanFault(reason: .unexpectedByte, offset: at)
            }
            at = at &+ 1
            if isObject { try closeNames(from: container.pointee.names, at, &buffers) }
            entry.pointee.link = UInt32(truncatingIfNeeded: buffers.entries.count)
            buffers.open.count = buffers.open.count &- 1
        }
        return (at, false)
    }
}
