/// Counters under which something was opened, each with the beginning of its tag: the same message has the same tag, another one under
/// the same counter has not.
///
/// A table in which every counter has one place; a later one with the same place takes it. Counters of an epoch follow each other, so
/// the last `limit` of one epoch never meet.
struct OpenedCounters: Sendable {
    private struct Row: Sendable {
        var epoch: UInt64 = 0
        /// 0: nobody's; senders count from 1.
        var counter: UInt64 = 0
        var tag: UInt64 = 0
    }

    private static let firstSize = 256

    private let limit: Int
    private var rows: [Row]
    private var used = 0

    /// - Parameter limit: rows at most; rounded up to a power of two.
    init(limit: Int) {
        self.limit = Self.powerOfTwo(limit)
        rows = [Row](repeating: Row(), count: min(Self.firstSize, self.limit))
    }

    private static func powerOfTwo(_ number: Int) -> Int {
        number <= 1 ? 1 : 1 << (Int.bitWidth - (number - 1).leadingZeroBitCount)
    }

    private func place(_ counter: UInt64, _ epoch: UInt64) -> Int {
        // An epoch's id is a hash already.
        Int(truncatingIfNeeded: counter &+ epoch) & (rows.count - 1)
    }

    /// - Returns: false when something else was opened under this counter.
    mutating func note(_ counter: UInt64, of epoch: UInt64, _ tag: UInt64) -> Bool {
        let place = place(counter, epoch)
        let known = rows[place]
        if known.counter == counter, known.epoch == epoch { return known.tag == tag }
        if known.counter == 0 { used += 1 }
        rows[place] = Row(epoch: epoch, counter: counter, tag: tag)
        if used > rows.count / 2, rows.count < limit { grow() }
        return true
    }

    private mutating func grow() {
        let old = rows
        rows = [Row](repeating: Row(), count: min(limit, old.count * 4))
        used = 0
        for row in old where row.counter != 0 {
            let place = place(row.counter, row.epoch)
            if rows[place].counter == 0 { used += 1 }
            rows[place] = row
        }
    }
}
