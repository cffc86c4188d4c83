/// Equality of JSON values on tapes: numbers as numbers, objects without regard to the order of members. Recursion is
/// as deep as the texts, which the scanner has bounded; work is charged to the budget, and at its end everything counts
/// as different (the run then halts at its next step).
enum TapeEquality {
    static func areEqual(
        _ left: TapeView, _ leftIndex: Int, _ right: TapeView, _ rightIndex: Int, budget: inout Int
    ) -> Bool {
        let (a, b) = (left.entries[leftIndex], right.entries[rightIndex])
        guard a.kind == b.kind else { return false }
        switch a.kind {
        case .null, .no, .yes: return true
        case .string: return a.length == b.length && sameBytes(left.text(leftIndex), right.text(rightIndex))
        case .number:
            let (x, y) = (left.text(leftIndex), right.text(rightIndex))
            return sameBytes(x, y) || ExactDecimal.compare(ExactDecimal(x), ExactDecimal(y)) == 0
        case .array, .object:
            guard a.length == b.length else { return false }
            budget -= 1
            guard budget >= 0 else { return false }
            return a.kind == .array
                ? haveEqualElements(left, leftIndex, right, rightIndex, budget: &budget)
                : haveEqualMembers(left, leftIndex, right, rightIndex, budget: &budget)
        }
    }

    private static func haveEqualElements(
        _ left: TapeView, _ leftIndex: Int, _ right: TapeView, _ rightIndex: Int, budget: inout Int
    ) -> Bool {
        var (a, b) = (leftIndex + 1, rightIndex + 1)
        while a < Int(left.entries[leftIndex].link) {
            guard areEqual(left, a, right, b, budget: &budget) else { return false }
            (a, b) = (left.after(a), right.after(b))
        }
        return true
    }

    private static func haveEqualMembers(
        _ left: TapeView, _ leftIndex: Int, _ right: TapeView, _ rightIndex: Int, budget: inout Int
    ) -> Bool {
        var a = leftIndex + 1
        // Members mostly come in the same order: look first where the last search ended.
        var hint = rightIndex + 1
        while a < Int(left.entries[leftIndex].link) {
            let found = find(left, a, in: right, rightIndex, from: hint, budget: &budget)
            guard found >= 0, areEqual(left, a + 1, right, found + 1, budget: &budget) else { return false }
            hint = right.after(found + 1)
            a = left.after(a + 1)
        }
        return true
    }

    /// The index of the member of the same name, searched once around from `hint`; −1 when there is none.
    private static func find(
        _ left: TapeView, _ name: Int, in right: TapeView, _ object: Int, from hint: Int, budget: inout Int
    ) -> Int {
        let end = Int(right.entries[object].link)
        let wanted = left.entries[name]
        var at = hint < end ? hint : object + 1
        for _ in 0..<right.entries[object].length {
            let entry = right.entries[at]
            if entry.link == wanted.link, entry.length == wanted.length,
                sameBytes(left.text(name), right.text(at))
            {
                return at
            }
            budget -= 1
            if budget < 0 { return -1 }
            at = right.after(at + 1)
            if at >= end { at = object + 1 }
        }
        return -1
    }

    /// Equal values have equal hashes.
    static func hash(_ tape: TapeView, _ index: Int) -> UInt64 {
        let entry = tape.entries[index]
        let salt = NameHash.seed &+ UInt64(entry.kind.rawValue)
        switch entry.kind {
        case .null, .no, .yes: return NameHash.fold(salt, 0x9E37_79B9_7F4A_7C15)
        case .string: return NameHash.of(tape.text(index), seed: salt)
        case .number: return ExactDecimal(tape.text(index)).hash
        case .array:
            var (hash, at) = (salt, index + 1)
            while at < Int(entry.link) {
                hash = NameHash.fold(hash ^ Self.hash(tape, at), 0x9E37_79B9_7F4A_7C15)
                at = tape.after(at)
            }
            return hash
        case .object:
            var (hash, at) = (salt &+ UInt64(entry.length), index + 1)
            while at < Int(entry.link) {
                // A sum, so that the order of members does not count.
                hash &+= NameHash.fold(NameHash.of(tape.text(at), seed: salt) ^ Self.hash(tape, at + 1), salt | 1)
                at = tape.after(at + 1)
            }
            return hash
        }
    }
}
