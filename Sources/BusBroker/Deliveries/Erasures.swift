import HeapModule

/// Bodies that will be erased, and when: their messages are final for all receivers, and their services have a retention.
struct Erasures: Sendable {
    private struct Entry: Comparable, Sendable {
        let at: Int64
        let position: UInt64
        static func < (a: Entry, b: Entry) -> Bool { (a.at, a.position) < (b.at, b.position) }
    }

    /// Unix milliseconds. An entry of `order` counts only with the time that stands here.
    private var due: [UInt64: Int64] = [:]
    private var order = Heap<Entry>()

    var count: Int { due.count }
    /// Of the heap, of which some may be left from earlier plans.
    var entries: Int { order.count }

    /// The time counts from the last receiver's end.
    mutating func plan(_ position: UInt64, at time: Int64) {
        due[position] = time
        order.insert(Entry(at: time, position: position))
        dropLeftovers()
    }

    /// It is erased.
    mutating func forget(_ position: UInt64) {
        due[position] = nil
        dropLeftovers()
    }

    /// Entries of what was planned anew or is erased may be as many as of what is planned, and a few more.
    private mutating func dropLeftovers() {
        guard order.count > 2 * due.count + 64 else { return }
        order = Heap(due.map { Entry(at: $0.value, position: $0.key) })
    }

    /// Positions whose time has come, at most `most`; those beyond the limit before their time.
    mutating func take(at now: Int64, limit: Int, most: Int) -> [UInt64] {
        var taken: [UInt64] = []
        while taken.count < most, let first = order.min, first.at <= now || due.count > limit {
            order.removeMin()
            guard due[first.position] == first.at else { continue }
            due[first.position] = nil
            taken.append(first.position)
        }
        return taken
    }
}
