import BusContracts
import Testing

@Suite("JSON texts")
struct JSONParsingTests {
    @Test(
        "texts that are JSON",
        arguments: [
            "null", " true ", "0", "-0", "1.5e+3", "\"\"", "[]", "{}", "[1,[2,{\"a\":[]}]]", "\"\\ud83d\\ude00\"",
            "\"\\u0000\"",
            "{\"\":1}", "\t\r\n1\n", "\"қазақ тілі 😀\"", "1e400", "-1E-999999999",
        ])
    func accepted(_ text: String) throws {
        let value = try JSONValue.parse(text)
        #expect(try JSONValue.parse(value.bytes()) == value)
        #expect(try JSONValue.parse(value.bytes(.pretty)) == value)
        #expect(try JSONValue.parse(value.bytes(.canonical)) == value)
    }

    @Test(
        "texts that are not",
        arguments: [
            ("", .empty, 0), ("  ", .empty, 2), ("nul", .badLiteral, 0), ("[1,]", .unexpectedByte, 3),
            ("[1 2]", .unexpectedByte, 3),
            ("01", .badNumber, 0), ("-", .badNumber, 0), ("1.", .badNumber, 0), (".5", .unexpectedByte, 0),
            ("1e", .badNumber, 0),
            ("+1", .unexpectedByte, 0), ("\"\\x\"", .badEscape, 1), ("\"\\u12g4\"", .badEscape, 1),
            ("\"\\ud800\"", .loneSurrogate, 1),
            ("\"\\udc00\"", .loneSurrogate, 1), ("\"\\ud800\\u0041\"", .loneSurrogate, 1),
            ("\"a\tb\"", .controlCharacter, 2),
            ("\"a", .unexpectedEnd, 2), ("\"\\", .unexpectedEnd, 2), ("{\"a\":1,\"a\":2}", .duplicateName, 7),
            ("{\"a\":1,\"\\u0061\":2}", .duplicateName, 7),
            ("{\"a\":1,\"a\"}", .unexpectedByte, 10),
            ("{a:1}", .unexpectedByte, 1), ("{\"a\"}", .unexpectedByte, 4), ("1 2", .trailingBytes, 2),
            ("\u{FEFF}1", .unexpectedByte, 0),
            ("NaN", .unexpectedByte, 0), ("[", .unexpectedEnd, 1), ("{\"a\":", .unexpectedEnd, 5),
            ("1e1000000000", .exponentTooLarge, 0),
        ] as [(String, JSONParseError.Reason, Int)])
    func refused(_ text: String, _ reason: JSONParseError.Reason, _ offset: Int) {
        let error = #expect(throws: JSONParseError.self) { try JSONValue.parse(text) }
        #expect(error?.reason == reason)
        #expect(error?.offset == offset)
    }

    @Test(
        "bytes that are not UTF-8",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80], [0xE2, 0x82], [0xC3], [0xFF], [0xD0, 0x41],
        ] as [[UInt8]])
    func badUTF8(_ bytes: [UInt8]) {
        for padding in 0..<9 {
            let text =
                [UInt8(ascii: "\"")] + Array(repeating: UInt8(ascii: "a"), count: padding) + bytes + [
                    UInt8(ascii: "\"")
                ]
            let error = #expect(throws: JSONParseError.self) { try JSONValue.parse(text) }
            #expect(error?.reason == .badUTF8)
            #expect(error?.offset == padding + 1)
        }
    }

    @Test("an error tells line and column")
    func position() {
        let error = #expect(throws: JSONParseError.self) { try JSONValue.parse("{\n  \"a\": 1,\n  \"b\": tru\n}") }
        #expect(error?.line == 3)
        #expect(error?.column == 8)
    }

    @Test("every limit is kept")
    func limits() throws {
        func reason(_ text: String, _ limits: JSONLimits) -> JSONParseError.Reason? {
            do throws(JSONParseError) {
                _ = try JSONValue.parse(text, limits: limits)
                return nil
            } catch { return error.reason }
        }
        #expect(reason("[[1]]", JSONLimits(maxDepth: 2)) == nil)
        #expect(reason("[[[1]]]", JSONLimits(maxDepth: 2)) == .tooDeep)
        #expect(reason("[1,2]", JSONLimits(maxValues: 3)) == nil)
        #expect(reason("[1,2,3]", JSONLimits(maxValues: 3)) == .tooManyValues)
        #expect(reason("{\"a\":1,\"b\":2}", JSONLimits(maxValues: 4)) == .tooManyValues)
        #expect(reason("12345", JSONLimits(maxNumberBytes: 4)) == .numberTooLong)
        #expect(reason("\"abc\"", JSONLimits(maxBytes: 4)) == .tooLarge)
        #expect(JSONLimits(maxDepth: 1_000_000).maxDepth == JSONLimits.deepest)
    }

    @Test("duplicate names are found in objects of any size, and only there", arguments: [2, 47, 48, 49, 50, 3_000])
    func duplicates(_ count: Int) throws {
        let names = (0..<count).map { "\"name\($0)\":{\"same\":\($0)}" }
        #expect(try JSONValue.parse("{" + names.joined(separator: ",") + "}").object?.count == count)
        let twice = names + ["\"name\(count / 2)\":0"]
        let error = #expect(throws: JSONParseError.self) {
            try JSONValue.parse("{" + twice.joined(separator: ",") + "}")
        }
        #expect(error?.reason == .duplicateName)
    }

    @Test("names are compared without Unicode normalisation")
    func normalisation() throws {
        let value = try JSONValue.parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value["\u{E9}"]?.int == 1)
        #expect(value["e\u{301}"]?.int == 2)
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test("strings of every length and place survive", arguments: 0..<40)
    func lengths(_ length: Int) throws {
        for special in ["", "\\n", "\\\"", "қ", "😀", "\\u049b", "\\ud83d\\ude00"] {
            let text = String(repeating: "a", count: length) + special + String(repeating: "b", count: length % 9)
            let expected =
                String(repeating: "a", count: length)
                + (["\\n": "\n", "\\\"": "\"", "\\u049b": "қ", "\\ud83d\\ude00": "😀"][special] ?? special)
                + String(repeating: "b", count: length % 9)
            #expect(try JSONValue.parse("[\"\(text)\",1]")[0]?.string == expected)
        }
    }

    @Test("the canonical form is one for equal values")
    func canonical() throws {
        let left = try JSONValue.parse("{\"b\":1.0,\"a\":[1e2,-0,0.00001,1e-7,123456789012345678901234]}")
        let right = try JSONValue.parse(
            "{ \"a\":[100.0,0.0,1e-5,0.0000001,1.23456789012345678901234e23], \"b\":10e-1 }")
        #expect(left == right)
        #expect(left.text(.canonical) == right.text(.canonical))
        #expect(left.text(.canonical) == "{\"a\":[100,0,0.00001,1e-7,1.23456789012345678901234e+23],\"b\":1}")
    }

    @Test("pointers (RFC 6901, section 5)")
    func pointers() throws {
        let value = try JSONValue.parse("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"m~n\":8,\"01\":{\"0\":5}}")
        #expect(JSONPointer("/foo/1").flatMap { value[$0] } == "baz")
        #expect(JSONPointer("/foo/01").flatMap { value[$0] } == nil)
        #expect(JSONPointer("/").flatMap { value[$0] } == 0)
        #expect(JSONPointer("/a~1b").flatMap { value[$0] } == 1)
        #expect(JSONPointer("/m~0n").flatMap { value[$0] } == 8)
        #expect(JSONPointer("/01/0").flatMap { value[$0] } == 5)
        #expect(JSONPointer("").flatMap { value[$0] } == value)
        #expect(JSONPointer("foo") == nil)
        #expect(JSONPointer("/~2") == nil)
        #expect(JSONPointer(tokens: ["a/b", "m~n", ""]).description == "/a~1b/m~0n/")
    }
}
