/// "Did you mean": the candidate nearest to a misspelt word by edit distance.
enum Suggestion {
    /// The nearest candidate when it is near enough to be a slip of the hand: at most a third of the letters differ.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let letters = Array(word.utf8)
        guard !letters.isEmpty, letters.count <= SpaceLimits.serviceNameLength else { return nil }
        let allowed = max(1, letters.count / 3)
        var best: (distance: Int, candidate: String)?
        for candidate in candidates where abs(candidate.utf8.count - letters.count) <= allowed {
            let found = distance(letters, Array(candidate.utf8))
            guard found <= allowed else { continue }
            // Equal distances: the alphabetically first, so that the text does not depend on hashing.
            if let best, (best.distance, best.candidate) <= (found, candidate) { continue }
            best = (found, candidate)
        }
        return best?.candidate
    }

    /// What would be right, for a reference to something declared elsewhere.
    static func phrase(for word: String, among candidates: some Collection<String>, otherwise: String) -> String {
        nearest(to: word, among: candidates).map { "did you mean `\($0)`?" } ?? otherwise
    }

    /// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var older: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            row.reserveCapacity(b.count + 1)
            for j in 1...b.count {
                var cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, older[j - 2] + 1) }
                row.append(cost)
            }
            older = previous
            previous = row
        }
        return previous[b.count]
    }
}
