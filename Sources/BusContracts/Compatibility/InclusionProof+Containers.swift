// Rules of the reader for objects and arrays.
extension InclusionProof {
    mutating func proveObject(_ rule: JSONMember, _ writer: WriterKnowledge, _ reader: Place, depth: Int) {
        let pointer = reader.appending(rule.name)
        switch rule.name {
        case "required":
            for name in rule.value.array?.compactMap(\.string) ?? [] where !writer.requires(name) {
                find(.breaking, pointer, "required", "The writer may leave out \(name), which the reader requires.")
            }
        case "properties":
            for property in rule.value.object ?? [] {
                proveMember(property, writer, pointer.appending(property.name), depth: depth)
            }
        case "additionalProperties": proveAdditional(rule.value, writer, reader, depth: depth)
        case "minProperties", "maxProperties":
            let known = writer.propertyNames.count
            let isClosed = writer.additional.contains(.bool(false))
            if rule.name == "maxProperties", isClosed, let most = rule.value.int, known <= most { return }
            proveObjectCount(rule, writer, pointer)
        case "patternProperties": provePatterns(rule, writer, pointer, depth: depth)
        default: proveByEqualityOrClosed(rule, writer, pointer)
        }
    }

    private mutating func proveObjectCount(_ rule: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer) {
        guard let bound = rule.value.number else { return }
        let isMinimum = rule.name == "minProperties"
        let own = isMinimum ? writer.largest(rule.name) : writer.smallest(rule.name)
        if let own, isMinimum ? own >= bound : own <= bound { return }
        if isMinimum, JSONNumber(Set(writer.required).count) >= bound { return }
        find(
            .breaking, pointer, rule.name,
            "The writer may send \(isMinimum ? "fewer" : "more") members than the reader's \(rule.name) of \(bound).")
    }

    private mutating func proveMember(
        _ property: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer, depth: Int
    ) {
        let known = writer.schemas(ofMember: property.name)
        if known.contains(.bool(false)) { return }
        guard !known.isEmpty else {
            if holds([], Place(schema: property.value, pointer: pointer), depth: depth + 1) { return }
            find(
                .unproven, pointer, "properties",
                "The writer's schema is open and says nothing of \(property.name), so it may carry anything there.")
            return
        }
        prove(known, Place(schema: property.value, pointer: pointer), depth: depth + 1)
    }

    /// additionalProperties of the reader concern the members the writer knows and the reader does not, and the unknown
    /// ones.
    private mutating func proveAdditional(
        _ schema: JSONValue, _ writer: WriterKnowledge, _ reader: Place, depth: Int
    ) {
        let pointer = reader.appending("additionalProperties")
        for name in writer.propertyNames {
            let readers = WriterKnowledge.schemas(
                ofMember: name, in: Self.without("additionalProperties", reader.schema))
            guard readers.isEmpty else { continue }
            let known = writer.schemas(ofMember: name)
            if known.contains(.bool(false)) { continue }
            if schema == .bool(false) {
                find(
                    .breaking, pointer, "additionalProperties",
                    "The writer may send \(name), which the reader does not know.")
            } else {
                prove(known, Place(schema: schema, pointer: pointer), depth: depth + 1)
            }
        }
        if writer.additional.contains(.bool(false)) { return }
        if writer.all("patternProperties") != [], schema != .bool(true) {
            find(
                .unproven, pointer, "additionalProperties",
                "Names matched by the writer's patterns are not compared with the reader's.")
        } else if schema == .bool(false) {
            find(
                .breaking, pointer, "additionalProperties",
                "The writer may send members of any name; the reader accepts only those it knows.")
        } else {
            prove(writer.additional, Place(schema: schema, pointer: pointer), depth: depth + 1)
        }
    }

    /// Patterns of the reader concern every name; they can be compared when the writer's names are all known.
    private mutating func provePatterns(
        _ rule: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer, depth: Int
    ) {
        let namesAreKnown = writer.additional.contains(.bool(false)) && writer.all("patternProperties").isEmpty
        guard namesAreKnown, !writer.has(rule.name, equalTo: rule.value) else {
            return proveByEqualityOrClosed(rule, writer, pointer)
        }
        for entry in rule.value.object ?? [] {
            guard let syntax = try? PatternParser.parse(entry.name), let automaton = PatternAutomaton(syntax) else {
                return proveByEqualityOrClosed(rule, writer, pointer)
            }
            for name in writer.propertyNames where automaton.matches(Array(name.utf8)) {
                let place = Place(schema: entry.value, pointer: pointer.appending(entry.name))
                prove(writer.schemas(ofMember: name), place, depth: depth + 1)
            }
        }
    }

    private mutating func proveByEqualityOrClosed(
        _ rule: JSONMember, _ writer: WriterKnowledge, _ pointer: JSONPointer
    ) {
        if writer.has(rule.name, equalTo: rule.value) { return }
        // What concerns members that cannot be there holds by itself.
        if rule.name == "dependentRequired" || rule.name == "dependentSchemas" {
            let names = (rule.value.object ?? []).map(\.name)
            if names.allSatisfy({ writer.schemas(ofMember: $0).contains(.bool(false)) }) { return }
        }
        find(
            .unproven, pointer, rule.name,
            "The writer's schema has no equal \(rule.name), so nothing shows that it holds.")
    }

    // MARK: arrays

    mutating func proveArray(_ rule: JSONMember, _ writer: WriterKnowledge, _ reader: Place, depth: Int) {
        let pointer = reader.appending(rule.name)
        switch rule.name {
        case "minItems", "maxItems":
            guard let bound = rule.value.number, rule.name == "maxItems" || bound > JSONNumber(0) else { return }
            let own = rule.name == "minItems" ? writer.largest("minItems") : writer.smallest("maxItems")
            if let own, rule.name == "minItems" ? own >= bound : own <= bound { return }
            find(
                .breaking, pointer, rule.name,
                "The writer may send arrays that break the reader's \(rule.name) of \(bound).")
        case "uniqueItems":
            if rule.value == .bool(false) || writer.all("uniqueItems").contains(.bool(true)) { return }
            if let most = writer.smallest("maxItems"), most <= JSONNumber(1) { return }
            find(
                .breaking, pointer, rule.name, "The writer may repeat elements; the reader accepts only different ones."
            )
        case "prefixItems":
            for (index, schema) in (rule.value.array ?? []).enumerated() {
                proveElement(
                    schema, writer.schemas(ofElement: index), index, writer, pointer.appending(index), depth: depth)
            }
        case "items":
            let prefix = reader.schema["prefixItems"]?.array?.count ?? 0
            for index in prefix..<max(prefix, writer.longestPrefix) {
                proveElement(rule.value, writer.schemas(ofElement: index), index, writer, pointer, depth: depth)
            }
            let rest = max(prefix, writer.longestPrefix)
            proveElement(rule.value, writer.schemas(ofElementsFrom: rest), rest, writer, pointer, depth: depth)
        case "contains": proveContains(rule, writer, reader, pointer)
        default: break
        }
    }

    private mutating func proveElement(
        _ schema: JSONValue, _ known: [JSONValue], _ index: Int, _ writer: WriterKnowledge, _ pointer: JSONPointer,
        depth: Int
    ) {
        if let most = writer.smallest("maxItems"), most <= JSONNumber(index) { return }
        prove(known, Place(schema: schema, pointer: pointer), depth: depth + 1)
    }

    private mutating func proveContains(
        _ rule: JSONMember, _ writer: WriterKnowledge, _ reader: Place, _ pointer: JSONPointer
    ) {
        let isEqual = writer.schemas.contains { schema in
            ["contains", "minContains", "maxContains"].allSatisfy { schema[$0] == reader.schema[$0] }
        }
        if isEqual, !WriterKnowledge.containsReference(rule.value) { return }
        find(
            .unproven, pointer, "contains", "The writer's schema has no equal contains, so nothing shows that it holds."
        )
    }
}
