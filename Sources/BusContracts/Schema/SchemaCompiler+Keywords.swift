// Each keyword: its shape is checked, its row prepared. Keywords of vocabularies the dialect leaves out are skipped.
extension SchemaCompiler {
    mutating func compile(_ draft: inout NodeDraft) throws(SchemaError) {
        for member in draft.members {
            try refuseUnknown(member, draft)
            if try compileReference(member, &draft) { continue }
            if draft.vocabularies.contains(.applicator), try compileApplicator(member, &draft) { continue }
            if draft.vocabularies.contains(.unevaluated), try compileUnevaluated(member, &draft) { continue }
            if draft.vocabularies.contains(.validation), try compileAssertion(member, &draft) { continue }
            if member.name == "format" { try compileFormat(member, &draft) }
        }
    }

    private func refuseUnknown(_ member: JSONMember, _ draft: NodeDraft) throws(SchemaError) {
        guard options.refuseUnknownKeywords, !member.name.hasPrefix("x-"), !SchemaKeywords.isKnown(member.name) else {
            return
        }
        throw draft.error(
            member.name, "\(member.name) is no keyword of JSON Schema 2020-12; notes of one's own start with x-")
    }

    private mutating func child(_ draft: NodeDraft, _ path: String...) throws(SchemaError) -> Int32 {
        try node(at: path.reduce(draft.place) { $0.appending($1) })
    }

    mutating func row(of nodes: [Int32]) -> TableRange {
        let range = TableRange(first: Int32(children.count), count: Int32(nodes.count))
        children += nodes
        return range
    }

    // MARK: references

    private mutating func compileReference(_ member: JSONMember, _ draft: inout NodeDraft) throws(SchemaError) -> Bool {
        switch member.name {
        case "$ref":
            let target = try library.resolve(try draft.text(member), from: draft.place)
            draft.applicators.append(Applicator(kind: .ref, children: row(of: [try node(at: target.place)])))
        case "$dynamicRef":
            let target = try library.resolve(try draft.text(member), from: draft.place)
            let fallback = row(of: [try node(at: target.place)])
            // Only a reference that lands on a dynamic anchor is dynamic (core, section 8.2.3.2).
            let name = target.dynamicAnchor.map { dynamicName($0) } ?? -1
            draft.applicators.append(
                Applicator(kind: name < 0 ? .ref : .dynamicRef, children: fallback, dynamicName: name))
        default: return false
        }
        return true
    }

    // MARK: applicators

    private mutating func compileApplicator(_ member: JSONMember, _ draft: inout NodeDraft) throws(SchemaError) -> Bool
    {
        let keyword = member.name
        switch keyword {
        case "allOf": try compileList(member, .allOf, &draft)
        case "anyOf": try compileList(member, .anyOf, &draft)
        case "oneOf": try compileList(member, .oneOf, &draft)
        case "not":
            draft.applicators.append(Applicator(kind: .not, children: row(of: [try child(draft, keyword)])))
        case "if": try compileConditional(&draft)
        case "then", "else": break
        case "prefixItems":
            var rules = draft.array ?? ArrayRules()
            rules.prefix = row(of: try list(member, draft))
            draft.array = rules
        case "items":
            var rules = draft.array ?? ArrayRules()
            rules.items = try child(draft, keyword)
            draft.array = rules
        case "contains":
            var rules = draft.array ?? ArrayRules()
            rules.contains = try child(draft, keyword)
            draft.array = rules
        default: return try compileObjectApplicator(member, &draft)
        }
        return true
    }

    private mutating func compileObjectApplicator(
        _ member: JSONMember, _ draft: inout NodeDraft
    ) throws(SchemaError) -> Bool {
        let keyword = member.name
        switch keyword {
        case "properties":
            draft.object = draft.object ?? ObjectRules()
            for property in try draft.map(member) {
                draft.properties.append((property.name, try child(draft, keyword, property.name)))
            }
        case "patternProperties":
            draft.object = draft.object ?? ObjectRules()
            for entry in try draft.map(member) {
                let pattern = try pattern(entry.name, location: draft.error(keyword, "").location)
                draft.patterns.append(PatternRow(pattern: pattern, node: try child(draft, keyword, entry.name)))
            }
        case "additionalProperties":
            var rules = draft.object ?? ObjectRules()
            rules.additional = try child(draft, keyword)
            draft.object = rules
        case "propertyNames":
            var rules = draft.object ?? ObjectRules()
            rules.propertyNames = try child(draft, keyword)
            draft.object = rules
        case "dependentSchemas":
            draft.object = draft.object ?? ObjectRules()
            for entry in try draft.map(member) {
                draft.dependentSchemas.append(
                    DependentSchema(present: name(entry.name), node: try child(draft, keyword, entry.name)))
            }
        default: return false
        }
        return true
    }

    private mutating func list(_ member: JSONMember, _ draft: NodeDraft) throws(SchemaError) -> [Int32] {
        guard let list = member.value.array, !list.isEmpty else {
            throw draft.error(member.name, "\(member.name) must be a list of at least one schema")
        }
        var nodes: [Int32] = []
        for index in list.indices { nodes.append(try child(draft, member.name, String(index))) }
        return nodes
    }

    private mutating func compileList(
        _ member: JSONMember, _ kind: Applicator.Kind, _ draft: inout NodeDraft
    ) throws(SchemaError) {
        draft.applicators.append(Applicator(kind: kind, children: row(of: try list(member, draft))))
    }

    private mutating func compileConditional(_ draft: inout NodeDraft) throws(SchemaError) {
        var nodes = [try child(draft, "if")]
        for branch in ["then", "else"] {
            nodes.append(draft[branch] == nil ? -1 : try child(draft, branch))
        }
        draft.applicators.append(Applicator(kind: .conditional, children: row(of: nodes)))
    }

    private mutating func compileUnevaluated(_ member: JSONMember, _ draft: inout NodeDraft) throws(SchemaError) -> Bool
    {
        switch member.name {
        case "unevaluatedItems": draft.node.unevaluatedItems = try child(draft, member.name)
        case "unevaluatedProperties": draft.node.unevaluatedProperties = try child(draft, member.name)
        default: return false
        }
        draft.node.flags |= RuleNode.needsMarks
        return true
    }

    // MARK: format

    private func compileFormat(_ member: JSONMember, _ draft: inout NodeDraft) throws(SchemaError) {
        let word = try draft.text(member)
        guard let format = ContractFormat(word: word) else {
            guard options.refuseUnknownFormats else { return }
            throw draft.error(
                "format",
                "the format \(word) is not checked here; known: \(ContractFormat.words.joined(separator: ", "))")
        }
        if options.assertFormats || draft.vocabularies.contains(.formatAssertion) { draft.node.format = format }
    }

    // MARK: rows

    /// Writes the rows of a draft and returns its node.
    mutating func finished(_ draft: NodeDraft, resource: Int32) -> RuleNode {
        var node = draft.node
        node.resource = resource
        node.string = Self.append(draft.string, to: &strings)
        node.number = Self.append(draft.number, to: &numbers)
        node.array = Self.append(draft.array, to: &arrays)
        node.object = Self.append(draft.object.map { finishedObject($0, draft) }, to: &objects)
        node.values = Self.append(draft.valueSets, to: &valueSets)
        node.applicators = Self.append(draft.applicators, to: &applicators)
        return node
    }

    private static func append<Row>(_ row: Row?, to table: inout [Row]) -> Int32 {
        guard let row else { return -1 }
        table.append(row)
        return Int32(table.count - 1)
    }

    private static func append<Row>(_ rows: [Row], to table: inout [Row]) -> TableRange {
        let range = TableRange(first: Int32(table.count), count: Int32(rows.count))
        table += rows
        return range
    }

    private mutating func finishedObject(_ object: ObjectRules, _ draft: NodeDraft) -> ObjectRules {
        var object = object
        object.patterns = Self.append(draft.patterns, to: &patternRows)
        object.dependentRequired = Self.append(draft.dependentNames, to: &dependentNames)
        object.dependentSchemas = Self.append(draft.dependentSchemas, to: &dependentSchemas)
        let required = draft.required.map { name($0) }
        object.required = Self.append(required, to: &names)
        appendSlots(&object, draft)
        return object
    }

    /// The table of names of an object: properties, and names that are only required. At most half full.
    private mutating func appendSlots(_ object: inout ObjectRules, _ draft: NodeDraft) {
        var entries: [(name: String, slot: PropertySlot)] = []
        var entryOfName: [[UInt8]: Int] = [:]
        func entry(_ property: String, _ change: (inout PropertySlot) -> Void) {
            let key = Array(property.utf8)
            let index = entryOfName[key] ?? entries.count
            if index == entries.count {
                entries.append((property, PropertySlot()))
                entryOfName[key] = index
            }
            change(&entries[index].slot)
        }
        for property in draft.properties { entry(property.name) { $0.node = property.node } }
        for (bit, property) in draft.required.prefix(64).enumerated() {
            entry(property) { $0.requiredBit |= 1 << UInt64(bit) }
        }
        guard !entries.isEmpty else { return }
        var size = 4
        while size < entries.count * 2 { size *= 2 }
        var table = Array(repeating: PropertySlot(), count: size)
        for (property, var slot) in entries {
            let row = name(property)
            (slot.name, slot.hash) = (row.name, row.hash)
            var index = Int(row.hash) & (size - 1)
            while table[index].name.isPresent { index = (index + 1) & (size - 1) }
            table[index] = slot
        }
        object.firstSlot = Int32(slots.count)
        object.slotMask = UInt32(size - 1)
        slots += table
    }
}
