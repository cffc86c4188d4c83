/// What a rule asks for, in words made from its own schema.
enum ViolationWording {
    /// The most characters of a value of the schema that are quoted.
    private static let longestQuote = 160

    static func expectation(_ rule: Rule, _ schema: JSONValue, detail: String?) -> String {
        let value = schema[rule.keyword]
        let number = value?.number?.text ?? "?"
        return switch rule {
        case .type: types(value)
        case .const: "exactly \(quoted(value))"
        case .enumeration: "one of \(quoted(value))"
        case .multipleOf: "a multiple of \(number)"
        case .maximum: "at most \(number)"
        case .exclusiveMaximum: "less than \(number)"
        case .minimum: "at least \(number)"
        case .exclusiveMinimum: "more than \(number)"
        case .maxLength: "at most \(number) characters"
        case .minLength: "at least \(number) characters"
        case .pattern: "text that matches \(value?.string ?? "the pattern")"
        case .format: schema["format"]?.string.flatMap { ContractFormat(word: $0) }?.expectation ?? "another format"
        case .maxItems: "at most \(number) elements"
        case .minItems: "at least \(number) elements"
        case .uniqueItems: "elements that are all different"
        case .contains: "an element that satisfies contains"
        case .maxContains: "at most \(number) elements that satisfy contains"
        case .minContains: "at least \(number) elements that satisfy contains"
        case .maxProperties: "at most \(number) members"
        case .minProperties: "at least \(number) members"
        case .required: "the member \(detail ?? "?"), which is missing"
        case .dependentRequired: "the member \(detail ?? "?"), which another member here calls for"
        case .additionalProperties, .unevaluatedProperties: "no member of this name: the contract does not know it"
        case .unevaluatedItems: "no further elements"
        case .anyOf: "a value that fits at least one of \(value?.array?.count ?? 0) alternatives"
        case .oneOf:
            "a value that fits exactly one of \(value?.array?.count ?? 0) alternatives, not \(detail ?? "none")"
        case .not: "a value that does not fit the schema under not"
        case .falseSchema: "nothing here"
        case .limit: detail ?? "a value that can be checked within the limits"
        }
    }

    private static func types(_ value: JSONValue?) -> String {
        let words = value?.string.map { [$0] } ?? value?.array?.compactMap(\.string) ?? []
        return words.map { $0 == "null" ? $0 : ("aeio".contains($0.prefix(1)) ? "an " : "a ") + $0 }
            .joined(separator: " or ")
    }

    private static func quoted(_ value: JSONValue?) -> String {
        let whole = value?.text() ?? "?"
        return whole.count <= longestQuote ? whole : whole.prefix(longestQuote) + "…"
    }
}
