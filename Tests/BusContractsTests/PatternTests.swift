import BusContracts
import Testing

@Suite("patterns mean what ECMA-262 says")
struct PatternTests {
    private func isMatch(_ pattern: String, _ subject: String) throws -> Bool {
        let checker = try ContractChecker.compile(schema: ["pattern": .string(pattern)])
        return checker.isValid(JSONValue.string(subject).bytes())
    }

    @Test(
        "matching",
        arguments: [
            ("^\\d{12}$", "990101500016", true), ("^\\d{12}$", "99010150001", false),
            ("^\\d{12}$", "990101500016\n", false),
            ("^[A-Z0-9-]+$", "AB-1029", true), ("^[A-Z0-9-]+$", "ab", false), ("b", "abc", true), ("^b", "abc", false),
            ("b$", "abc", false),
            ("", "", true), ("^$", "", true), ("^$", "a", false), ("a|b", "xxb", true), ("^(a|b)$", "c", false),
            ("^(?:ab)*$", "abab", true),
            ("^(?:ab)*$", "aba", false), ("^a{2,3}$", "aaaa", false), ("^a{2,3}$", "aaa", true),
            ("^a{2,}?$", "aaaaa", true), ("^.$", "қ", true),
            ("^.$", "😀", true), ("^.$", "\n", false), ("^.$", "\u{2028}", false), ("^[^a]$", "\n", true),
            ("^[^а-я]+$", "қ", true),
            ("^[а-яё]+$", "слово", true), ("^[\\u0400-\\u04FF]+$", "Құнанбай", true), ("^\\u{1F600}$", "😀", true),
            ("^\\ud83d\\ude00$", "😀", true), ("^\\cA$", "\u{1}", true), ("^\\x41$", "A", true),
            ("^[\\b]$", "\u{8}", true), ("^[]$", "", false),
            ("^[^]$", "\n", true), ("^\\s$", "\u{FEFF}", true), ("^\\w$", "é", false), ("^\\p{Lu}$", "Қ", true),
            ("^\\p{Lu}$", "қ", false),
            ("^\\P{Lu}$", "қ", true), ("^[\\p{L}\\d]+$", "қ1", true), ("^\\p{Script=Cyrillic}+$", "қазақ", true),
            ("^\\p{Script=Cyrillic}+$", "kazakh", false), ("^(a)\\1$", "aa", true), ("^(?<x>a|b)\\k<x>$", "ab", false),
            ("^(?=.*\\d).{3}$", "a1b", true),
            ("^(?!0)\\d+$", "012", false), ("(?<=a)b", "ab", true), ("\\bab\\b", "x ab y", true),
            ("\\bab\\b", "xab", false),
            ("^\\/a\\-b$", "/a-b", true), ("(^a|b)$", "xb", true), ("(^a|b)$", "xa", false),
            ("^(a?)(b?)(c?)$", "ac", true),
            ("^\\d{2}:\\d{3}:\\d{3}:\\d{1,4}(:\\d{1,4}(:\\d{1,5})?)?$", "20:015:004:165:1", true),
        ])
    func matching(_ pattern: String, _ subject: String, _ expected: Bool) throws {
        #expect(try isMatch(pattern, subject) == expected)
    }

    @Test(
        "patterns ECMA-262 refuses",
        arguments: [
            "\\a", "\\Z", "\\e", "a**", "*", "(", ")", "[a", "[z-a]", "a{2,1}", "{", "\\u12", "\\ud800", "\\x1", "\\8",
            "\\k<x>", "(?<x>a)(?<x>b)", "(?i)a",
            "(?>a)", "\\p{Nothing}", "\\", "\\01", "\\c1", "[\\d-z]",
        ])
    func refused(_ pattern: String) {
        #expect(throws: SchemaError.self) { try ContractChecker.compile(schema: ["pattern": .string(pattern)]) }
    }

    @Test("an automaton and PCRE2 agree")
    func agreement() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed of random patterns: \(seed)")
        var random = SeededRandom(state: seed)
        let pieces = ["a", "b", "[ab]", "[^a]", ".", "қ", "(a|b)", "(?:ab|a)", "\\d", "(^a|b)", "(a$|b)", "[а-я]"]
        let counts = ["", "", "*", "+", "?", "{2}", "{1,3}", "*?"]
        for _ in 0..<400 {
            var pattern = Bool.random(using: &random) ? "^" : ""
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                pattern += (pieces.randomElement(using: &random) ?? "") + (counts.randomElement(using: &random) ?? "")
            }
            if Bool.random(using: &random) { pattern += "$" }
            let automaton = try ContractChecker.compile(schema: ["pattern": .string(pattern)])
            // A lookahead that changes nothing sends the pattern to PCRE2.
            let backtracking = try ContractChecker.compile(schema: ["pattern": .string("(?:\(pattern))(?=)")])
            for _ in 0..<10 {
                let subject = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    "ab1қя\n".randomElement(using: &random) ?? "a"
                }
                let bytes = JSONValue.string(String(subject)).bytes()
                #expect(automaton.isValid(bytes) == backtracking.isValid(bytes), "\(pattern) on \(String(subject))")
            }
        }
    }
}
