import BusProtocol

/// Slots of open calls by request id: an open-addressed table that tells "known?" and "where to?" with one look.
///
/// Ids come from agents, so places are chosen by a hash with a secret of this process. Nobody walks through the table: where an id
/// lies has no effect on what the core does.
struct CallIndex: Sendable {
    private struct Entry: Sendable {
        var high: UInt64 = 0
        var low: UInt64 = 0
        /// -1: empty.
        var slot: Int32 = -1

        func holds(_ id: MessageID) -> Bool { low == CallIndex.low(id) && high == CallIndex.high(id) }
    }

    /// Where an id stands, or where it would. Good until the index changes.
    struct Place {
        fileprivate let index: Int
        /// Nil: the id is not there.
        let slot: Int32?
    }

    private static let leastCapacity = 64

    /// A power of two, and at least twice as many as there are ids.
    private var entries = [Entry](repeating: Entry(), count: CallIndex.leastCapacity)
    private(set) var count = 0
    private let secret = CallIndex.secret

    func place(of id: MessageID) -> Place {
        let mask = entries.count - 1
        var index = home(CallIndex.high(id), CallIndex.low(id)) & mask
        while entries[index].slot >= 0 {
            if entries[index].holds(id) { return Place(index: index, slot: entries[index].slot) }
            index = (index + 1) & mask
        }
        return Place(index: index, slot: nil)
    }

    /// - Parameter place: of this id, which is not there.
    mutating func insert(_ id: MessageID, _ slot: Int32, at place: Place) {
        entries[place.index] = Entry(high: CallIndex.high(id), low: CallIndex.low(id), slot: slot)
        count += 1
        // Afterwards, so that places stay good until then; there is always an empty one.
        if 2 * count > entries.count { grow() }
    }

    /// Those behind it move up where they may: no marks are left that later looks would have to step over.
    mutating func remove(_ id: MessageID) {
        let place = place(of: id)
        guard place.slot != nil else { return }
        let mask = entries.count - 1
        var hole = place.index
        var next = (hole + 1) & mask
        while entries[next].slot >= 0 {
            let home = home(entries[next].high, entries[next].low) & mask
            // It may stand at its home or behind it, never before: the hole has to lie between.
            if (next - home) & mask >= (next - hole) & mask {
                entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        entries[hole] = Entry()
        count -= 1
    }

    private mutating func grow() {
        let old = entries
        entries = [Entry](repeating: Entry(), count: 2 * old.count)
        let mask = entries.count - 1
        for entry in old where entry.slot >= 0 {
            var index = home(entry.high, entry.low) & mask
            while entries[index].slot >= 0 { index = (index + 1) & mask }
            entries[index] = entry
        }
    }

    /// The product of both halves, folded: each bit of an id reaches all of them, and without the secret nobody makes two meet.
    private func home(_ high: UInt64, _ low: UInt64) -> Int {
        let product = (high ^ secret.high).multipliedFullWidth(by: low ^ secret.low)
        return Int(truncatingIfNeeded: product.high ^ product.low)
    }

    private static func high(_ id: MessageID) -> UInt64 { UInt64(truncatingIfNeeded: id.value >> 64) }
    private static func low(_ id: MessageID) -> UInt64 { UInt64(truncatingIfNeeded: id.value) }

    /// Drawn from the seed that this process hashes with.
    private static let secret = (high: seeded(1), low: seeded(2))

    private static func seeded(_ number: Int) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(number)
        return UInt64(truncatingIfNeeded: hasher.finalize())
    }
}
