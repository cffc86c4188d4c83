import BusContracts
import Testing

/// Texts and schemas made to crash or stall a checker. Work is bounded by counted steps; the clocks only catch a bound
/// that is gone.
@Suite("hostile input", .timeLimit(.minutes(2)))
struct HostileInputTests {
    private func reason(_ bytes: [UInt8], _ limits: JSONLimits = JSONLimits()) -> JSONParseError.Reason? {
        do throws(JSONParseError) {
            _ = try JSONValue.parse(bytes, limits: limits)
            return nil
        } catch { return error.reason }
    }

    @Test(
        "a million open brackets are refused at the depth limit, not on the machine's stack",
        arguments: ["[", "{\"a\":"])
    func nesting(_ opening: String) throws {
        let text = Array(repeatElement(Array(opening.utf8), count: 1_000_000).joined())
        #expect(reason(text) == .tooDeep)
        #expect(reason(text, JSONLimits(maxDepth: .max)) == .tooDeep)
        #expect(try ContractChecker.compile(schema: true).firstViolation(text)?.rule == "json")
    }

    @Test("the deepest text that is allowed goes through a recursive schema")
    func deepest() throws {
        let schema: JSONValue = ["type": "array", "items": ["$ref": "#"], "uniqueItems": true]
        let checker = try ContractChecker.compile(schema: schema, options: .init(limits: JSONLimits(maxDepth: .max)))
        let depth = JSONLimits.deepest
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(checker.check(Array(text.utf8)).isEmpty)
        let value = try JSONValue.parse(Array(text.utf8), limits: JSONLimits(maxDepth: .max))
        #expect(value.bytes() == Array(text.utf8))
    }

    @Test("schemas applied too deep inside each other halt with a violation")
    func deepSchemas() throws {
        // Every level of the value passes ten references.
        var definitions: [JSONMember] = []
        for level in 0..<10 {
            definitions.append(
                JSONMember("d\(level)", ["$ref": .string(level == 9 ? "#/$defs/leaf" : "#/$defs/d\(level + 1)")]))
        }
        definitions.append(JSONMember("leaf", ["items": ["$ref": "#/$defs/d0"]]))
        let schema: JSONValue = ["$ref": "#/$defs/d0", "$defs": .object(definitions)]
        let checker = try ContractChecker.compile(schema: schema, options: .init(limits: JSONLimits(maxDepth: .max)))
        let text = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        #expect(checker.firstViolation(Array(text.utf8))?.rule == "limit")
        #expect(checker.isValid(Array("[[[[[[]]]]]]".utf8)))
    }

    @Test("huge numbers")
    func numbers() throws {
        let digits = Array(repeatElement(UInt8(ascii: "9"), count: 1_000_000))
        #expect(reason(digits) == .numberTooLong)
        #expect(reason(Array("1e99999999999999999999999".utf8)) == .exponentTooLarge)
        let checker = try ContractChecker.compile(schema: ["multipleOf": 7, "maximum": 10])
        #expect(checker.check(Array("1e999999999".utf8)).map(\.rule).sorted() == ["maximum", "multipleOf"])
    }

    @Test("schemas that lead back to themselves on the same value are refused")
    func endlessReferences() throws {
        let schemas: [JSONValue] = [
            ["$ref": "#"], ["$ref": "#/$defs/a", "$defs": ["a": ["$ref": "#/$defs/b"], "b": ["$ref": "#/$defs/a"]]],
            ["anyOf": [["type": "string"], ["$ref": "#"]]], ["not": ["$ref": "#"]], ["if": ["$ref": "#"]],
            ["dependentSchemas": ["a": ["$ref": "#"]]],
        ]
        for schema in schemas {
            let error = #expect(throws: SchemaError.self) { try ContractChecker.compile(schema: schema) }
            #expect(error?.what.contains("never end") == true)
        }
        _ = try ContractChecker.compile(schema: ["properties": ["next": ["$ref": "#"]]])
    }

    @Test("a dynamic reference that turns endless at run time halts")
    func endlessDynamicReference() throws {
        let schema = try JSONValue.parse(
            """
            {"$id":"http://x/root","$dynamicAnchor":"n","$ref":"inner",
             "$defs":{"inner":{"$id":"inner","$dynamicAnchor":"n","anyOf":[{"$dynamicRef":"#n"}]}}}
            """)
        do throws(SchemaError) {
            let checker = try ContractChecker.compile(schema: schema)
            #expect(checker.firstViolation(Array("1".utf8))?.rule == "limit")
        } catch {
            #expect(error.what.contains("never end"))
        }
    }

    @Test("exponential schemas run out of steps and say so", arguments: ["allOf", "anyOf", "oneOf"])
    func exponential(_ keyword: String) throws {
        var definitions: [JSONMember] = [JSONMember("d30", keyword == "allOf" ? true : ["type": "string"])]
        for level in 0..<30 {
            let reference: JSONValue = ["$ref": .string("#/$defs/d\(level + 1)")]
            definitions.append(
                JSONMember("d\(level)", [keyword: [reference, reference], "unevaluatedProperties": true]))
        }
        let schema: JSONValue = ["$ref": "#/$defs/d0", "$defs": .object(definitions)]
        let checker = try ContractChecker.compile(schema: schema)
        let violations = checker.check(Array("{\"a\":1}".utf8))
        #expect(violations.count == 1)
        #expect(violations.first?.rule == "limit")
        #expect(violations.first?.expected.contains("steps") == true)
    }

    @Test("large texts have the steps they need")
    func largeIsFine() throws {
        let schema: JSONValue = [
            "items": ["type": "object", "required": ["a"], "properties": ["a": ["type": "integer", "minimum": 0]]]
        ]
        let text = "[" + repeatElement("{\"a\":1}", count: 50_000).joined(separator: ",") + "]"
        #expect(try ContractChecker.compile(schema: schema).isValid(Array(text.utf8)))
    }

    @Test("uniqueItems over many elements does not grow with the square")
    func uniqueItems() throws {
        let checker = try ContractChecker.compile(schema: ["uniqueItems": true])
        let objects = (0..<20_000).map { "{\"id\":\($0),\"x\":[1,2]}" }
        #expect(checker.isValid(Array("[\(objects.joined(separator: ","))]".utf8)))
        #expect(!checker.isValid(Array("[\((objects + ["{\"x\":[1.0,2],\"id\":777}"]).joined(separator: ","))]".utf8)))
    }

    @Test(
        "evil patterns that an automaton decides cost one pass",
        arguments: ["^(a+)+$", "^(a|aa)+$", "(x+x+)+y", "^(.*a){10}$", "^(a|a?)+$"])
    func evilAutomata(_ pattern: String) throws {
        let checker = try ContractChecker.compile(schema: ["pattern": .string(pattern)])
        let subject = String(repeating: pattern.contains("x") ? "x" : "a", count: 100_000) + "!"
        #expect(checker.firstViolation(JSONValue.string(subject).bytes())?.rule != nil)
    }

    @Test(
        "evil patterns beyond automata hit their limits and say so",
        arguments: ["^(?=(a+)+$)", "^(a+)+\\1$", "^(?:(a+)+)+b(?!c)$"])
    func evilBacktracking(_ pattern: String) throws {
        let checker = try ContractChecker.compile(schema: ["pattern": .string(pattern)])
        let violation = checker.firstViolation(JSONValue.string(String(repeating: "a", count: 5_000) + "!").bytes())
        #expect(violation?.rule == "limit")
        #expect(violation?.expected.contains("pattern") == true)
    }

    @Test("a limit inside an alternative is never taken for a plain no")
    func limitsInAlternatives() throws {
        let evil: JSONValue = ["pattern": "^(?=(a+)+$)"]
        let schemas: [JSONValue] = [
            ["not": evil], ["anyOf": [evil, true]], ["oneOf": [evil, true]], ["if": evil],
            ["not": ["not": ["not": evil]]],
            ["contains": evil, "minContains": 0], ["items": ["not": evil]],
        ]
        let subject = JSONValue.string(String(repeating: "a", count: 5_000) + "!")
        for schema in schemas {
            let body: JSONValue = schema["contains"] != nil || schema["items"] != nil ? .array([subject]) : subject
            let violations = try ContractChecker.compile(schema: schema).check(body.bytes())
            #expect(violations.map(\.rule) == ["limit"], "\(schema.text())")
        }
    }

    @Test("many evil strings spend one budget, not one each")
    func manyEvilStrings() throws {
        let checker = try ContractChecker.compile(schema: ["items": ["not": ["pattern": "^(a+)+b(?!c)$"]]])
        let subjects = JSONValue.array(
            Array(repeating: .string(String(repeating: "a", count: 14) + "!"), count: 20_000))
        _ = checker.isValid(subjects.bytes())
    }

    @Test("patterns that are too much are refused when compiled, quickly")
    func hugePatterns() throws {
        for pattern in [
            String(repeating: "(", count: 1_000) + String(repeating: ")", count: 1_000),
            String(repeating: "a", count: 5_000), "a{99999}",
            "(((a{1000}){1000}){1000}){1000}",
        ] {
            #expect(throws: SchemaError.self) { try ContractChecker.compile(schema: ["pattern": .string(pattern)]) }
        }
        _ = try? ContractChecker.compile(schema: ["pattern": "(((){4000}){4000}){4000}"])
        _ = try? ContractChecker.compile(schema: ["pattern": "[^a]*[^b]{30}(?:[ab]{1,20}|[bc]{3,40})*x"])
    }

    @Test("random bytes never crash, and what parses is written back the same")
    func randomBytes() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed of random JSON bytes: \(seed)")
        var random = SeededRandom(state: seed)
        let alphabet = Array("[]{}\",:0123456789.eE+-truefalsn\\u \n\u{7f}қ😀".utf8) + [0x00, 0x80, 0xC3, 0xED, 0xFF]
        let checker = try ContractChecker.compile(schema: [
            "items": ["type": "integer"], "uniqueItems": true, "propertyNames": ["maxLength": 2],
        ])
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let value = try? JSONValue.parse(bytes)
            if let value { #expect(try JSONValue.parse(value.bytes(.canonical)) == value) }
            #expect(checker.isValid(bytes) == checker.check(bytes).isEmpty)
        }
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
