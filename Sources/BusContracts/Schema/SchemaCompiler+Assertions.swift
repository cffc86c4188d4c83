// The keywords of the validation vocabulary.
extension SchemaCompiler {
    mutating func compileAssertion(_ member: JSONMember, _ draft: inout NodeDraft) throws(SchemaError) -> Bool {
        switch member.name {
        case "type": draft.node.types = try typeMask(member, draft)
        case "enum":
            guard let values = member.value.array else { throw draft.error("enum", "enum must be a list of values") }
            addValues(values, .enumeration, &draft)
        case "const": addValues([member.value], .const, &draft)
        default:
            if try compileStringAssertion(member, &draft) { return true }
            if try compileNumberAssertion(member, &draft) { return true }
            if try compileArrayAssertion(member, &draft) { return true }
            return try compileObjectAssertion(member, &draft)
        }
        return true
    }

    private func typeMask(_ member: JSONMember, _ draft: NodeDraft) throws(SchemaError) -> UInt8 {
        let words = if let word = member.value.string { [word] } else { try draft.names(member.value, "type") }
        var mask: UInt8 = 0
        for word in words {
            guard let bits = TypeMask.named(word) else {
                throw draft.error(
                    "type", "\(word) is no type; there are null, boolean, integer, number, string, array, object")
            }
            mask |= bits
        }
        return mask
    }

    private mutating func addValues(_ values: [JSONValue], _ rule: Rule, _ draft: inout NodeDraft) {
        let range = TableRange(first: Int32(constants.count), count: Int32(values.count))
        constants += values
        let onlyStrings = values.allSatisfy { $0.string != nil }
        draft.valueSets.append(ValueSet(rule: rule, constants: range, onlyStrings: onlyStrings))
    }

    private mutating func compileStringAssertion(
        _ member: JSONMember, _ draft: inout NodeDraft
    ) throws(SchemaError) -> Bool {
        var rules = draft.string ?? StringRules()
        switch member.name {
        case "minLength": rules.minLength = try draft.count(member)
        case "maxLength": rules.maxLength = try draft.count(member)
        case "pattern":
            let location = draft.error("pattern", "").location
            rules.pattern = try pattern(try draft.text(member), location: location)
        default: return false
        }
        draft.string = rules
        return true
    }

    private mutating func compileNumberAssertion(
        _ member: JSONMember, _ draft: inout NodeDraft
    ) throws(SchemaError) -> Bool {
        var rules = draft.number ?? NumberRules()
        switch member.name {
        case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum":
            try addBound(member, &rules, draft)
        case "multipleOf": try addDivisor(member, &rules, draft)
        default: return false
        }
        draft.number = rules
        return true
    }

    private mutating func addBound(
        _ member: JSONMember, _ rules: inout NumberRules, _ draft: NodeDraft
    ) throws(SchemaError) {
        let bound = try draft.number(member)
        let row = text(bound.text)
        let plain = Int64(bound.text).flatMap { abs($0) < 1_000_000_000_000_000_000 ? $0 : nil }
        if plain == nil { rules.decidesPlainIntegers = false }
        switch member.name {
        case "minimum":
            rules.minimum = row
            rules.low = max(rules.low, plain ?? .min)
        case "exclusiveMinimum":
            rules.exclusiveMinimum = row
            rules.low = max(rules.low, plain.map { $0 + 1 } ?? .min)
        case "maximum":
            rules.maximum = row
            rules.high = min(rules.high, plain ?? .max)
        default:
            rules.exclusiveMaximum = row
            rules.high = min(rules.high, plain.map { $0 - 1 } ?? .max)
        }
    }

    /// A divisor keeps at most 18 significant digits, so that remainders fit 64 bits.
    private func addDivisor(
        _ member: JSONMember, _ rules: inout NumberRules, _ draft: NodeDraft
    ) throws(SchemaError) {
        let divisor = try draft.number(member)
        let parts = divisor.withDecimal { ($0.isNegative, $0.digits, $0.exponent) }
        guard !parts.0, !parts.1.isEmpty, parts.1.count <= 18 else {
            throw draft.error("multipleOf", "multipleOf must be above 0 and have at most 18 significant digits")
        }
        rules.divisor = parts.1.reduce(0) { $0 * 10 + UInt64($1) }
        rules.divisorExponent = Int64(parts.2)
        rules.decidesPlainIntegers = false
    }

    private func compileArrayAssertion(_ member: JSONMember, _ draft: inout NodeDraft) throws(SchemaError) -> Bool {
        var rules = draft.array ?? ArrayRules()
        switch member.name {
        case "minItems": rules.minItems = try draft.count(member)
        case "maxItems": rules.maxItems = try draft.count(member)
        case "maxContains": rules.maxContains = try draft.count(member)
        case "minContains":
            rules.minContains = try draft.count(member)
            rules.hasMinContains = true
        case "uniqueItems":
            guard let flag = member.value.bool else {
                throw draft.error("uniqueItems", "uniqueItems must be true or false")
            }
            rules.uniqueItems = flag
        default: return false
        }
        draft.array = rules
        return true
    }

    private mutating func compileObjectAssertion(
        _ member: JSONMember, _ draft: inout NodeDraft
    ) throws(SchemaError) -> Bool {
        var rules = draft.object ?? ObjectRules()
        switch member.name {
        case "minProperties": rules.minProperties = try draft.count(member)
        case "maxProperties": rules.maxProperties = try draft.count(member)
        case "required": draft.required = try draft.names(member.value, "required")
        case "dependentRequired":
            for entry in try draft.map(member) {
                for required in try draft.names(entry.value, "dependentRequired") {
                    draft.dependentNames.append(DependentName(present: name(entry.name), required: name(required)))
                }
            }
        default: return false
        }
        draft.object = rules
        return true
    }
}
