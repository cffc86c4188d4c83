extension PatternSyntax {
    /// The same pattern in the syntax of PCRE2, with every difference between the two dialects written out: classes as
    /// code points, "$" as the very end (by an option), "." without the four line terminators.
    var pcre2: String {
        switch self {
        case .empty: "(?:)"
        case .characters(let set): set.pcre2
        case .sequence(let parts): "(?:" + parts.map(\.pcre2).joined() + ")"
        case .alternation(let branches): "(?:" + branches.map(\.pcre2).joined(separator: "|") + ")"
        case .repeated(.characters(let set), let least, let most, let isLazy):
            "\(set.pcre2){\(least),\(most.map(String.init) ?? "")}\(isLazy ? "?" : "")"
        case .repeated(let inner, let least, let most, let isLazy):
            "(?:\(inner.pcre2)){\(least),\(most.map(String.init) ?? "")}\(isLazy ? "?" : "")"
        case .start: "^"
        case .end: "$"
        case .wordBoundary(let isNegated): isNegated ? "\\B" : "\\b"
        case .group(let inner, let name): "(\(name.map { "?<\($0)>" } ?? "")\(inner.pcre2))"
        case .backreference(let group): "\\g{\(group)}"
        case .namedBackreference(let name): "\\k<\(name)>"
        case .lookaround(let inner, let isBehind, let isNegated):
            "(?\(isBehind ? "<" : "")\(isNegated ? "!" : "=")\(inner.pcre2))"
        }
    }
}

extension CharacterClass {
    fileprivate var pcre2: String {
        let surrogates: ClosedRange<UInt32> = 0xD800...0xDFFF
        var members = ""
        for range in ranges {
            // A range may not end in the surrogates, which are no characters; cut them out.
            let pieces =
                range.overlaps(surrogates)
                ? [
                    (range.lowerBound, min(range.upperBound, 0xD7FF)),
                    (max(range.lowerBound, 0xE000), range.upperBound),
                ]
                : [(range.lowerBound, range.upperBound)]
            for (low, high) in pieces where low <= high {
                members += "\\x{\(String(low, radix: 16))}-\\x{\(String(high, radix: 16))}"
            }
        }
        for property in properties { members += "\\\(property.isNegated ? "P" : "p"){\(property.name)}" }
        return "[\(isNegated ? "^" : "")\(members)]"
    }
}
