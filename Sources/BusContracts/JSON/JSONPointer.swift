/// A place in a JSON value (RFC 6901): "" is the whole, "/person/name" a member of a member.
package struct JSONPointer: Sendable, CustomStringConvertible {
    /// The names and indices on the way, without escapes.
    package var tokens: [String]

    package static let whole = JSONPointer(tokens: [])

    package init(tokens: [String]) { self.tokens = tokens }

    /// Nil unless `text` is empty or starts with "/" and escapes only as ~0 and ~1.
    package init?(_ text: String) {
        guard Self.isWellFormed(Array(text.utf8)) else { return nil }
        tokens = Self.pieces(of: Array(text.utf8)).map { String(decoding: Self.unescaped($0), as: UTF8.self) }
    }

    package func appending(_ token: String) -> JSONPointer { JSONPointer(tokens: tokens + [token]) }
    package func appending(_ index: Int) -> JSONPointer { appending(String(index)) }

    package var description: String {
        tokens.map { "/" + String(decoding: Self.escaped($0), as: UTF8.self) }.joined()
    }

    /// An index of an array: decimal digits without leading zeros.
    package static func index(_ token: String) -> Int? {
        let digits = token.utf8
        guard digits.allSatisfy(\.isDigit), digits.count == 1 || digits.first != Byte.zero else { return nil }
        return Int(token)
    }

    static func isWellFormed(_ text: some Sequence<UInt8>) -> Bool {
        var expectsDigit = false
        var isFirst = true
        for byte in text {
            if isFirst, byte != Byte.slash { return false }
            isFirst = false
            if expectsDigit, byte != UInt8(ascii: "0"), byte != UInt8(ascii: "1") { return false }
            expectsDigit = byte == UInt8(ascii: "~")
        }
        return !expectsDigit
    }

    private static func pieces(of text: [UInt8]) -> ArraySlice<ArraySlice<UInt8>> {
        text.split(separator: Byte.slash, omittingEmptySubsequences: false).dropFirst()
    }

    private static func unescaped(_ piece: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var isEscape = false
        for byte in piece {
            if isEscape {
                output.append(byte == UInt8(ascii: "1") ? Byte.slash : UInt8(ascii: "~"))
                isEscape = false
            } else if byte == UInt8(ascii: "~") {
                isEscape = true
            } else {
                output.append(byte)
            }
        }
        return output
    }

    private static func escaped(_ token: String) -> [UInt8] {
        token.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "~"): Array("~0".utf8)
            case Byte.slash: Array("~1".utf8)
            default: [byte]
            }
        }
    }
}

extension JSONPointer: Hashable {
    package static func == (left: JSONPointer, right: JSONPointer) -> Bool {
        left.tokens.elementsEqual(right.tokens) { $0.hasSameScalars(as: $1) }
    }

    package func hash(into hasher: inout Hasher) {
        for token in tokens { hasher.combine(Array(token.utf8)) }
    }
}
