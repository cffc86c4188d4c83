// One rule of the reader at a time.
extension InclusionProof {
    private static let remarks: Set<String> = [
        "title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples", "$comment", "$schema",
        "$id",
        "$anchor", "$dynamicAnchor", "$defs", "definitions", "$vocabulary", "contentEncoding", "contentMediaType",
        "contentSchema", "then", "else", "minContains", "maxContains",
    ]

    mutating func prove(_ rule: JSONMember, _ writer: WriterKnowledge, _ reader: Place, depth: Int) {
        let pointer = reader.appending(rule.name)
        switch rule.name {
        case "type": proveType(rule.value, writer, pointer)
        case "enum", "const": proveValues(rule, writer, pointer)
        case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf":
            if writer.types & TypeMask.number != 0 { proveNumber(rule, writer, reader, pointer) }
        case "minLength", "maxLength", "pattern", "format":
            if writer.types & TypeMask.string != 0 { proveString(rule, writer, pointer) }
        case "minItems", "maxItems", "uniqueItems", "prefixItems", "items", "contains":
            if writer.types & TypeMask.array != 0 { proveArray(rule, writer, reader, depth: depth) }
        case "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties",
            "maxProperties", "dependentRequired", "dependentSchemas":
            if writer.types & TypeMask.object != 0 { proveObject(rule, writer, reader, depth: depth) }
        case "$dynamicRef", "unevaluatedProperties", "unevaluatedItems":
            find(
                .unproven, pointer, rule.name,
                "What \(rule.name) means depends on schemas around it, so it is not compared.")
        case "$ref": proveReference(rule.value, writer, reader, depth: depth)
        case "allOf":
            for (index, branch) in (rule.value.array ?? []).enumerated() {
                prove(writer.schemas, Place(schema: branch, pointer: pointer.appending(index)), depth: depth + 1)
            }
        case "anyOf", "oneOf": proveAlternatives(rule, writer, pointer, depth: depth)
        case let remark where Self.remarks.contains(remark) || remark.hasPrefix("x-"): break
        default: proveByEquality(rule, writer, pointer)
        }
    }

    private mutating func proveByEquality(_ rule: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer) {
        // Keywords that work together are equal only together.
        let companions: [String: [String]] = ["if": ["then", "else"], "contains": ["minContains", "maxContains"]]
        let isEqual = writer.schemas.contains { schema in
            ([rule.name] + (companions[rule.name] ?? [])).allSatisfy { keyword in
                let wanted = keyword == rule.name ? rule.value : readerValue(pointer, keyword)
                return schema[keyword] == wanted && !(wanted.map(WriterKnowledge.containsReference) ?? false)
            }
        }
        if !isEqual {
            find(
                .unproven, pointer, rule.name,
                "The writer's schema has no equal \(rule.name), so nothing shows that it holds.")
        }
    }

    /// The value of a keyword beside the one a pointer leads to.
    private func readerValue(_ pointer: JSONPointer, _ keyword: String) -> JSONValue? {
        readerRoot[JSONPointer(tokens: pointer.tokens.dropLast() + [keyword])]
    }

    private mutating func proveType(_ type: JSONValue, _ writer: WriterKnowledge, _ pointer: JSONPointer) {
        let missing = writer.types & ~WriterKnowledge.mask(type)
        if missing != 0 {
            find(
                .breaking, pointer, "type",
                "The writer may send \(WriterKnowledge.names(of: missing)); the reader accepts "
                    + "\(WriterKnowledge.names(of: WriterKnowledge.mask(type))).")
        }
    }

    /// A writer that lists its values has been tried value by value; any other may send one the reader does not list.
    private mutating func proveValues(_ rule: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer) {
        if writer.values == nil {
            find(.breaking, pointer, rule.name, "The writer is not held to the values the reader lists.")
        }
    }

    // MARK: numbers and strings

    private mutating func proveNumber(
        _ rule: JSONMember, _ writer: WriterKnowledge, _ reader: Place, _ pointer: JSONPointer
    ) {
        guard let bound = rule.value.number else { return }
        let isProven =
            switch rule.name {
            case "minimum":
                isAtLeast(writer.largest("minimum"), bound) || isAtLeast(writer.largest("exclusiveMinimum"), bound)
            case "exclusiveMinimum":
                isAtLeast(writer.largest("exclusiveMinimum"), bound)
                    || (writer.largest("minimum").map { $0 > bound } ?? false)
            case "maximum":
                isAtLeast(bound, writer.smallest("maximum")) || isAtLeast(bound, writer.smallest("exclusiveMaximum"))
            case "exclusiveMaximum":
                isAtLeast(bound, writer.smallest("exclusiveMaximum"))
                    || (writer.smallest("maximum").map { $0 < bound } ?? false)
            default: writer.all("multipleOf").contains { isMultiple($0, of: rule.value) }
            }
        guard !isProven else { return }
        let verdict: ContractCompatibility.Verdict =
            rule.name == "multipleOf" && !writer.all("multipleOf").isEmpty ? .unproven : .breaking
        find(
            verdict, pointer, rule.name, "The writer may send numbers that break the reader's \(rule.name) of \(bound)."
        )
    }

    private func isAtLeast(_ number: JSONNumber?, _ bound: JSONNumber?) -> Bool {
        if let number, let bound { number >= bound } else { false }
    }

    private func isMultiple(_ writer: JSONValue, of reader: JSONValue) -> Bool {
        let checker = try? ContractChecker.compile(schema: ["multipleOf": reader])
        return checker?.isValid(writer.bytes()) ?? false
    }

    private mutating func proveString(_ rule: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer) {
        switch rule.name {
        case "minLength", "maxLength": proveCount(rule, writer, pointer, "strings")
        default:
            if writer.has(rule.name, equalTo: rule.value) { return }
            let verdict: ContractCompatibility.Verdict =
                writer.all("pattern").isEmpty && writer.all("format").isEmpty ? .breaking : .unproven
            let asked = rule.value.string ?? ""
            find(
                verdict, pointer, rule.name,
                verdict == .breaking
                    ? "The writer may send any text; the reader asks for the \(rule.name) \(asked)."
                    : "Nothing shows that the writer's text always has the reader's \(rule.name) \(asked).")
        }
    }

    /// minX, maxX: the writer's own count must be at least as strict.
    private mutating func proveCount(
        _ rule: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer, _ things: String
    ) {
        guard let bound = rule.value.number else { return }
        let isMinimum = rule.name.hasPrefix("min")
        if isMinimum, bound <= JSONNumber(0) { return }
        let own = isMinimum ? writer.largest(rule.name) : writer.smallest(rule.name)
        if isMinimum ? isAtLeast(own, bound) : isAtLeast(bound, own) { return }
        if rule.name == "minProperties", JSONNumber(Set(writer.required).count) >= bound { return }
        find(
            .breaking, pointer, rule.name,
            "The writer may send \(isMinimum ? "shorter" : "longer") \(things) than the reader's \(rule.name) of \(bound)."
        )
    }

    // MARK: references and alternatives

    private mutating func proveReference(
        _ reference: JSONValue, _ writer: WriterKnowledge, _ reader: Place, depth: Int
    ) {
        let fragment = reference.string.flatMap { URIReference($0).decodedFragment }
        guard let reference = reference.string, let target = Self.resolve(reference, in: readerRoot), let fragment,
            let place = JSONPointer(fragment)
        else {
            find(
                .unproven, reader.appending("$ref"), "$ref",
                "The reference leads out of the schema, so it is not compared.")
            return
        }
        prove(writer.schemas, Place(schema: target, pointer: place), depth: depth + 1)
    }

    private mutating func proveAlternatives(
        _ rule: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer, depth: Int
    ) {
        if writer.has(rule.name, equalTo: rule.value) { return }
        let branches = rule.value.array ?? []
        for (index, branch) in branches.enumerated()
        where rule.name == "anyOf"
            && holds(writer.schemas, Place(schema: branch, pointer: pointer.appending(index)), depth: depth + 1)
        {
            return
        }
        find(
            .unproven, pointer, rule.name,
            "Nothing shows that what the writer sends fits \(rule.name == "anyOf" ? "one" : "exactly one") of the alternatives."
        )
    }
}
