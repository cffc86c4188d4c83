/// One run of a compiled schema over a tape. The first run only decides, and stops at the first broken rule; when it
/// finds one, a second run collects what to tell.
///
/// Recursion is bounded by ``deepest`` and work by a budget of steps; at either bound the run halts, which is a
/// violation.
///
/// What not every value needs is kept out of line (`@inline(never)`): inlined, it would cost each scalar its stack frame.
struct Evaluation: ~Copyable {
    /// Schemas applied inside each other. Debug builds need about 2 KiB of machine stack for each.
    static let deepest = 512

    let tables: RuleTables
    let tape: TapeView
    let scratch: CheckScratch
    let collector: ViolationCollector?
    /// Steps left.
    var budget: Int
    var depth = 0
    /// Whether broken rules are told: not in alternatives, where breaking rules is no fault.
    var isRecording: Bool
    var hasHalted = false
    let tracksScope: Bool

    init(_ schema: CompiledSchema, tape: TapeView, scratch: CheckScratch, budget: Int, collector: ViolationCollector?) {
        tables = schema.tables
        self.tape = tape
        self.scratch = scratch
        self.budget = budget
        self.collector = collector
        isRecording = collector != nil
        tracksScope = schema.tables.dynamicTargets.count > 0
        scratch.marks.count = 0
        scratch.scope.count = 0
    }

    /// Without marks: nobody asks what was evaluated.
    static let noMarks = -1

    /// Whether the value at `index` satisfies a node. What it evaluated is marked in the frame at `marks`.
    @inline(never)
    mutating func evaluate(_ number: Int32, _ index: Int, _ marks: Int) -> Bool {
        let node = tables.nodes.rows + Int(number)
        budget = budget &- 1
        if budget < 0 { return halt(number, "fewer steps: the work this value causes is beyond the limit") }
        if tracksScope { return evaluateInScope(number, node, index, marks) }
        return evaluateNode(number, node, index, marks)
    }

    /// Notes the resource of the node for dynamic references, and forgets it afterwards.
    @inline(never)
    private mutating func evaluateInScope(
        _ number: Int32, _ node: UnsafePointer<RuleNode>, _ index: Int, _ marks: Int
    ) -> Bool {
        let depth = scratch.scope.count
        let resource = node.pointee.resource
        if depth == 0 || scratch.scope.base[depth - 1] != resource { scratch.scope.push(resource) }
        defer { scratch.scope.count = depth }
        return evaluateNode(number, node, index, marks)
    }

    @inline(__always)
    private mutating func evaluateNode(
        _ number: Int32, _ node: UnsafePointer<RuleNode>, _ index: Int, _ marks: Int
    ) -> Bool {
        if node.pointee.flags != 0 {
            if node.pointee.flags & RuleNode.never != 0 {
                _ = isBroken(number, .falseSchema)
                return false
            }
            if tape.entries[index].kind.rawValue >= TapeKind.array.rawValue {
                return evaluateWithMarks(number, index, marks)
            }
        }
        return evaluateRules(number, node, index, marks)
    }

    /// Tells a broken rule if rules are told here; true when the run goes on to look for more.
    @inline(never)
    mutating func isBroken(_ number: Int32, _ rule: Rule, detail: String? = nil) -> Bool {
        guard isRecording, let collector else { return false }
        isRecording = collector.record(number, rule, detail: detail, tape)
        return isRecording
    }

    /// Stops the whole run; the reason is told even inside alternatives.
    @inline(never)
    mutating func halt(_ number: Int32, _ reason: String) -> Bool {
        if !hasHalted, let collector { _ = collector.record(number, .limit, detail: reason, tape) }
        hasHalted = true
        isRecording = false
        return false
    }

    @inline(__always)
    private mutating func evaluateRules(
        _ number: Int32, _ node: UnsafePointer<RuleNode>, _ index: Int, _ marks: Int
    ) -> Bool {
        let kind = tape.entries[index].kind
        if !hasType(node.pointee.types, kind, index) {
            // With the wrong type the other rules have nothing more to say.
            _ = isBroken(number, .type)
            return false
        }
        var isValid = true
        switch kind {
        case .string:
            if node.pointee.string >= 0 || node.pointee.format != .none {
                isValid = checkString(number, node, index)
            }
        case .number:
            if node.pointee.number >= 0 { isValid = checkNumber(number, Int(node.pointee.number), index) }
        case .object:
            if node.pointee.object >= 0 { isValid = checkObject(number, Int(node.pointee.object), index, marks) }
        case .array:
            if node.pointee.array >= 0 { isValid = checkArray(number, Int(node.pointee.array), index, marks) }
        case .null, .no, .yes: break
        }
        if !isValid, !isRecording { return false }
        if node.pointee.values.count > 0, !checkValues(number, node.pointee.values, index) {
            isValid = false
            if !isRecording { return false }
        }
        if node.pointee.applicators.count > 0, !applyAll(number, node, index, marks) { isValid = false }
        return isValid
    }

    @inline(__always)
    private func hasType(_ types: UInt8, _ kind: TapeKind, _ index: Int) -> Bool {
        let bits = TypeMask.of(kind)
        let allowed = types & bits
        // Only a number can have some of its bits: it is an integer or a fraction.
        if allowed == bits || allowed == 0 { return allowed != 0 }
        if tape.entries[index].flags & TapeEntry.plainInteger != 0 { return allowed == TypeMask.integer }
        return ExactDecimal(tape.text(index)).isInteger == (allowed == TypeMask.integer)
    }

    // MARK: unevaluated members and elements

    /// A node that asks what its parts left unevaluated: it gets a frame of its own, which on success is added to the
    /// caller's.
    @inline(never)
    private mutating func evaluateWithMarks(_ number: Int32, _ index: Int, _ marks: Int) -> Bool {
        let node = tables.nodes.rows + Int(number)
        let (own, words) = openFrame(index)
        defer { scratch.marks.count = own }
        guard evaluateRules(number, node, index, own) else { return false }
        let unevaluated =
            tape.entries[index].kind == .object ? node.pointee.unevaluatedProperties : node.pointee.unevaluatedItems
        if unevaluated >= 0, !evaluateUnmarked(unevaluated, index, own) { return false }
        merge(own, into: marks, words)
        return true
    }

    mutating func openFrame(_ index: Int) -> (frame: Int, words: Int) {
        let words = (Int(tape.entries[index].length) + 63) / 64
        budget -= words
        let frame = scratch.marks.count
        scratch.marks.reserve(words)
        for _ in 0..<words { scratch.marks.push(0) }
        return (frame, words)
    }

    func merge(_ frame: Int, into marks: Int, _ words: Int) {
        guard marks >= 0 else { return }
        for word in 0..<words { scratch.marks.base[marks + word] |= scratch.marks.base[frame + word] }
    }

    @inline(__always)
    func mark(_ member: Int, _ marks: Int) {
        if marks >= 0 { scratch.marks.base[marks + member >> 6] |= 1 << UInt64(member & 63) }
    }

    private mutating func evaluateUnmarked(_ number: Int32, _ index: Int, _ marks: Int) -> Bool {
        let entry = tape.entries[index]
        let isObject = entry.kind == .object
        var isValid = true
        var (at, position) = (index + 1, 0)
        while at < Int(entry.link) {
            let value = isObject ? at + 1 : at
            if scratch.marks.base[marks + position >> 6] & 1 << UInt64(position & 63) == 0 {
                let rule = isObject ? Rule.unevaluatedProperties : .unevaluatedItems
                if !evaluatePart(number, isObject ? .member(at) : .element(position), value, unless: rule) {
                    isValid = false
                    if !isRecording { return false }
                }
                mark(position, marks)
            }
            at = tape.after(value)
            position += 1
        }
        return isValid
    }

    // MARK: descent

    /// Applies a node to a part of the value: one level deeper.
    @inline(__always)
    mutating func evaluatePart(_ number: Int32, _ step: PathStep, _ value: Int, unless rule: Rule? = nil) -> Bool {
        depth = depth &+ 1
        defer { depth = depth &- 1 }
        if depth > Self.deepest { return halt(number, "less depth: schemas are applied too deep inside each other") }
        if collector != nil { return evaluateTelling(number, step, value, unless: rule) }
        return evaluate(number, value, Self.noMarks)
    }

    /// Of the second run, which knows where it is.
    @inline(never)
    private mutating func evaluateTelling(
        _ number: Int32, _ step: PathStep, _ value: Int, unless rule: Rule?
    ) -> Bool {
        collector?.path.append(step)
        defer { collector?.path.removeLast() }
        if let rule, tables.nodes[Int(number)].flags & RuleNode.never != 0 {
            // "false" under additionalProperties says more when named by the keyword.
            _ = isBroken(number, rule)
            return false
        }
        return evaluate(number, value, Self.noMarks)
    }

    /// Applies a node to the same value.
    @inline(__always)
    mutating func evaluateHere(_ number: Int32, _ index: Int, _ marks: Int) -> Bool {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.deepest { return halt(number, "less depth: schemas are applied too deep inside each other") }
        return evaluate(number, index, marks)
    }

    /// Applies an alternative: nothing is told, and marks count only if it holds.
    mutating func evaluateQuietly(_ number: Int32, _ index: Int, _ marks: Int) -> Bool {
        let wasRecording = isRecording
        isRecording = false
        defer { isRecording = wasRecording && !hasHalted }
        guard marks >= 0 else { return evaluateHere(number, index, Self.noMarks) }
        let (own, words) = openFrame(index)
        defer { scratch.marks.count = own }
        guard evaluateHere(number, index, own) else { return false }
        merge(own, into: marks, words)
        return true
    }
}

/// A step from a value to a part of it.
enum PathStep: BitwiseCopyable {
    /// The tape index of the member's name.
    case member(Int)
    case element(Int)
}

/// Gathers violations of the second run.
final class ViolationCollector {
    private let schema: CompiledSchema
    private let most: Int
    private(set) var violations: [Violation] = []
    var path: [PathStep] = []

    init(_ schema: CompiledSchema, most: Int) {
        self.schema = schema
        self.most = max(1, most)
    }

    /// False when there is no room for more.
    func record(_ node: Int32, _ rule: Rule, detail: String?, _ tape: TapeView) -> Bool {
        guard violations.count < most else { return false }
        let tokens = path.map { step in
            switch step {
            case .member(let name): tape.string(name)
            case .element(let index): String(index)
            }
        }
        let source = schema.sources[Int(node)]
        let location = schema.locations[Int(node)]
        let keyword = source[rule.keyword] == nil ? "" : "/" + rule.keyword
        violations.append(
            Violation(
                instance: JSONPointer(tokens: tokens), rule: rule.keyword, schemaLocation: location + keyword,
                expected: ViolationWording.expectation(rule, source, detail: detail)))
        return violations.count < most
    }
}
