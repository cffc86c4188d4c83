/// One way in which a text breaks a contract. It names places and rules, never values: violations are logged and sent
/// to the other side, values may be personal data.
package struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// Where in the text.
    package let instance: JSONPointer
    /// The keyword that is broken; "json" when the text is not JSON, "limit" when checking was stopped at a bound.
    package let rule: String
    /// Where the rule is: URI of the schema, "#", JSON Pointer.
    package let schemaLocation: String
    /// What was expected, in words.
    package let expected: String

    package init(instance: JSONPointer, rule: String, schemaLocation: String, expected: String) {
        self.instance = instance
        self.rule = rule
        self.schemaLocation = schemaLocation
        self.expected = expected
    }

    package var description: String {
        let place = instance.tokens.isEmpty ? "the whole value" : instance.description
        return "\(place): expected \(expected) (\(schemaLocation))"
    }
}
