import BusProtocol
import DequeModule

/// Where the records of sealing epochs stand in the journal: by the epoch, the system that sealed, and the system that opens.
///
/// A view of the journal. Records are kept for good, as long as anything may still be opened; the oldest leave the index beyond its limit.
struct KeyIndex: Sendable {
    struct Name: Hashable, Sendable {
        let epoch: EpochName
        /// The system for which the record is.
        let receiver: String
    }

    let limit: Int
    private var positions: [Name: UInt64] = [:]
    private var order: Deque<Name> = []

    init(limit: Int) { self.limit = limit }

    var count: Int { positions.count }
    subscript(name: Name) -> UInt64? { positions[name] }

    mutating func insert(_ name: Name, at position: UInt64) {
        guard positions.updateValue(position, forKey: name) == nil else { return }
        order.append(name)
        if order.count > limit, let oldest = order.popFirst() { positions[oldest] = nil }
    }
}
