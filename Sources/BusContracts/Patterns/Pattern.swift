/// A compiled regular expression, by itself or as a row of a compiled contract.
final class Pattern: @unchecked Sendable {
    // The buffers are filled once in init and never written again.
    let source: String
    let code: PatternCode
    private let classes: UnsafeMutablePointer<UInt8>?
    private let rows: UnsafeMutablePointer<UInt32>?
    private let backtracking: BacktrackingPattern?

    init(_ source: String) throws(PatternError) {
        self.source = source
        let syntax = try PatternParser.parse(source)
        guard let automaton = PatternAutomaton(syntax) else {
            let backtracking = try BacktrackingPattern(syntax)
            self.backtracking = backtracking
            (classes, rows) = (nil, nil)
            code = PatternCode(backtracking: backtracking.code)
            return
        }
        backtracking = nil
        let classes = Self.copied(automaton.classOfByte)
        let rows = Self.copied(automaton.rows)
        (self.classes, self.rows) = (classes, rows)
        code = PatternCode(classes: classes, rows: rows, classCount: automaton.classCount)
    }

    deinit {
        classes?.deallocate()
        rows?.deallocate()
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
    private let rows: UnsafePointer<UInt32>?
    private let classCount: Int
    private let backtracking: OpaquePointer?

    init(classes: UnsafePointer<UInt8>, rows: UnsafePointer<UInt32>, classCount: Int) {
        (self.classes, self.rows, self.classCount) = (classes, rows, classCount)
        backtracking = nil
    }

    init(backtracking: OpaquePointer) {
        (classes, rows, classCount) = (nil, nil, 0)
        self.backtracking = backtracking
    }

    @inline(__always)
    func match(
        _ subject: UnsafeBufferPointer<UInt8>, scratch: BacktrackingScratch, budget: inout Int
    ) -> BacktrackingScratch.Outcome {
        if let classes, let rows {
            // Where the row of the state begins. It and its columns are within the table, which is far below 2³¹.
            var row = Int(PatternAutomaton.startState) &* (classCount &+ 1)
            guard let base = subject.baseAddress else { return rows[row &+ classCount] != 0 ? .match : .noMatch }
            var offset = 0
            while offset < subject.count {
                if rows[row &+ classCount] & UInt32(PatternAutomaton.acceptsNow) != 0 { return .match }
                row = Int(rows[row &+ Int(classes[Int(base[offset])])])
                if row == 0 { return .noMatch }
                offset = offset &+ 1
            }
            return rows[row &+ classCount] != 0 ? .match : .noMatch
        }
        guard let backtracking else { return .limit }
        return scratch.match(backtracking, subject, budget: &budget)
    }
}
