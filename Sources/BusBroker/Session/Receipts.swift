import BusProtocol
import DequeModule

/// Sizes and roots the log had lately, one a commit: what an agent's receipt is held against when it greets.
///
/// A receipt always names a size at which a batch ended, so another root there, or no such end, means another log.
struct Receipts: Sendable {
    /// Commits that are remembered. Older receipts are checked offline only (`kerege journal verify`).
    static let limit = 65_536

    private struct Row: Sendable {
        let size: UInt64
        /// The first half of the root; the whole would tell no more of an accident, and an attacker is not met here.
        let root: UInt128
    }
    private var rows: Deque<Row> = []

    mutating func note(_ size: UInt64, _ root: [UInt8]) {
        guard size > rows.last?.size ?? 0 else { return }
        rows.append(Row(size: size, root: Self.half(root)))
        if rows.count > Self.limit { rows.removeFirst() }
    }

    /// False when this log never had that root at that size; true also where it is too long ago to tell.
    func mayHaveGiven(_ size: UInt64, _ root: [UInt8]) -> Bool {
        guard let oldest = rows.first, size >= oldest.size else { return true }
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].size < size { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low].size == size && rows[low].root == Self.half(root)
    }

    private static func half(_ root: [UInt8]) -> UInt128 {
        root.prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}
