/// A regular expression of ECMA-262 with the `u` flag, as a tree. `pattern` and `patternProperties` mean this dialect.
indirect enum PatternSyntax: Sendable {
    case empty
    case characters(CharacterClass)
    case sequence([PatternSyntax])
    case alternation([PatternSyntax])
    case repeated(PatternSyntax, atLeast: Int, atMost: Int?, isLazy: Bool)
    case start
    case end
    case wordBoundary(isNegated: Bool)
    /// A capturing group; groups that do not capture leave no trace.
    case group(PatternSyntax, name: String?)
    case backreference(Int)
    case namedBackreference(String)
    case lookaround(PatternSyntax, isBehind: Bool, isNegated: Bool)
}

/// A set of characters: ranges of scalar values, and Unicode properties that only PCRE2's tables know.
struct CharacterClass: Sendable, Equatable {
    struct Property: Sendable, Equatable {
        /// The name as PCRE2 writes it.
        let name: String
        let isNegated: Bool
    }

    private(set) var ranges: [ClosedRange<UInt32>] = []
    var properties: [Property] = []
    var isNegated = false

    static let lastScalar: UInt32 = 0x10FFFF

    init(_ ranges: [ClosedRange<UInt32>]) { self.ranges = Self.merged(ranges) }

    init(_ scalar: UInt32) { ranges = [scalar...scalar] }

    mutating func add(_ more: [ClosedRange<UInt32>]) { ranges = Self.merged(ranges + more) }

    /// The ranges with negation applied; nil when a Unicode property takes part.
    var resolvedRanges: [ClosedRange<UInt32>]? {
        guard properties.isEmpty else { return nil }
        return isNegated ? Self.complement(ranges) : ranges
    }

    static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound <= last.upperBound + 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in merged(ranges) {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= lastScalar { result.append(next...lastScalar) }
        return result
    }

    // ECMA-262: \d and \w are ASCII; \s is WhiteSpace and LineTerminator.
    static let digit: [ClosedRange<UInt32>] = [0x30...0x39]
    static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    static let space: [ClosedRange<UInt32>] = [
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ]
    static let lineTerminator: [ClosedRange<UInt32>] = [0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]
    /// What "." matches.
    static let anyButLineTerminator = CharacterClass(complement(lineTerminator))
}

/// Why a regular expression is refused.
package struct PatternError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Offset in characters (scalar values) of the pattern.
    package let offset: Int
    package let what: String

    package var description: String { "at character \(offset): \(what)" }
}
