/// The groups of keywords a metaschema can switch on (draft 2020-12 calls them vocabularies).
struct Vocabularies: OptionSet, Sendable {
    let rawValue: Int
    static let applicator = Vocabularies(rawValue: 1)
    static let unevaluated = Vocabularies(rawValue: 2)
    static let validation = Vocabularies(rawValue: 4)
    static let formatAssertion = Vocabularies(rawValue: 8)
    static let standard: Vocabularies = [.applicator, .unevaluated, .validation]

    private static let prefix = "https://json-schema.org/draft/2020-12/vocab/"
    private static let known: [String: Vocabularies] = [
        "core": [], "applicator": .applicator, "unevaluated": .unevaluated, "validation": .validation,
        "format-assertion": .formatAssertion, "format-annotation": [], "meta-data": [], "content": [],
    ]

    /// Nil for a vocabulary this checker does not know.
    static func named(_ uri: String) -> Vocabularies? {
        uri.hasPrefix(prefix) ? known[String(uri.dropFirst(prefix.count))] : nil
    }
}

/// Where keywords hold schemas, so that `$id` and anchors are found in schemas only, never in data.
enum SchemaKeywords {
    static let holdingOne: Set<String> = [
        "additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else", "unevaluatedItems",
        "unevaluatedProperties", "contentSchema",
    ]
    static let holdingList: Set<String> = ["allOf", "anyOf", "oneOf", "prefixItems"]
    static let holdingMap: Set<String> = [
        "properties", "patternProperties", "dependentSchemas", "$defs", "definitions",
    ]
    private static let others: Set<String> = [
        "$schema", "$id", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary", "$comment", "type",
        "const",
        "enum", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
        "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains", "maxProperties",
        "minProperties", "required", "dependentRequired", "format", "title", "description", "default", "deprecated",
        "readOnly", "writeOnly", "examples", "contentEncoding", "contentMediaType",
    ]

    static func isKnown(_ keyword: String) -> Bool {
        holdingOne.contains(keyword) || holdingList.contains(keyword) || holdingMap.contains(keyword)
            || others.contains(keyword)
    }
}

/// A keyword as violations name it.
enum Rule: UInt8, BitwiseCopyable {
    case type, const, enumeration, multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum
    case maxLength, minLength, pattern, format
    case maxItems, minItems, uniqueItems, contains, maxContains, minContains
    case maxProperties, minProperties, required, dependentRequired
    case additionalProperties, unevaluatedProperties, unevaluatedItems
    case anyOf, oneOf, not, falseSchema
    case limit

    var keyword: String {
        switch self {
        case .enumeration: "enum"
        case .falseSchema: "false"
        default: "\(self)"
        }
    }
}
