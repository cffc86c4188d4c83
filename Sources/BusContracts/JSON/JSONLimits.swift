/// Bounds on one JSON text. A text beyond any of them is refused with a ``JSONParseError`` that names the bound.
package struct JSONLimits: Sendable, Hashable {
    /// The most a caller may ask for in ``maxDepth``: everything that walks a value recursively relies on it.
    package static let deepest = 256
    /// The longest text the tape can address with 32-bit offsets, with room to spare.
    package static let largest = 1 << 30

    /// Bytes of the whole text.
    package var maxBytes: Int
    /// Levels of arrays and objects inside each other.
    package var maxDepth: Int
    /// Values of all kinds, names of members included.
    package var maxValues: Int
    /// Bytes of one number's text.
    package var maxNumberBytes: Int
    /// The largest absolute value of an exponent, so that exact comparison never overflows.
    package var maxExponent: Int

    package init(
        maxBytes: Int = 16 << 20, maxDepth: Int = 128, maxValues: Int = 1_000_000, maxNumberBytes: Int = 1_024,
        maxExponent: Int = 999_999_999
    ) {
        self.maxBytes = min(max(1, maxBytes), Self.largest)
        self.maxDepth = min(max(1, maxDepth), Self.deepest)
        self.maxValues = min(max(1, maxValues), Self.largest)
        self.maxNumberBytes = max(1, maxNumberBytes)
        self.maxExponent = min(max(0, maxExponent), 999_999_999)
    }
}

/// Why a text is not JSON this project accepts (RFC 8259, unique names, whole Unicode), and where.
package struct JSONParseError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Reason: Sendable, Hashable {
        case empty, unexpectedByte, unexpectedEnd, trailingBytes
        case badLiteral, badNumber, badEscape, loneSurrogate, controlCharacter, badUTF8
        case duplicateName, collidingNames
        case tooLarge, tooDeep, tooManyValues, numberTooLong, exponentTooLarge
    }

    package let reason: Reason
    /// Offset of the offending byte from the start of the text.
    package let offset: Int
    /// Line and column, both from 1; columns count bytes.
    package let line: Int
    package let column: Int

    package var what: String {
        switch reason {
        case .empty: "the text is empty; a JSON value was expected"
        case .unexpectedByte: "this byte cannot stand here"
        case .unexpectedEnd: "the text ends before the value does"
        case .trailingBytes: "there is more after the value; one JSON value was expected"
        case .badLiteral: "only true, false and null may be written bare"
        case .badNumber: "this is not a JSON number (no leading zeros, digits on both sides of a point)"
        case .badEscape: "this escape does not exist in JSON"
        case .loneSurrogate: "a \\u escape names half of a surrogate pair, which is not a character"
        case .controlCharacter: "control characters in a string must be escaped"
        case .badUTF8: "the bytes are not UTF-8"
        case .duplicateName: "this name occurs twice in one object"
        case .collidingNames: "too many names of this object collide; it looks made to be slow"
        case .tooLarge: "the text is longer than the limit of bytes"
        case .tooDeep: "arrays and objects are nested deeper than the limit"
        case .tooManyValues: "there are more values than the limit"
        case .numberTooLong: "this number is longer than the limit of bytes"
        case .exponentTooLarge: "the exponent of this number is beyond the limit"
        }
    }

    package var description: String { "line \(line), column \(column) (byte \(offset)): \(what)" }
}

extension JSONParseError {
    /// Finds line and column of an offset; only failures pay for counting lines.
    init(_ fault: ScanFault, in text: UnsafeBufferPointer<UInt8>) {
        reason = fault.reason
        offset = fault.offset
        let before = text.prefix(min(fault.offset, text.count))
        line = before.reduce(1) { $1 == Byte.lineFeed ? $0 + 1 : $0 }
        column = fault.offset - (before.lastIndex(of: Byte.lineFeed).map { $0 + 1 } ?? 0) + 1
    }
}
