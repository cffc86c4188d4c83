import BusContracts
import Testing

/// Strings are read eight bytes at a time, long ones 32. Whatever needs attention is found at every offset from such a
/// boundary, and at every distance from the end of the text.
@Suite("strings at the boundaries of words")
struct WordBoundaryTests {
    /// Lengths around one word, and around the block of four that long strings are read in.
    static let lengths = Array(0...40) + Array(44...84)
    /// Characters of one to four bytes, at the limits of their ranges.
    static let characters: [Character] = [
        "a", "\u{7f}", "\u{80}", "«", "é", "\u{7ff}", "қ", "ү", "\u{800}", "№", "—", "\u{d7ff}", "\u{e000}", "\u{ffff}",
        "\u{10000}", "😀", "\u{10ffff}",
    ]

    private static func plain(_ count: Int) -> String { String("abcdefghij0123456789".repeated.prefix(count)) }

    private func fault(_ bytes: [UInt8]) -> JSONParseError? {
        do throws(JSONParseError) {
            _ = try JSONValue.parse(bytes)
            return nil
        } catch { return error }
    }

    /// Every place for a piece within a text of a length.
    private func forEachPlace(_ length: Int, _ body: (_ before: String, _ after: String) throws -> Void) rethrows {
        for place in 0...length { try body(Self.plain(place), Self.plain(length - place)) }
    }

    @Test("a character of any width, as a value and as a name", arguments: lengths)
    func characters(_ length: Int) throws {
        try forEachPlace(length) { before, after in
            for character in Self.characters {
                let text = before + String(character) + after
                let value = try JSONValue.parse("{\"\(text)\":\"\(text)\"}")
                #expect(value.object?.first?.name.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
                #expect(value[text] == .string(text))
            }
        }
    }

    @Test("an escape, as a value and as a name", arguments: lengths)
    func escapes(_ length: Int) throws {
        let escapes = ["\\n": "\n", "\\\"": "\"", "\\\\": "\\", "\\u049b": "қ", "\\ud83d\\ude00": "😀"]
        try forEachPlace(length) { before, after in
            for (escape, meaning) in escapes {
                let text = before + meaning + after
                let value = try JSONValue.parse("{\"\(before)\(escape)\(after)\":\"\(before)\(escape)\(after)\"}")
                #expect(value[text] == .string(text))
            }
        }
    }

    @Test("a control character is refused where it is, after ASCII and after Cyrillic", arguments: lengths)
    func controls(_ length: Int) {
        forEachPlace(length) { before, after in
            for lead in ["", "қ"] {
                for control in [0x00, 0x09, 0x1f] as [UInt8] {
                    let front = Array("[\"\(lead)\(before)".utf8)
                    let error = fault(front + [control] + Array("\(after)\"]".utf8))
                    #expect(error?.reason == .controlCharacter)
                    #expect(error?.offset == front.count)
                }
            }
        }
    }

    @Test("bytes that are not UTF-8 are refused where they are, after ASCII and after Cyrillic", arguments: lengths)
    func brokenCharacters(_ length: Int) {
        let broken: [[UInt8]] = [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xD0], [0xDF], [0xE2, 0x82], [0xED, 0xA0, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
        ]
        forEachPlace(length) { before, after in
            for lead in ["", "қ"] {
                for bytes in broken {
                    let front = Array("[\"\(lead)\(before)".utf8)
                    let error = fault(front + bytes + Array("\(after)\"]".utf8))
                    #expect(error?.reason == .badUTF8)
                    #expect(error?.offset == front.count)
                }
            }
        }
    }

    @Test("a text that ends within a string, or within a character", arguments: lengths)
    func ends(_ length: Int) {
        for lead in ["", "қ", "😀"] {
            let text = Array("\"\(lead)\(Self.plain(length))".utf8)
            #expect(fault(text)?.reason == .unexpectedEnd)
            #expect(fault(text)?.offset == text.count)
            #expect(fault(text + [0xD2])?.reason == .badUTF8)
            #expect(fault(text + [0xD2])?.offset == text.count)
            #expect(fault(text + Array("\"".utf8)) == nil)
        }
    }

    @Test("random bytes are taken for UTF-8 exactly if they are")
    func randomUTF8() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed of random UTF-8: \(seed)")
        var random = SeededRandom(state: seed)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...30, using: &random)).flatMap { _ in
                String(Self.characters.randomElement(using: &random) ?? "a").utf8
            }
            if Bool.random(using: &random), !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0x23...0xFF, using: &random)
            }
            bytes.removeAll { $0 == UInt8(ascii: "\\") }
            let expected = String(validating: bytes, as: UTF8.self)
            let value = try? JSONValue.parse([UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])
            #expect(value == expected.map { .string($0) })
        }
    }

    // MARK: comparisons and lengths

    @Test("names and constants that differ in one byte are different", arguments: 0...40)
    func differences(_ length: Int) throws {
        let text = Self.plain(length)
        let names = try ContractChecker.compile(schema: [
            "properties": .object([JSONMember(text, true)]), "required": [.string(text)],
            "additionalProperties": false,
        ])
        let constants = try ContractChecker.compile(schema: ["enum": ["", .string(text + "!"), .string(text)]])
        #expect(names.isValid(Array("{\"\(text)\":1}".utf8)))
        #expect(constants.isValid(Array("\"\(text)\"".utf8)))
        #expect(constants.isValid(Array("\"\(text)!\"".utf8)))
        for place in text.indices {
            let other = text.replacingCharacters(in: place, with: "#")
            #expect(!names.isValid(Array("{\"\(other)\":1}".utf8)))
            #expect(!constants.isValid(Array("\"\(other)\"".utf8)))
            #expect(fault(Array("{\"\(text)\":1,\"\(other)\":1}".utf8)) == nil)
        }
        #expect(fault(Array("{\"\(text)\":1,\"\(text)\":1}".utf8))?.reason == .duplicateName)
    }

    @Test("lengths are counted in characters", arguments: 0...40)
    func characterCounts(_ length: Int) throws {
        for character in Self.characters {
            let text = Self.plain(length / 2) + String(repeating: character, count: length - length / 2)
            let body = Array("\"\(text)\"".utf8)
            #expect(try ContractChecker.compile(schema: .bounds(length, length)).isValid(body))
            #expect(try !ContractChecker.compile(schema: .bounds(length + 1, length + 9)).isValid(body))
            if length > 0 { #expect(try !ContractChecker.compile(schema: .bounds(0, length - 1)).isValid(body)) }
        }
    }
}

extension JSONValue {
    fileprivate static func bounds(_ least: Int, _ most: Int) -> JSONValue {
        ["minLength": .number(JSONNumber(least)), "maxLength": .number(JSONNumber(most))]
    }
}

extension String {
    fileprivate var repeated: String { String(repeating: self, count: 10) }

    fileprivate func replacingCharacters(in place: Index, with other: Character) -> String {
        String(self[..<place]) + String(other) + String(self[index(after: place)...])
    }
}
