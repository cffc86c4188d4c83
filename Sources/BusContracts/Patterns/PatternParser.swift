/// Reads a regular expression of ECMA-262 in its Unicode mode. One leniency: any ASCII punctuation may be escaped, as
/// patterns in the wild do; letters and digits may be escaped only where the standard gives the escape a meaning.
struct PatternParser {
    /// Characters of one pattern.
    static let longest = 4_096
    /// Groups inside each other.
    static let deepest = 48
    /// The largest count in braces.
    static let largestCount = 65_535

    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var depth = 0
    private var groupCount = 0
    private var groupNames: [String] = []
    private var highestBackreference = 0
    private var namedBackreferences: [String] = []

    static func parse(_ pattern: String) throws(PatternError) -> PatternSyntax {
        var parser = PatternParser(scalars: Array(pattern.unicodeScalars))
        guard parser.scalars.count <= longest else {
            throw parser.error("a pattern has at most \(longest) characters")
        }
        let syntax = try parser.alternation()
        guard parser.at == parser.scalars.count else { throw parser.error("this ) closes no group") }
        guard parser.highestBackreference <= parser.groupCount else {
            throw parser.error("\\\(parser.highestBackreference) refers to a group that does not exist")
        }
        for name in parser.namedBackreferences where !parser.groupNames.contains(name) {
            throw parser.error("\\k<\(name)> refers to a group that does not exist")
        }
        return syntax
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private func error(_ what: String) -> PatternError { PatternError(offset: at, what: what) }

    private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard at + wanted.count <= scalars.count, scalars[at..<at + wanted.count].elementsEqual(wanted) else {
            return false
        }
        at += wanted.count
        return true
    }

    private mutating func alternation() throws(PatternError) -> PatternSyntax {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw error("groups are nested deeper than \(Self.deepest)") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternSyntax {
        var parts: [PatternSyntax] = []
        while let scalar = next, scalar != "|", scalar != ")" { parts.append(try term()) }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func term() throws(PatternError) -> PatternSyntax {
        if take("^") { return .start }
        if take("$") { return .end }
        if take("\\b") { return .wordBoundary(isNegated: false) }
        if take("\\B") { return .wordBoundary(isNegated: true) }
        for (mark, isBehind, isNegated) in [
            ("(?=", false, false), ("(?!", false, true), ("(?<=", true, false), ("(?<!", true, true),
        ] where take(mark) {
            return .lookaround(try closed(), isBehind: isBehind, isNegated: isNegated)
        }
        return try quantified(try atom())
    }

    private mutating func closed() throws(PatternError) -> PatternSyntax {
        let inner = try alternation()
        guard take(")") else { throw error("a group is not closed") }
        return inner
    }

    private mutating func atom() throws(PatternError) -> PatternSyntax {
        if take("(?:") { return .sequence([try closed()]) }
        if take("(?<") {
            let name = try groupName()
            guard !groupNames.contains(name) else { throw error("two groups are named \(name)") }
            groupCount += 1
            groupNames.append(name)
            return .group(try closed(), name: name)
        }
        if take("(?") { throw error("this kind of group does not exist in ECMA-262") }
        if take("(") {
            groupCount += 1
            return .group(try closed(), name: nil)
        }
        if take(".") { return .characters(.anyButLineTerminator) }
        if take("[") { return .characters(try characterClass()) }
        if take("\\") { return try escape() }
        guard let scalar = next else { throw error("something is missing here") }
        guard !"*+?{}])".unicodeScalars.contains(scalar) else {
            throw error("\(scalar) has to be escaped here, or has nothing to repeat")
        }
        at += 1
        return .characters(CharacterClass(scalar.value))
    }

    private mutating func groupName() throws(PatternError) -> String {
        var name = ""
        while let scalar = next, scalar != ">" {
            guard scalar.isASCII, scalar.properties.isAlphabetic || scalar == "_" || (!name.isEmpty && isDigit(scalar))
            else { throw error("a group's name is made of letters, digits and _") }
            name.unicodeScalars.append(scalar)
            at += 1
        }
        guard take(">"), !name.isEmpty, name.utf8.count <= 32 else { throw error("a group's name has 1 to 32 letters") }
        return name
    }

    // MARK: quantifiers

    private mutating func quantified(_ atom: PatternSyntax) throws(PatternError) -> PatternSyntax {
        let bounds: (Int, Int?)
        if take("*") {
            bounds = (0, nil)
        } else if take("+") {
            bounds = (1, nil)
        } else if take("?") {
            bounds = (0, 1)
        } else if take("{") {
            bounds = try counts()
        } else {
            return atom
        }
        let isLazy = take("?")
        return .repeated(atom, atLeast: bounds.0, atMost: bounds.1, isLazy: isLazy)
    }

    private mutating func counts() throws(PatternError) -> (Int, Int?) {
        guard let least = try number() else { throw error("a count was expected after {") }
        var most: Int? = least
        if take(",") { most = try number() }
        guard take("}") else { throw error("} was expected") }
        if let most, most < least { throw error("the counts are out of order") }
        return (least, most)
    }

    private mutating func number() throws(PatternError) -> Int? {
        var value: Int?
        while let scalar = next, isDigit(scalar) {
            let grown = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            guard grown <= Self.largestCount else { throw error("a count is at most \(Self.largestCount)") }
            value = grown
            at += 1
        }
        return value
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    // MARK: escapes

    private mutating func escape() throws(PatternError) -> PatternSyntax {
        if let classEscape = try classEscape() { return .characters(classEscape) }
        if take("k<") {
            let name = try groupName()
            namedBackreferences.append(name)
            return .namedBackreference(name)
        }
        if let scalar = next, isDigit(scalar), scalar != "0" {
            let group = try number() ?? 0
            highestBackreference = max(highestBackreference, group)
            return .backreference(group)
        }
        return .characters(CharacterClass(try characterEscape()))
    }

    /// \d \D \w \W \s \S \p{…} \P{…}
    private mutating func classEscape() throws(PatternError) -> CharacterClass? {
        let sets: [(String, [ClosedRange<UInt32>])] = [
            ("d", CharacterClass.digit), ("w", CharacterClass.word), ("s", CharacterClass.space),
        ]
        for (letter, ranges) in sets {
            if take(letter) { return CharacterClass(ranges) }
            if take(letter.uppercased()) { return CharacterClass(CharacterClass.complement(ranges)) }
        }
        for (mark, isNegated) in [("p{", false), ("P{", true)] where take(mark) {
            var name = ""
            while let scalar = next, scalar != "}" {
                name.unicodeScalars.append(scalar)
                at += 1
            }
            guard take("}"), let known = UnicodePropertyName.forPCRE2(name) else {
                throw error("\\p{\(name)} is not a Unicode property this checker knows")
            }
            var result = CharacterClass([])
            result.properties = [CharacterClass.Property(name: known, isNegated: isNegated)]
            return result
        }
        return nil
    }

    private mutating func characterEscape() throws(PatternError) -> UInt32 {
        guard let scalar = next else { throw error("a pattern cannot end with \\") }
        at += 1
        switch scalar {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "0":
            if let following = next, isDigit(following) { throw error("octal escapes do not exist in ECMA-262") }
            return 0
        case "c":
            guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else {
                throw error("\\c needs a letter")
            }
            at += 1
            return letter.value & 0x1F
        case "x": return try hexadecimal(digits: 2)
        case "u": return try unicodeEscape()
        default:
            guard scalar.isASCII, scalar.value >= 0x20, !scalar.properties.isAlphabetic, !isDigit(scalar) else {
                throw error("\\\(scalar) is not an escape of ECMA-262")
            }
            return scalar.value
        }
    }

    private mutating func unicodeEscape() throws(PatternError) -> UInt32 {
        if take("{") {
            var value: UInt32 = 0
            var digits = 0
            while let scalar = next, scalar.isASCII, let digit = UInt8(scalar.value).hexValue {
                value = value << 4 | digit
                (at, digits) = (at + 1, digits + 1)
                guard value <= CharacterClass.lastScalar else { throw error("no character has so large a number") }
            }
            guard digits > 0, take("}") else { throw error("\\u{…} needs hexadecimal digits") }
            return try scalarValue(value)
        }
        let first = try hexadecimal(digits: 4)
        guard (0xD800...0xDBFF).contains(first), take("\\u") else { return try scalarValue(first) }
        let second = try hexadecimal(digits: 4)
        guard (0xDC00...0xDFFF).contains(second) else { throw error("half of a surrogate pair is no character") }
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private func scalarValue(_ value: UInt32) throws(PatternError) -> UInt32 {
        guard Unicode.Scalar(value) != nil else { throw error("half of a surrogate pair is no character") }
        return value
    }

    private mutating func hexadecimal(digits: Int) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let scalar = next, scalar.isASCII, let digit = UInt8(scalar.value).hexValue else {
                throw error("\(digits) hexadecimal digits were expected")
            }
            value = value << 4 | digit
            at += 1
        }
        return value
    }

    // MARK: classes

    private mutating func characterClass() throws(PatternError) -> CharacterClass {
        var result = CharacterClass([])
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while !take("]") {
            guard next != nil else { throw error("a [ is not closed") }
            let (low, set) = try classAtom()
            if let set {
                ranges += set.ranges
                result.properties += set.properties
            }
            let dash = at
            guard take("-") else {
                if let low { ranges.append(low...low) }
                continue
            }
            guard let closing = next, closing != "]" else {
                at = dash
                if let low { ranges.append(low...low) }
                continue
            }
            let (high, _) = try classAtom()
            guard let low, let high, low <= high else { throw error("this range is out of order or has no ends") }
            ranges.append(low...high)
        }
        result.add(ranges)
        result.isNegated = isNegated
        return result
    }

    private mutating func classAtom() throws(PatternError) -> (UInt32?, CharacterClass?) {
        if take("\\") {
            if let set = try classEscape() { return (nil, set) }
            if take("b") { return (0x08, nil) }
            return (try characterEscape(), nil)
        }
        guard let scalar = next else { throw error("a [ is not closed") }
        at += 1
        return (scalar.value, nil)
    }
}

/// Names of Unicode properties as ECMA-262 allows them, in PCRE2's spelling.
enum UnicodePropertyName {
    private static let categories: [String: String] = [
        "Letter": "L", "Cased_Letter": "L&", "LC": "L&", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll",
        "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M", "Combining_Mark": "M",
        "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc", "Enclosing_Mark": "Me", "Number": "N", "Decimal_Number": "Nd",
        "digit": "Nd", "Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P", "punct": "P",
        "Connector_Punctuation": "Pc", "Dash_Punctuation": "Pd", "Open_Punctuation": "Ps", "Close_Punctuation": "Pe",
        "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf", "Other_Punctuation": "Po", "Symbol": "S",
        "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk", "Other_Symbol": "So", "Separator": "Z",
        "Space_Separator": "Zs", "Line_Separator": "Zl", "Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc",
        "cntrl": "Cc", "Format": "Cf", "Surrogate": "Cs", "Private_Use": "Co", "Unassigned": "Cn",
    ]
    private static let shortCategories: Set<String> = [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cs", "Co", "Cn",
    ]
    private static let binary: Set<String> = [
        "Any", "ASCII", "Alphabetic", "Alpha", "Lowercase", "Lower", "Uppercase", "Upper", "White_Space", "Emoji",
        "Emoji_Presentation", "Emoji_Modifier", "Emoji_Component", "Extended_Pictographic", "ID_Start", "ID_Continue",
        "XID_Start", "XID_Continue", "Ideographic", "Dash", "Hex_Digit", "ASCII_Hex_Digit", "Math", "Diacritic",
        "Quotation_Mark", "Cased", "Default_Ignorable_Code_Point", "Noncharacter_Code_Point",
    ]

    static func forPCRE2(_ name: String) -> String? {
        let parts = name.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, parts.allSatisfy(isPlain) else { return nil }
        if parts.count == 1 {
            return category(name) ?? (binary.contains(name) ? name : nil)
        }
        switch parts[0] {
        case "General_Category", "gc": return category(parts[1])
        case "Script", "sc": return "sc:" + parts[1]
        case "Script_Extensions", "scx": return "scx:" + parts[1]
        default: return nil
        }
    }

    private static func category(_ name: String) -> String? {
        categories[name] ?? (shortCategories.contains(name) ? name : nil)
    }

    private static func isPlain(_ part: String) -> Bool {
        !part.isEmpty && part.utf8.count <= 40
            && part.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
    }
}
