import BusContracts
import Testing

@Suite("numbers are compared as numbers")
struct JSONNumberTests {
    private func number(_ text: String) throws -> JSONNumber { try #require(JSONNumber(text)) }

    @Test(
        "equal however written",
        arguments: [
            ("1", "1.0"), ("1", "10e-1"), ("0", "-0"), ("0", "0e400"), ("1e400", "10e399"),
            ("1e400", "1" + String(repeating: "0", count: 400)),
            ("0.1", "1e-1"), ("100", "1e2"), ("-2.50", "-25e-1"), ("9007199254740993", "9007199254740993.0"),
        ])
    func equal(_ left: String, _ right: String) throws {
        #expect(try number(left) == number(right))
        #expect(try number(left).hashValue == number(right).hashValue)
        #expect(try number(left).canonicalText == number(right).canonicalText)
    }

    @Test("in order, beyond the range and precision of Double")
    func ordered() throws {
        let texts = [
            "-1e999999999", "-1e401", "-1e400", "-2", "-1.0000000000000000000001", "-1", "-1e-400", "0", "1e-999999999",
            "1e-400",
            "0.1", "0.10000000000000000000000001", "1", "1.5", "2", "9007199254740992", "9007199254740993", "1e400",
            "11e399", "1e401",
        ]
        for (index, left) in texts.enumerated() {
            for (other, right) in texts.enumerated() {
                #expect(try (number(left) < number(right)) == (index < other), "\(left) < \(right)")
                #expect(try (number(left) == number(right)) == (index == other), "\(left) == \(right)")
            }
        }
    }

    @Test("as Int only when exact")
    func int() throws {
        #expect(try number("9223372036854775807").int == .max)
        #expect(try number("-9223372036854775808").int == .min)
        #expect(try number("-9.223372036854775808e18").int == .min)
        #expect(try number("9223372036854775808").int == nil)
        #expect(try number("1.20e1").int == 12)
        #expect(try number("1.5").int == nil)
        #expect(try number("1e400").int == nil)
        #expect(JSONNumber("01") == nil)
        #expect(JSONNumber(" 1") == nil)
    }

    @Test(
        "multipleOf is exact",
        arguments: [
            ("0.01", "19.99", true), ("0.01", "19.999", false), ("0.1", "0.3", true), ("1e-8", "12391239123", true),
            ("3", "1e400", false), ("7", "7e400", true), ("0.0001", "0.0075", true), ("0.0001", "0.00751", false),
            ("0.01", "4.35", true),
            ("2.5", "10", true), ("2.5", "11", false), ("1e3", "5e2", false), ("1e3", "5e3", true),
            ("999999999999999999", "999999999999999999e5", true),
        ])
    func multipleOf(_ divisor: String, _ value: String, _ isMultiple: Bool) throws {
        let checker = try ContractChecker.compile(schema: JSONValue.parse("{\"multipleOf\":\(divisor)}"))
        #expect(checker.isValid(Array(value.utf8)) == isMultiple)
        #expect(checker.isValid(Array("-\(value)".utf8)) == isMultiple)
    }

    @Test(
        "bounds are exact",
        arguments: [
            ("{\"maximum\":9007199254740992}", "9007199254740993", false),
            ("{\"maximum\":9007199254740993}", "9007199254740993.0", true),
            ("{\"minimum\":-1}", "-1.0000000000000000000001", false), ("{\"exclusiveMaximum\":1e400}", "1e400", false),
            ("{\"exclusiveMaximum\":1e400}", "9e399", true), ("{\"exclusiveMinimum\":0}", "1e-400", true),
            ("{\"exclusiveMinimum\":5}", "5", false),
            ("{\"exclusiveMinimum\":5}", "6", true), ("{\"minimum\":999999999999999999}", "1000000000000000000", true),
            ("{\"minimum\":1.5}", "1", false),
            ("{\"minimum\":1.5}", "2", true), ("{\"type\":\"integer\"}", "1e400", true),
            ("{\"type\":\"integer\"}", "1.0", true),
            ("{\"type\":\"integer\"}", "1e-1", false), ("{\"enum\":[100]}", "1e2", true),
            ("{\"const\":0}", "-0.0", true),
            ("{\"uniqueItems\":true}", "[1,1.0]", false), ("{\"minimum\":5,\"exclusiveMinimum\":5}", "5", false),
        ])
    func bounds(_ schema: String, _ value: String, _ isValid: Bool) throws {
        let checker = try ContractChecker.compile(schema: JSONValue.parse(schema))
        #expect(checker.isValid(Array(value.utf8)) == isValid)
        #expect(checker.check(Array(value.utf8)).isEmpty == isValid)
    }
}
