import BusContracts
import Testing

@Suite("compatibility of versions")
struct ContractCompatibilityTests {
    /// old, new, level.
    static let table: [(String, String, String)] = [
        (#"{"type":"string"}"#, #"{"type":"string"}"#, "full"),
        (#"{"type":"string","title":"a"}"#, #"{"type":"string","title":"b"}"#, "full"),
        (#"{"type":"integer"}"#, #"{"type":"number"}"#, "backward"),
        (#"{"type":"string"}"#, #"{"type":["string","null"]}"#, "backward"),
        (#"{"type":"string"}"#, #"{"type":"integer"}"#, "none"),
        (#"{"enum":["a"]}"#, #"{"enum":["a","b"]}"#, "backward"),
        (#"{"enum":["a","b"]}"#, #"{"enum":["b","a"]}"#, "full"),
        (#"{"enum":["a"]}"#, #"{"const":"a"}"#, "full"),
        (#"{"enum":["ab"]}"#, #"{"type":"string","maxLength":2,"pattern":"^a"}"#, "backward"),
        (#"{"type":"boolean"}"#, #"{"enum":[true,false]}"#, "full"),
        (#"{"type":"integer","minimum":1}"#, #"{"type":"integer","minimum":0}"#, "backward"),
        (#"{"type":"integer","minimum":1.0}"#, #"{"type":"integer","minimum":1}"#, "full"),
        (#"{"type":"number","exclusiveMinimum":0}"#, #"{"type":"number","minimum":0}"#, "backward"),
        (#"{"type":"integer","maximum":9}"#, #"{"type":"integer","maximum":10}"#, "backward"),
        (#"{"multipleOf":4}"#, #"{"multipleOf":2}"#, "backward"),
        (#"{"type":"string","maxLength":10}"#, #"{"type":"string","maxLength":20}"#, "backward"),
        (#"{"type":"string"}"#, #"{"type":"string","minLength":0}"#, "full"),
        (#"{"type":"string","pattern":"^a"}"#, #"{"type":"string","pattern":"^b"}"#, "none"),
        (#"{"type":"string","pattern":"^a"}"#, #"{"type":"string"}"#, "backward"),
        (#"{"type":"string","format":"iin"}"#, #"{"type":"string","format":"bin"}"#, "none"),
        (#"{"type":"string"}"#, #"{"type":"string","format":"iin"}"#, "forward"),
        // Objects that are closed: a new optional member is read by new readers only.
        (
            #"{"type":"object","properties":{"a":{}},"additionalProperties":false}"#,
            #"{"type":"object","properties":{"a":{},"b":{}},"additionalProperties":false}"#, "backward"
        ),
        (
            #"{"type":"object","properties":{"a":{}},"additionalProperties":false}"#,
            #"{"type":"object","properties":{"a":{},"b":{}},"required":["b"],"additionalProperties":false}"#, "none"
        ),
        (
            #"{"type":"object","properties":{"a":{}},"required":["a"]}"#, #"{"type":"object","properties":{"a":{}}}"#,
            "backward"
        ),
        // Objects that are open: the old writer may have put anything under the new name.
        (
            #"{"type":"object","properties":{"a":{"type":"string"}}}"#,
            #"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}"#, "forward"
        ),
        (#"{"type":"object"}"#, #"{"type":"object","properties":{"b":true}}"#, "full"),
        (#"{"type":"object","additionalProperties":false}"#, #"{"type":"object"}"#, "backward"),
        (
            #"{"type":"object","additionalProperties":{"type":"integer"}}"#,
            #"{"type":"object","additionalProperties":{"type":"number"}}"#, "backward"
        ),
        (
            #"{"type":"object","patternProperties":{"^x":{"type":"integer"}}}"#,
            #"{"type":"object","patternProperties":{"^x":{"type":"number"}}}"#, "none"
        ),
        // Closed but for a pattern: members that match it reach a reader that knows no pattern.
        (
            #"{"type":"object","patternProperties":{"^x":{}},"additionalProperties":false}"#,
            #"{"type":"object","additionalProperties":false}"#, "forward"
        ),
        (#"{"type":"array","items":{"type":"integer"}}"#, #"{"type":"array","items":{"type":"number"}}"#, "backward"),
        (#"{"type":"array","maxItems":1}"#, #"{"type":"array","uniqueItems":true}"#, "backward"),
        (
            #"{"type":"array","prefixItems":[{"type":"integer"}],"items":false}"#,
            #"{"type":"array","items":{"type":"integer"}}"#, "backward"
        ),
        (
            #"{"type":"array","prefixItems":[{"type":"string"}],"items":{"type":"integer"}}"#,
            #"{"type":"array","items":{"type":"integer"}}"#, "none"
        ),
        (##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}}}"##, ##"{"type":"integer"}"##, "full"),
        (
            ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}}}"##,
            ##"{"$ref":"#/$defs/b","$defs":{"b":{"type":"number"}}}"##, "backward"
        ),
        (
            ##"{"properties":{"n":{"$ref":"#"}},"type":"object","additionalProperties":false}"##,
            ##"{"properties":{"n":{"$ref":"#"},"m":{}},"type":"object","additionalProperties":false}"##, "backward"
        ),
        (#"{"allOf":[{"type":"integer"},{"minimum":5}]}"#, #"{"type":"integer","minimum":1}"#, "backward"),
        (#"{"anyOf":[{"type":"integer"},{"type":"string"}]}"#, #"{"type":["string","integer"]}"#, "backward"),
        (#"{"type":"integer"}"#, #"{"anyOf":[{"type":"string"},{"type":"number"}]}"#, "backward"),
        (
            #"{"oneOf":[{"type":"string"},{"type":"null"}]}"#,
            #"{"oneOf":[{"type":"string"},{"type":"null"}],"title":"x"}"#, "full"
        ),
        (#"{"not":{"type":"string"}}"#, #"{"not":{"type":"string"},"title":"x"}"#, "full"),
        (#"{"not":{"type":"string"}}"#, #"{"not":{"type":"null"}}"#, "none"),
        (
            #"{"if":{"type":"string"},"then":{"minLength":1}}"#, #"{"if":{"type":"string"},"then":{"minLength":2}}"#,
            "none"
        ), ("false", "true", "backward"), ("true", "{}", "full"),
        (
            #"{"properties":{"a":{}},"unevaluatedProperties":false}"#,
            #"{"properties":{"b":{}},"unevaluatedProperties":false}"#, "none"
        ),
        (
            #"{"type":"array","contains":{"type":"string"},"minContains":2}"#,
            #"{"type":"array","contains":{"type":"string"},"minContains":3}"#, "none"
        ),
    ]

    @Test("pairs of schemas", arguments: table)
    func pairs(_ old: String, _ new: String, _ level: String) throws {
        let report = ContractCompatibility.compare(old: try JSONValue.parse(old), new: try JSONValue.parse(new))
        #expect(report.level == level, "\(report.findings.map(\.description))")
        let reverse = ContractCompatibility.compare(old: try JSONValue.parse(new), new: try JSONValue.parse(old))
        #expect(reverse.level == (["backward": "forward", "forward": "backward"][level] ?? level))
    }

    @Test("a claim of compatibility is never refuted by data")
    func claimsHold() throws {
        let data = [
            "null", "true", "1", "0", "5", "-1", "2.5", "\"\"", "\"a\"", "\"ab\"", "[]", "[1]", "[1,1]", "[\"a\",2]",
            "{}", "{\"a\":1}", "{\"a\":\"x\",\"b\":2}", "{\"b\":null}", "{\"n\":{\"n\":{}}}", "{\"x1\":1.5}",
        ]
        let schemas = try Self.table.flatMap { [try JSONValue.parse($0.0), try JSONValue.parse($0.1)] }
        let checkers = try schemas.map { try ContractChecker.compile(schema: $0) }
        let accepted = checkers.map { checker in data.map { checker.isValid(Array($0.utf8)) } }
        for old in schemas.indices {
            for new in schemas.indices where old % 3 == new % 3 {
                let report = ContractCompatibility.compare(old: schemas[old], new: schemas[new])
                for index in data.indices where accepted[old][index] && !accepted[new][index] {
                    #expect(
                        !report.isBackwardCompatible,
                        "\(schemas[old].text()) → \(schemas[new].text()) on \(data[index])")
                }
            }
        }
    }

    @Test("findings tell place, rule and reason")
    func findings() throws {
        let report = ContractCompatibility.compare(
            old: ["type": "object", "properties": ["a": ["type": "string"]], "additionalProperties": false],
            new: [
                "type": "object", "properties": ["a": ["type": "integer"]], "required": ["a"],
                "additionalProperties": false,
            ])
        let backward = Set(report.backward.map { "\($0.verdict) \($0.pointer) \($0.rule)" })
        #expect(backward == ["breaking /properties/a/type type", "breaking /required required"])
        #expect(report.backward.allSatisfy { $0.why.hasSuffix(".") })
    }

    @Test("contracts are compared part by part")
    func contracts() throws {
        let old = try Contract.parse(Array(ContractTests.personGet.utf8))
        let text = ContractTests.personGet.replacing("person-get.v1", with: "person-get.v2")
            .replacing(#""name":{"type":"string"}}}"#, with: #""name":{"type":"string"},"sex":{"enum":["m","f"]}}}"#)
        let new = try Contract.parse(Array(text.utf8))
        let report = ContractCompatibility.compare(old: old, new: new)
        #expect(report.level == "forward")
        #expect(report.backward.map(\.pointer.description) == ["/reply/properties/sex"])
        #expect(report.backward.first?.verdict == .unproven)
    }

    @Test("hostile pairs end")
    func hostile() {
        var definitions: [JSONMember] = []
        for level in 0..<40 {
            let reference: JSONValue = ["$ref": .string("#/$defs/d\(level + 1)")]
            definitions.append(
                JSONMember("d\(level)", ["anyOf": [reference, reference], "title": .string("\(level)")]))
        }
        definitions.append(JSONMember("d40", ["type": "string"]))
        let old: JSONValue = ["$ref": "#/$defs/d0", "$defs": .object(definitions)]
        #expect(!ContractCompatibility.compare(old: old, new: ["type": "integer"]).isBackwardCompatible)
        #expect(!ContractCompatibility.compare(old: ["$ref": "#"], new: ["type": "integer"]).isBackwardCompatible)
    }
}
