// Rules for objects and arrays.
extension Evaluation {
    @inline(never)
    mutating func checkObject(_ number: Int32, _ row: Int, _ index: Int, _ marks: Int) -> Bool {
        let rules = tables.objects.rows + row
        let entry = tape.entries[index]
        var isValid = true
        if entry.length < rules.pointee.minProperties {
            isValid = false
            if !isBroken(number, .minProperties) { return false }
        }
        if entry.length > rules.pointee.maxProperties {
            isValid = false
            if !isBroken(number, .maxProperties) { return false }
        }
        var seen: UInt64 = 0
        var (at, member) = (index + 1, 0)
        let end = Int(entry.link)
        while at < end {
            if !checkMember(number, rules, at, member, marks, &seen) {
                isValid = false
                if !isRecording { return false }
            }
            at = tape.after(at &+ 1)
            member = member &+ 1
        }
        if !checkRequired(number, rules, index, seen) {
            isValid = false
            if !isRecording { return false }
        }
        if rules.pointee.dependentRequired.count > 0, !checkDependentNames(number, rules, index) {
            isValid = false
            if !isRecording { return false }
        }
        if rules.pointee.dependentSchemas.count > 0, !applyDependentSchemas(rules, index, marks) { isValid = false }
        return isValid
    }

    /// One member: its own schema, those whose pattern its name matches, or else the one for additional members.
    @inline(__always)
    private mutating func checkMember(
        _ number: Int32, _ rules: UnsafePointer<ObjectRules>, _ at: Int, _ member: Int, _ marks: Int,
        _ seen: inout UInt64
    ) -> Bool {
        var isKnown = false
        var isValid = true
        if rules.pointee.firstSlot >= 0, let slot = slot(rules, at) {
            seen |= slot.pointee.requiredBit
            if slot.pointee.node >= 0 {
                isKnown = true
                isValid = evaluatePart(slot.pointee.node, .member(at), at + 1)
                if !isValid, !isRecording { return false }
            }
        }
        if rules.pointee.patterns.count > 0 {
            for row in rules.pointee.patterns.indices {
                let pattern = tables.patternRows[row]
                guard matches(pattern.pattern, at, number) else {
                    if hasHalted { return false }
                    continue
                }
                isKnown = true
                if !evaluatePart(pattern.node, .member(at), at + 1) {
                    isValid = false
                    if !isRecording { return false }
                }
            }
        }
        if !isKnown, rules.pointee.additional >= 0 {
            isKnown = true
            if !evaluatePart(rules.pointee.additional, .member(at), at + 1, unless: .additionalProperties) {
                isValid = false
                if !isRecording { return false }
            }
        }
        if rules.pointee.propertyNames >= 0, !evaluatePart(rules.pointee.propertyNames, .member(at), at) {
            isValid = false
        }
        if isKnown { mark(member, marks) }
        return isValid
    }

    @inline(__always)
    private func slot(_ rules: UnsafePointer<ObjectRules>, _ name: Int) -> UnsafePointer<PropertySlot>? {
        let entry = tape.entries[name]
        let start = tape.start(of: entry)
        let first = tables.slots.rows + Int(rules.pointee.firstSlot)
        var index = entry.link & rules.pointee.slotMask
        while true {
            let slot = first + Int(index)
            guard slot.pointee.name.isPresent else { return nil }
            if slot.pointee.hash == entry.link, slot.pointee.name.length == Int32(bitPattern: entry.length),
                EightBytes.areEqual(
                    tables.texts.rows + Int(slot.pointee.name.offset), start, count: Int(entry.length))
            {
                return slot
            }
            index = (index &+ 1) & rules.pointee.slotMask
        }
    }

    @inline(__always)
    private mutating func checkRequired(
        _ number: Int32, _ rules: UnsafePointer<ObjectRules>, _ index: Int, _ seen: UInt64
    ) -> Bool {
        let count = Int(rules.pointee.required.count)
        let wanted = count >= 64 ? UInt64.max : (1 << UInt64(count)) &- 1
        // The bit of a name listed twice is set with its twin.
        if count <= 64, seen & wanted == wanted { return true }
        return checkRequiredOneByOne(number, rules.pointee.required, index, seen)
    }

    private mutating func checkRequiredOneByOne(
        _ number: Int32, _ names: TableRange, _ index: Int, _ seen: UInt64
    ) -> Bool {
        var isValid = true
        for (position, row) in names.indices.enumerated() {
            if position < 64, seen & 1 << UInt64(position) != 0 { continue }
            if find(tables.names[row], in: index) { continue }
            isValid = false
            guard isRecording else { return false }
            if !isBroken(
                number, .required, detail: String(decoding: tables.text(tables.names[row].name), as: UTF8.self))
            {
                return false
            }
        }
        return isValid
    }

    /// Whether an object has a member of this name.
    private mutating func find(_ name: NameRow, in object: Int) -> Bool {
        var at = object + 1
        while at < Int(tape.entries[object].link) {
            let entry = tape.entries[at]
            if entry.link == name.hash, Int32(bitPattern: entry.length) == name.name.length,
                sameBytes(tables.text(name.name), tape.text(at))
            {
                return true
            }
            at = tape.after(at + 1)
        }
        budget -= Int(tape.entries[object].length) >> 3
        return false
    }

    private mutating func checkDependentNames(
        _ number: Int32, _ rules: UnsafePointer<ObjectRules>, _ index: Int
    ) -> Bool {
        var isValid = true
        for row in rules.pointee.dependentRequired.indices {
            let dependency = tables.dependentNames[row]
            guard find(dependency.present, in: index), !find(dependency.required, in: index) else { continue }
            isValid = false
            guard isRecording else { return false }
            let missing = String(decoding: tables.text(dependency.required.name), as: UTF8.self)
            if !isBroken(number, .dependentRequired, detail: missing) { return false }
        }
        return isValid
    }

    private mutating func applyDependentSchemas(
        _ rules: UnsafePointer<ObjectRules>, _ index: Int, _ marks: Int
    ) -> Bool {
        var isValid = true
        for row in rules.pointee.dependentSchemas.indices {
            let dependency = tables.dependentSchemas[row]
            guard find(dependency.present, in: index), !evaluateHere(dependency.node, index, marks) else { continue }
            isValid = false
            if !isRecording { return false }
        }
        return isValid
    }

    // MARK: arrays

    @inline(never)
    mutating func checkArray(_ number: Int32, _ row: Int, _ index: Int, _ marks: Int) -> Bool {
        let rules = tables.arrays.rows + row
        let entry = tape.entries[index]
        var isValid = true
        if entry.length < rules.pointee.minItems {
            isValid = false
            if !isBroken(number, .minItems) { return false }
        }
        if entry.length > rules.pointee.maxItems {
            isValid = false
            if !isBroken(number, .maxItems) { return false }
        }
        if rules.pointee.prefix.count > 0 || rules.pointee.items >= 0, !checkItems(rules, index, marks) {
            isValid = false
            if !isRecording { return false }
        }
        if rules.pointee.contains >= 0, !checkContains(number, rules.pointee, index, marks) {
            isValid = false
            if !isRecording { return false }
        }
        if rules.pointee.uniqueItems, !hasUniqueElements(index) {
            isValid = false
            if !isBroken(number, .uniqueItems) { return false }
        }
        return isValid
    }

    private mutating func checkItems(_ rules: UnsafePointer<ArrayRules>, _ index: Int, _ marks: Int) -> Bool {
        var isValid = true
        var (at, element) = (index + 1, 0)
        let prefix = rules.pointee.prefix
        while at < Int(tape.entries[index].link) {
            let node = element < Int(prefix.count) ? tables.children[Int(prefix.first) + element] : rules.pointee.items
            guard node >= 0 else { break }
            if !evaluatePart(node, .element(element), at) {
                isValid = false
                if !isRecording { return false }
            }
            mark(element, marks)
            at = tape.after(at)
            element += 1
        }
        return isValid
    }

    private mutating func checkContains(_ number: Int32, _ rules: ArrayRules, _ index: Int, _ marks: Int) -> Bool {
        var (at, element, found) = (index + 1, 0, UInt32(0))
        while at < Int(tape.entries[index].link) {
            if evaluateQuietly(rules.contains, at, Self.noMarks) {
                found += 1
                mark(element, marks)
                if marks < 0, found >= rules.minContains, rules.maxContains == .max { return true }
            }
            if hasHalted { return false }
            at = tape.after(at)
            element += 1
        }
        if found < rules.minContains {
            _ = isBroken(number, rules.hasMinContains ? .minContains : .contains)
            return false
        }
        if found > rules.maxContains {
            _ = isBroken(number, .maxContains)
            return false
        }
        return true
    }

    /// Small arrays are compared pair by pair; large ones by hash, so that work does not grow with the square.
    private mutating func hasUniqueElements(_ index: Int) -> Bool {
        let count = Int(tape.entries[index].length)
        if count > 12 { return hasUniqueHashes(index) }
        var left = index + 1
        let end = Int(tape.entries[index].link)
        while left < end {
            var right = tape.after(left)
            while right < end {
                if TapeEquality.areEqual(tape, left, tape, right, budget: &budget) { return false }
                right = tape.after(right)
            }
            left = tape.after(left)
        }
        return true
    }

    private mutating func hasUniqueHashes(_ index: Int) -> Bool {
        var elements: [(hash: UInt64, at: Int)] = []
        elements.reserveCapacity(Int(tape.entries[index].length))
        var at = index + 1
        while at < Int(tape.entries[index].link) {
            elements.append((TapeEquality.hash(tape, at), at))
            at = tape.after(at)
        }
        budget -= Int(tape.entries[index].link) - index
        elements.sort { $0.hash < $1.hash }
        for position in elements.indices.dropFirst() {
            // Different values with one 64-bit seeded hash are chance; each pair is charged to the budget all the same.
            var other = position - 1
            while other >= 0, elements[other].hash == elements[position].hash {
                if TapeEquality.areEqual(tape, elements[other].at, tape, elements[position].at, budget: &budget) {
                    return false
                }
                budget -= 1
                if budget < 0 { return true }
                other -= 1
            }
        }
        return true
    }
}
