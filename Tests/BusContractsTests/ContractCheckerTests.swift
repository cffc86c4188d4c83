import BusContracts
import Testing

@Suite("what a checker tells")
struct ContractCheckerTests {
    private static let schema: JSONValue = [
        "$id": "https://kerege.example/person", "type": "object", "required": ["iin", "name"],
        "additionalProperties": false,
        "properties": [
            "iin": ["type": "string", "format": "iin"], "name": ["type": "string", "minLength": 1, "maxLength": 3],
            "children": ["type": "array", "items": ["$ref": "#"], "maxItems": 2], "a/b": ["enum": ["x", "y"]],
        ],
    ]

    @Test("places, rules and expectations of all violations")
    func violations() throws {
        let checker = try ContractChecker.compile(schema: Self.schema)
        let body =
            #"{"iin":"990101500017","name":"","children":[{"iin":"990101500016","name":"Abai"},7],"a/b":"z","extra":1}"#
        let found = checker.check(Array(body.utf8))
        #expect(
            Set(found.map { "\($0.instance) \($0.rule) \($0.schemaLocation)" }) == [
                "/iin format https://kerege.example/person#/properties/iin/format",
                "/name minLength https://kerege.example/person#/properties/name/minLength",
                "/children/0/name maxLength https://kerege.example/person#/properties/name/maxLength",
                "/children/1 type https://kerege.example/person#/type",
                "/a~1b enum https://kerege.example/person#/properties/a~1b/enum",
                "/extra additionalProperties https://kerege.example/person#/additionalProperties",
            ])
        #expect(found.first { $0.rule == "maxLength" }?.expected == "at most 3 characters")
        #expect(found.allSatisfy { !$0.description.contains("Abai") && !$0.description.contains("990101500017") })
        #expect(checker.firstViolation(Array(body.utf8)) == found.first)
    }

    @Test("each missing member is named")
    func required() throws {
        let checker = try ContractChecker.compile(schema: Self.schema)
        #expect(
            checker.check(Array("{}".utf8)).map(\.expected) == [
                "the member iin, which is missing", "the member name, which is missing",
            ])
    }

    @Test("more required members than fit one word of bits", arguments: [63, 64, 65, 200])
    func manyRequired(_ count: Int) throws {
        let names = (0..<count).map { "n\($0)" }
        let checker = try ContractChecker.compile(schema: ["required": .array(names.map { .string($0) })])
        let members = names.map { JSONMember($0, 1) }
        #expect(checker.isValid(JSONValue.object(members).bytes()))
        for missing in [0, count / 2, count - 1] {
            var fewer = members
            fewer.remove(at: missing)
            #expect(
                checker.check(JSONValue.object(fewer).bytes()).map(\.expected) == [
                    "the member n\(missing), which is missing"
                ])
        }
    }

    @Test("text that is not JSON is a violation with its position")
    func notJSON() throws {
        let violation = try ContractChecker.compile(schema: true).firstViolation(Array("{\"a\":}".utf8))
        #expect(violation?.rule == "json")
        #expect(violation?.expected.contains("column 6") == true)
    }

    @Test("violations stop at the limit")
    func mostViolations() throws {
        let checker = try ContractChecker.compile(schema: ["items": false], options: .init(maxViolations: 5))
        #expect(checker.check(Array("[1,2,3,4,5,6,7,8]".utf8)).count == 5)
    }

    @Test("schemas that make no sense are refused with the place")
    func badSchemas() {
        let cases: [(JSONValue, String)] = [
            (["minLength": -1], "#/minLength"), (["minLength": "1"], "#/minLength"), (["type": "text"], "#/type"),
            (["properties": ["a": 1]], "#/properties/a"),
            (["properties": []], "#/properties"), (["required": [1]], "#/required"), (["$ref": "#/nowhere"], "#"),
            (["$ref": "http://elsewhere/x"], "#"),
            (["multipleOf": 0], "#/multipleOf"), (["pattern": "("], "#/pattern"), (["allOf": []], "#/allOf"),
            (["uniqueItems": 1], "#/uniqueItems"),
            (["$schema": "http://json-schema.org/draft-07/schema#"], ""), (["enum": 1], "#/enum"), (1, "#"),
        ]
        for (schema, location) in cases {
            let error = #expect(throws: SchemaError.self) { try ContractChecker.compile(schema: schema) }
            #expect(error?.location == location, "\(schema.text()): \(error.map(String.init(describing:)) ?? "")")
        }
    }

    @Test("strict options refuse what would silently not be checked")
    func strict() {
        #expect(throws: SchemaError.self) {
            try ContractChecker.compile(schema: ["requierd": ["a"]], options: .init(refuseUnknownKeywords: true))
        }
        #expect(throws: SchemaError.self) {
            try ContractChecker.compile(schema: ["format": "idn-email"], options: .init(refuseUnknownFormats: true))
        }
        #expect(throws: Never.self) {
            try ContractChecker.compile(
                schema: ["x-note": 1, "format": "kato"],
                options: .init(refuseUnknownFormats: true, refuseUnknownKeywords: true))
        }
    }

    @Test("schemas satisfy the metaschema they are written in")
    func metaschema() throws {
        let checker = try ContractChecker.compile(schema: ["$ref": "https://json-schema.org/draft/2020-12/schema"])
        #expect(checker.check(Self.schema.bytes()).isEmpty)
        #expect(!checker.isValid(Array("{\"minLength\":-1}".utf8)))
        #expect(!checker.isValid(Array("{\"properties\":{\"a\":{\"type\":\"text\"}}}".utf8)))
    }

    @Test("one checker, many threads")
    func threads() async throws {
        let checker = try ContractChecker.compile(schema: Self.schema)
        let wrong = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var wrong = 0
                    for round in 0..<500 {
                        let isGood = (worker + round) % 2 == 0
                        let text = "{\"iin\":\"99010150001\(isGood ? 6 : 7)\",\"name\":\"\\u049b\(round % 10)\"}"
                        if checker.isValid(Array(text.utf8)) != isGood { wrong += 1 }
                        if checker.check(Array(text.utf8)).count != (isGood ? 0 : 1) { wrong += 1 }
                    }
                    return wrong
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
