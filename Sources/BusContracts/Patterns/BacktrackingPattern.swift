import CPCRE2

/// A pattern compiled by PCRE2. Matching is bounded by limits on steps, depth and heap; there is no just-in-time code,
/// because it does not keep all of them.
final class BacktrackingPattern: @unchecked Sendable {
    // A compiled pattern is immutable and PCRE2 lets threads share it.
    let code: OpaquePointer

    init(_ syntax: PatternSyntax) throws(PatternError) {
        let text = Array(syntax.pcre2.utf8)
        var (errorNumber, errorOffset): (Int32, Int) = (0, 0)
        let options =
            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS
            | PCRE2_NEVER_BACKSLASH_C
        let compiled = text.withUnsafeBufferPointer {
            pcre2_compile_8($0.baseAddress, $0.count, options, &errorNumber, &errorOffset, nil)
        }
        guard let compiled else {
            throw PatternError(offset: 0, what: "PCRE2 refuses it: \(Self.message(errorNumber))")
        }
        code = compiled
    }

    deinit { pcre2_code_free_8(code) }

    private static func message(_ number: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = pcre2_get_error_message_8(number, &buffer, buffer.count)
        return length > 0 ? String(decoding: buffer.prefix(Int(length)), as: UTF8.self) : "error \(number)"
    }
}

/// What a thread needs to match with PCRE2: a match block and the limits, tried from the smallest. Used by one thread
/// at a time.
final class BacktrackingScratch {
    /// Steps of each attempt. Few patterns need the second, so that a hostile subject cannot spend the last often: each
    /// attempt is charged to the budget of the whole check before it is made.
    static let stepLimits: [UInt32] = [2_000, 20_000, 200_000]
    /// Nested backtracking points.
    static let depthLimit: UInt32 = 10_000
    /// KiB of heap.
    static let heapLimit: UInt32 = 8_192

    enum Outcome { case match, noMatch, limit }

    private let block: OpaquePointer?
    private let contexts: [OpaquePointer?]

    init() {
        block = pcre2_match_data_create_8(1, nil)
        contexts = Self.stepLimits.map { steps in
            let context = pcre2_match_context_create_8(nil)
            pcre2_set_match_limit_8(context, steps)
            pcre2_set_depth_limit_8(context, Self.depthLimit)
            pcre2_set_heap_limit_8(context, Self.heapLimit)
            return context
        }
    }

    deinit {
        pcre2_match_data_free_8(block)
        contexts.forEach { pcre2_match_context_free_8($0) }
    }

    /// Matches; `budget` is what the check may still spend, in the steps of the evaluation (worth ten of PCRE2's).
    func match(_ code: OpaquePointer, _ subject: UnsafeBufferPointer<UInt8>, budget: inout Int) -> Outcome {
        var nothing: UInt8 = 0
        for (context, steps) in zip(contexts, Self.stepLimits) {
            if steps > Self.stepLimits[0] { budget -= Int(steps) / 10 }
            guard budget >= 0, let block, context != nil else { return .limit }
            let result = withUnsafePointer(to: &nothing) { placeholder in
                pcre2_match_8(
                    code, subject.baseAddress ?? placeholder, subject.count, 0, PCRE2_NO_UTF_CHECK, block, context)
            }
            if result >= 0 { return .match }
            switch result {
            case PCRE2_ERROR_NOMATCH: return .noMatch
            case PCRE2_ERROR_MATCHLIMIT: continue
            default: return .limit
            }
        }
        return .limit
    }
}
