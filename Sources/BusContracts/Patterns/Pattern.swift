/// A compiled regular expression, by itself or as a row of a compiled contract.
final class Pattern: @unchecked Sendable {
    // The buffers are filled once in init and never written again.
    let source: String
    let code: PatternCode
    private let classes: UnsafeMutablePointer<UInt8>?
    private let next: UnsafeMutablePointer<UInt16>?
    private let acceptance: UnsafeMutablePointer<UInt8>?
    private let backtracking: BacktrackingPattern?

    init(_ source: String) throws(PatternError) {
        self.source = source
        let syntax = try PatternParser.parse(source)
        guard let automaton = PatternAutomaton(syntax) else {
            let backtracking = try BacktrackingPattern(syntax)
            self.backtracking = backtracking
            (classes, next, acceptance) = (nil, nil, nil)
            code = PatternCode(backtracking: backtracking.code)
            return
        }
        backtracking = nil
        let classes = Self.copied(automaton.classOfByte)
        let next = Self.copied(automaton.next)
        let acceptance = Self.copied(automaton.acceptance)
        (self.classes, self.next, self.acceptance) = (classes, next, acceptance)
        code = PatternCode(classes: classes, next: next, acceptance: acceptance, classCount: automaton.classCount)
    }

    deinit {
        classes?.deallocate()
        next?.deallocate()
        acceptance?.deallocate()
    }

    /// Whether every subject is decided in one pass.
    var isAutomaton: Bool { backtracking == nil }

    /// Whether a pattern is one of ECMA-262; the format "regex".
    static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        (try? PatternParser.parse(String(decoding: text, as: UTF8.self))) != nil
    }

    private static func copied<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        for (index, element) in elements.enumerated() { (copy + index).initialize(to: element) }
        return copy
    }
}

/// Plain pointers into a ``Pattern``, which the compiled contract keeps alive.
struct PatternCode: BitwiseCopyable {
    private let classes: UnsafePointer<UInt8>?
    private let next: UnsafePointer<UInt16>?
    private let acceptance: UnsafePointer<UInt8>?
    private let classCount: Int
    private let backtracking: OpaquePointer?

    init(
        classes: UnsafePointer<UInt8>, next: UnsafePointer<UInt16>, acceptance: UnsafePointer<UInt8>, classCount: Int
    ) {
        (self.classes, self.next, self.acceptance, self.classCount) = (classes, next, acceptance, classCount)
        backtracking = nil
    }

    init(backtracking: OpaquePointer) {
        (classes, next, acceptance, classCount) = (nil, nil, nil, 0)
        self.backtracking = backtracking
    }

    @inline(__always)
    func match(
        _ subject: UnsafeBufferPointer<UInt8>, scratch: BacktrackingScratch, budget: inout Int
    ) -> BacktrackingScratch.Outcome {
        if let classes, let next, let acceptance {
            // Every state and class is below the size of the table, which is below 2³¹.
            var state = Int(PatternAutomaton.startState)
            guard let base = subject.baseAddress else { return acceptance[state] != 0 ? .match : .noMatch }
            var offset = 0
            while offset < subject.count {
                if acceptance[state] & PatternAutomaton.acceptsNow != 0 { return .match }
                state = Int(next[state &* classCount &+ Int(classes[Int(base[offset])])])
                if state == 0 { return .noMatch }
                offset = offset &+ 1
            }
            return acceptance[state] != 0 ? .match : .noMatch
        }
        guard let backtracking else { return .limit }
        return scratch.match(backtracking, subject, budget: &budget)
    }
}
