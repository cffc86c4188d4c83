// Rules for strings and numbers, const and enum.
extension Evaluation {
    @inline(__always)
    mutating func checkString(_ number: Int32, _ node: UnsafePointer<RuleNode>, _ index: Int) -> Bool {
        var isValid = true
        if node.pointee.string >= 0 {
            let rules = tables.strings.rows + Int(node.pointee.string)
            if !fitsByBytes(tape.entries[index], rules.pointee) {
                let count = tape.characterCount(index)
                if count < Int(rules.pointee.minLength) {
                    isValid = false
                    if !isBroken(number, .minLength) { return false }
                }
                if count > Int(rules.pointee.maxLength) {
                    isValid = false
                    if !isBroken(number, .maxLength) { return false }
                }
            }
            if rules.pointee.pattern >= 0, !matches(rules.pointee.pattern, index, number) {
                isValid = false
                if !isBroken(number, .pattern) { return false }
            }
        }
        if node.pointee.format != .none, !node.pointee.format.accepts(tape.text(index)) {
            isValid = false
            if !isBroken(number, .format) { return false }
        }
        return isValid
    }

    /// Whether the bytes alone prove the length right: a character is one to four of them. If not, it is counted.
    @inline(__always)
    private func fitsByBytes(_ entry: TapeEntry, _ rules: StringRules) -> Bool {
        let fewest = entry.flags & TapeEntry.beyondASCII == 0 ? entry.length : entry.length &>> 2
        return fewest >= rules.minLength && entry.length <= rules.maxLength
    }

    /// Whether the string at `index` matches; a match that hits a limit halts the run.
    @inline(__always)
    mutating func matches(_ pattern: Int32, _ index: Int, _ number: Int32) -> Bool {
        let text = tape.text(index)
        budget -= text.count >> 6
        switch tables.patterns[Int(pattern)].match(text, scratch: scratch.backtracking, budget: &budget) {
        case .match: return true
        case .noMatch: return false
        case .limit: return halt(number, "text on which the pattern is decided within its limits of steps and memory")
        }
    }

    @inline(never)
    mutating func checkNumber(_ number: Int32, _ row: Int, _ index: Int) -> Bool {
        let rules = tables.numbers.rows + row
        let entry = tape.entries[index]
        if entry.flags & TapeEntry.plainInteger != 0, rules.pointee.decidesPlainIntegers {
            let value = plainInteger(tape.text(index))
            if value >= rules.pointee.low, value <= rules.pointee.high { return true }
            if !isRecording { return false }
        }
        return checkExactNumber(number, rules.pointee, ExactDecimal(tape.text(index)))
    }

    @inline(__always)
    private func plainInteger(_ text: UnsafeBufferPointer<UInt8>) -> Int64 {
        var value: Int64 = 0
        for byte in text where byte != Byte.minus { value = value &* 10 &+ Int64(byte & 0x0F) }
        return text.first == Byte.minus ? -value : value
    }

    private mutating func checkExactNumber(_ number: Int32, _ rules: NumberRules, _ value: ExactDecimal) -> Bool {
        var isValid = true
        func compared(to row: TextRow) -> Int? {
            row.isPresent ? ExactDecimal.compare(value, ExactDecimal(tables.text(row))) : nil
        }
        if let order = compared(to: rules.minimum), order < 0 {
            isValid = false
            if !isBroken(number, .minimum) { return false }
        }
        if let order = compared(to: rules.exclusiveMinimum), order <= 0 {
            isValid = false
            if !isBroken(number, .exclusiveMinimum) { return false }
        }
        if let order = compared(to: rules.maximum), order > 0 {
            isValid = false
            if !isBroken(number, .maximum) { return false }
        }
        if let order = compared(to: rules.exclusiveMaximum), order >= 0 {
            isValid = false
            if !isBroken(number, .exclusiveMaximum) { return false }
        }
        if rules.divisor > 0, !value.isMultiple(of: rules.divisor, exponent: Int(rules.divisorExponent)) {
            isValid = false
            if !isBroken(number, .multipleOf) { return false }
        }
        return isValid
    }

    @inline(never)
    mutating func checkValues(_ number: Int32, _ sets: TableRange, _ index: Int) -> Bool {
        var isValid = true
        for row in sets.indices {
            let set = tables.valueSets[row]
            if !contains(set, index) {
                isValid = false
                if !isBroken(number, set.rule) { return false }
            }
        }
        return isValid
    }

    private mutating func contains(_ set: ValueSet, _ index: Int) -> Bool {
        if set.onlyStrings, tape.entries[index].kind != .string { return false }
        budget -= Int(set.constants.count) >> 3
        if set.onlyStrings { return containsString(set, tape.entries[index]) }
        for ordinal in set.constants.indices
        where TapeEquality.areEqual(
            tape, index, tables.constantTape, Int(tables.constants[ordinal]), budget: &budget)
        {
            return true
        }
        return false
    }

    @inline(__always)
    private func containsString(_ set: ValueSet, _ entry: TapeEntry) -> Bool {
        let start = tape.start(of: entry)
        for ordinal in set.constants.indices {
            let constant = tables.constantTape.entries[Int(tables.constants[ordinal])]
            if constant.length == entry.length,
                EightBytes.areEqual(start, tables.constantTape.start(of: constant), count: Int(entry.length))
            {
                return true
            }
        }
        return false
    }
}
