/// A deterministic automaton over bytes: it reads each byte of the subject once, whatever the pattern, so a pattern
/// that has one cannot be made slow. Patterns with lookaround, backreferences, word boundaries or Unicode properties,
/// and those that would need too many states, have none and go to PCRE2.
struct PatternAutomaton: Sendable {
    /// States of the intermediate automaton; a long counted repetition exceeds it.
    static let mostSteps = 4_000
    /// States of the finished automaton.
    static let mostStates = 400
    /// Steps looked at while building it, so that no pattern makes compiling slow.
    static let mostWork = 1_000_000

    /// Byte → class of bytes the pattern does not tell apart.
    var classOfByte: [UInt8] = []
    var classCount = 0
    /// state × class → state. State 0 is the dead end.
    var next: [UInt16] = []
    /// Per state: 1 = the pattern has matched whatever follows; 2 = it matches if the subject ends here.
    var acceptance: [UInt8] = []
    static let startState: UInt16 = 1
    static let acceptsNow: UInt8 = 1
    static let acceptsAtEnd: UInt8 = 2

    /// All of it in one table: for each state a row of the beginnings of the next rows, and at its end the acceptance. So
    /// a byte of the subject costs two loads and no multiplication.
    var rows: [UInt32] {
        acceptance.indices.flatMap { state in
            let row = next[state * classCount..<(state + 1) * classCount]
            return row.map { UInt32($0) * UInt32(classCount + 1) } + [UInt32(acceptance[state])]
        }
    }

    init?(_ syntax: PatternSyntax) {
        var builder = StepBuilder()
        guard let first = builder.add(syntax, then: StepBuilder.accept) else { return nil }
        self.init(builder.steps, first: first)
    }

    func matches(_ subject: [UInt8]) -> Bool {
        var state = Int(Self.startState)
        for byte in subject {
            if acceptance[state] & Self.acceptsNow != 0 { return true }
            state = Int(next[state * classCount + Int(classOfByte[Int(byte)])])
        }
        return acceptance[state] != 0
    }
}

/// One step of the intermediate automaton (Thompson's construction).
private enum Step {
    case accept
    case bytes(ClosedRange<UInt8>, then: Int)
    case either([Int])
    case start(then: Int)
    case end(then: Int)
}

private struct StepBuilder {
    static let accept = 0
    var steps: [Step] = [.accept]

    private mutating func append(_ step: Step) -> Int? {
        guard steps.count < PatternAutomaton.mostSteps else { return nil }
        steps.append(step)
        return steps.count - 1
    }

    /// Adds steps that match `syntax` and go on to `then`; returns where they begin, nil if it cannot be done.
    mutating func add(_ syntax: PatternSyntax, then: Int) -> Int? {
        switch syntax {
        case .empty: return then
        case .characters(let set): return add(set, then: then)
        case .sequence(let parts):
            var next = then
            for part in parts.reversed() {
                guard let begin = add(part, then: next) else { return nil }
                next = begin
            }
            return next
        case .alternation(let branches):
            var begins: [Int] = []
            for branch in branches {
                guard let begin = add(branch, then: then) else { return nil }
                begins.append(begin)
            }
            return append(.either(begins))
        case .repeated(let inner, let least, let most, _):
            return addRepetition(inner, least, most, then: then)
        case .group(let inner, _): return add(inner, then: then)
        case .start: return append(.start(then: then))
        case .end: return append(.end(then: then))
        case .wordBoundary, .backreference, .namedBackreference, .lookaround: return nil
        }
    }

    private mutating func addRepetition(_ inner: PatternSyntax, _ least: Int, _ most: Int?, then: Int) -> Int? {
        guard max(least, most ?? 0) <= PatternAutomaton.mostSteps else { return nil }
        var next = then
        if let most {
            for _ in least..<most {
                guard let begin = add(inner, then: next), let choice = append(.either([begin, then])) else {
                    return nil
                }
                next = choice
            }
        } else {
            guard let loop = append(.either([])), let begin = add(inner, then: loop) else { return nil }
            steps[loop] = .either([begin, then])
            next = loop
        }
        for _ in 0..<least {
            guard let begin = add(inner, then: next) else { return nil }
            // What matches only nothing need not be repeated.
            if begin == next { break }
            next = begin
        }
        return next
    }

    private mutating func add(_ set: CharacterClass, then: Int) -> Int? {
        guard let ranges = set.resolvedRanges else { return nil }
        var begins: [Int] = []
        for range in ranges {
            for sequence in UTF8Ranges.sequences(for: range) {
                var next = then
                for bytes in sequence.reversed() {
                    guard let step = append(.bytes(bytes, then: next)) else { return nil }
                    next = step
                }
                begins.append(next)
            }
        }
        return append(.either(begins))
    }
}

extension PatternAutomaton {
    /// The subset construction. The subject may match anywhere, so the first step stays alive at every byte.
    private init?(_ steps: [Step], first: Int) {
        splitBytes(steps)
        var known: [[Int]: UInt16] = [:]
        var sets: [[Int]] = [[], []]
        next = Array(repeating: 0, count: classCount)
        acceptance = [0]
        let representatives = (0..<classCount).map { classOfByte.firstIndex(of: UInt8($0)) ?? 0 }
        let restart = Self.closure([first], steps, atStart: false, atEnd: false)
        sets[1] = Self.closure([first], steps, atStart: true, atEnd: false)
        known[[]] = 0
        // The state before the first byte is kept apart: only there does ^ hold.
        var state = 1
        var work = 0
        while state < sets.count {
            let set = sets[state]
            acceptance.append(Self.acceptance(of: set, steps, isStart: state == 1))
            if acceptance[state] & Self.acceptsNow != 0 {
                next += repeatElement(UInt16(state), count: classCount)
                state += 1
                continue
            }
            for byte in representatives {
                work += set.count + restart.count + 1
                guard work <= Self.mostWork else { return nil }
                let moved = Self.moved(set, by: UInt8(byte), steps)
                let target = Self.closure(moved, steps, atStart: false, atEnd: false)
                let whole = Set(target).union(restart).sorted()
                if let existing = known[whole] {
                    next.append(existing)
                } else {
                    guard sets.count < Self.mostStates else { return nil }
                    known[whole] = UInt16(sets.count)
                    next.append(UInt16(sets.count))
                    sets.append(whole)
                }
            }
            state += 1
        }
    }

    private mutating func splitBytes(_ steps: [Step]) {
        var isBoundary = Array(repeating: false, count: 257)
        for case .bytes(let range, _) in steps {
            isBoundary[Int(range.lowerBound)] = true
            isBoundary[Int(range.upperBound) + 1] = true
        }
        var current = 0
        for byte in 0..<256 {
            if isBoundary[byte], byte > 0 { current += 1 }
            classOfByte.append(UInt8(current))
        }
        classCount = current + 1
    }

    private static func moved(_ set: [Int], by byte: UInt8, _ steps: [Step]) -> [Int] {
        set.compactMap { if case .bytes(let range, let then) = steps[$0], range.contains(byte) { then } else { nil } }
    }

    /// Every step reachable without reading a byte; steps that read nothing themselves are kept only if they wait for
    /// the end.
    private static func closure(_ begins: [Int], _ steps: [Step], atStart: Bool, atEnd: Bool) -> [Int] {
        var seen = Set<Int>()
        var waiting = begins
        while let step = waiting.popLast() {
            guard seen.insert(step).inserted else { continue }
            switch steps[step] {
            case .accept, .bytes: break
            case .either(let choices): waiting += choices
            case .start(let then): if atStart { waiting.append(then) }
            case .end(let then): if atEnd { waiting.append(then) }
            }
        }
        return seen.filter { step in
            switch steps[step] {
            case .accept, .bytes, .end: true
            case .either, .start: false
            }
        }.sorted()
    }

    private static func acceptance(of set: [Int], _ steps: [Step], isStart: Bool) -> UInt8 {
        if set.contains(StepBuilder.accept) { return acceptsNow | acceptsAtEnd }
        return closure(set, steps, atStart: isStart, atEnd: true).contains(StepBuilder.accept) ? acceptsAtEnd : 0
    }
}
