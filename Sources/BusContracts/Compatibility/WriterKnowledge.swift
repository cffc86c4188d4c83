/// What is known of a writer's values: the rules of several schemas that all hold at once.
struct WriterKnowledge {
    let schemas: [JSONValue]

    init(_ schemas: [JSONValue]) { self.schemas = schemas }

    func all(_ keyword: String) -> [JSONValue] { schemas.compactMap { $0[keyword] } }

    /// Every value there can be, if the schemas list them or leave so few.
    var values: [JSONValue]? {
        let allowed = all("type").reduce(TypeMask.all) { $0 & Self.mask($1) }
        let listed = all("const").first.map { [$0] } ?? all("enum").compactMap(\.array).min { $0.count < $1.count }
        if let listed { return listed.filter { Self.type(of: $0) & allowed != 0 } }
        guard allowed & ~(TypeMask.null | TypeMask.boolean) == 0 else { return nil }
        return [.null, .bool(false), .bool(true)].filter { Self.type(of: $0) & allowed != 0 }
    }

    /// Bits of the types there can be.
    var types: UInt8 {
        let mask = all("type").reduce(TypeMask.all) { $0 & Self.mask($1) }
        return values.map { $0.reduce(0) { $0 | Self.type(of: $1) } & mask } ?? mask
    }

    static func mask(_ type: JSONValue) -> UInt8 {
        let words = type.string.map { [$0] } ?? type.array?.compactMap(\.string) ?? []
        return words.reduce(0) { $0 | (TypeMask.named($1) ?? 0) }
    }

    private static func type(of value: JSONValue) -> UInt8 {
        switch value {
        case .null: TypeMask.null
        case .bool: TypeMask.boolean
        case .number(let number): number.isInteger ? TypeMask.integer : TypeMask.fraction
        case .string: TypeMask.string
        case .array: TypeMask.array
        case .object: TypeMask.object
        }
    }

    static func names(of mask: UInt8) -> String {
        let names = [
            (TypeMask.null, "null"), (TypeMask.boolean, "boolean"), (TypeMask.integer, "integer"),
            (TypeMask.fraction, "number with a fraction"), (TypeMask.string, "string"), (TypeMask.array, "array"),
            (TypeMask.object, "object"),
        ]
        return names.filter { mask & $0.0 != 0 }.map(\.1).joined(separator: ", ")
    }

    var required: [String] { all("required").flatMap { $0.array?.compactMap(\.string) ?? [] } }

    func requires(_ name: String) -> Bool { required.contains { $0.hasSameScalars(as: name) } }

    /// The largest of the values of a keyword.
    func largest(_ keyword: String) -> JSONNumber? { all(keyword).compactMap(\.number).max() }
    func smallest(_ keyword: String) -> JSONNumber? { all(keyword).compactMap(\.number).min() }

    var propertyNames: [String] {
        var names: [String] = []
        for member in all("properties").flatMap({ $0.object ?? [] })
        where !names.contains(where: { $0.hasSameScalars(as: member.name) }) {
            names.append(member.name)
        }
        return names
    }

    /// The schemas a member of this name satisfies. An empty list: nothing is known of it.
    func schemas(ofMember name: String) -> [JSONValue] {
        schemas.flatMap { Self.schemas(ofMember: name, in: $0) }
    }

    static func schemas(ofMember name: String, in schema: JSONValue) -> [JSONValue] {
        var result: [JSONValue] = []
        if let property = schema["properties"]?[name] { result.append(property) }
        for entry in schema["patternProperties"]?.object ?? [] {
            guard let syntax = try? PatternParser.parse(entry.name), let automaton = PatternAutomaton(syntax) else {
                // Unknown whether it matches: nothing may be concluded from it, nor from additionalProperties.
                return result
            }
            if automaton.matches(Array(name.utf8)) { result.append(entry.value) }
        }
        if result.isEmpty, let additional = schema["additionalProperties"] { result.append(additional) }
        return result
    }

    /// The schemas a member satisfies that no schema names.
    var additional: [JSONValue] {
        schemas.compactMap { $0["patternProperties"] == nil ? $0["additionalProperties"] : nil }
    }

    /// The schemas the element at an index satisfies.
    func schemas(ofElement index: Int) -> [JSONValue] {
        schemas.compactMap { $0["prefixItems"]?[index] ?? $0["items"] }
    }

    /// The schemas every element from an index on satisfies.
    func schemas(ofElementsFrom index: Int) -> [JSONValue] {
        schemas.compactMap { ($0["prefixItems"]?.array?.count ?? 0) <= index ? $0["items"] : nil }
    }

    var longestPrefix: Int { all("prefixItems").compactMap { $0.array?.count }.max() ?? 0 }

    /// Whether a keyword has an equal value in one of the schemas, without references that could mean something else
    /// there.
    func has(_ keyword: String, equalTo value: JSONValue) -> Bool {
        !Self.containsReference(value) && all(keyword).contains(value)
    }

    static func containsReference(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let elements): elements.contains(where: containsReference)
        case .object(let members):
            members.contains { $0.name == "$ref" || $0.name == "$dynamicRef" || containsReference($0.value) }
        default: false
        }
    }
}
