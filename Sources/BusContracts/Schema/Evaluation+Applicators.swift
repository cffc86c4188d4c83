// Rules that apply other schemas to the same value.
extension Evaluation {
    @inline(never)
    mutating func applyAll(_ number: Int32, _ node: UnsafePointer<RuleNode>, _ index: Int, _ marks: Int) -> Bool {
        var isValid = true
        for row in node.pointee.applicators.indices where !apply(tables.applicators[row], number, index, marks) {
            isValid = false
            if !isRecording { return false }
        }
        return isValid
    }

    private mutating func apply(_ applicator: Applicator, _ number: Int32, _ index: Int, _ marks: Int) -> Bool {
        let first = Int(applicator.children.first)
        switch applicator.kind {
        case .ref: return evaluateHere(tables.children[first], index, marks)
        case .dynamicRef: return evaluateHere(dynamicTarget(applicator), index, marks)
        case .allOf: return applyAllOf(applicator, index, marks)
        case .anyOf: return applyAnyOf(applicator, number, index, marks)
        case .oneOf: return applyOneOf(applicator, number, index, marks)
        case .not:
            if !evaluateQuietly(tables.children[first], index, Self.noMarks) { return !hasHalted }
            _ = isBroken(number, .not)
            return false
        case .conditional:
            let holds = evaluateQuietly(tables.children[first], index, marks)
            if hasHalted { return false }
            let branch = tables.children[first + (holds ? 1 : 2)]
            return branch < 0 || evaluateHere(branch, index, marks)
        }
    }

    /// The outermost resource entered so far that has the dynamic anchor decides.
    private func dynamicTarget(_ applicator: Applicator) -> Int32 {
        let row = Int(applicator.dynamicName) * tables.resourceCount
        for depth in 0..<scratch.scope.count {
            let target = tables.dynamicTargets[row + Int(scratch.scope.base[depth])]
            if target >= 0 { return target }
        }
        return tables.children[Int(applicator.children.first)]
    }

    private mutating func applyAllOf(_ applicator: Applicator, _ index: Int, _ marks: Int) -> Bool {
        var isValid = true
        for row in applicator.children.indices where !evaluateHere(tables.children[row], index, marks) {
            isValid = false
            if !isRecording { return false }
        }
        return isValid
    }

    private mutating func applyAnyOf(_ applicator: Applicator, _ number: Int32, _ index: Int, _ marks: Int) -> Bool {
        var isValid = false
        for row in applicator.children.indices {
            if evaluateQuietly(tables.children[row], index, marks) {
                isValid = true
                // With marks every alternative that holds has to be seen.
                if marks < 0 { return true }
            }
            if hasHalted { return false }
        }
        if !isValid { _ = isBroken(number, .anyOf) }
        return isValid
    }

    private mutating func applyOneOf(_ applicator: Applicator, _ number: Int32, _ index: Int, _ marks: Int) -> Bool {
        var holding = 0
        for row in applicator.children.indices {
            if evaluateQuietly(tables.children[row], index, marks) {
                holding += 1
                if holding > 1 { break }
            }
            if hasHalted { return false }
        }
        if holding != 1 { _ = isBroken(number, .oneOf, detail: holding == 0 ? "none" : "several") }
        return holding == 1
    }
}
