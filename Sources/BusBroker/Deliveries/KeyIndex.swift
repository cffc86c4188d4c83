import BusProtocol
import DequeModule

/// Where the records of sealing epochs stand in the journal: by the epoch, the system that sealed, and the system that opens.
///
/// A view of the journal. Records are kept for good, as long as anything may still be opened; the oldest leave the index beyond its limit.
struct KeyIndex: Sendable {
    private struct Pair: Hashable, Sendable {
        let sender: String
        let receiver: String
    }

    let limit: Int
    private var positions: [RecordName: UInt64] = [:]
    private var order: Deque<RecordName> = []
    /// The newest secret for order keys that a system gave another.
    private var orderSecrets: [Pair: UInt64] = [:]

    init(limit: Int) { self.limit = limit }

    func holds(_ name: RecordName) -> Bool { positions[name] != nil }

    /// What is wanted: an epoch, or, where it is 0, the sender's newest secret for order keys.
    func position(of epoch: EpochName, for receiver: String) -> UInt64? {
        if epoch.epoch == 0 { return orderSecrets[Pair(sender: epoch.sender, receiver: receiver)] }
        return positions[RecordName(epoch, for: receiver)]
    }

    /// - Parameter header: of the record's message.
    mutating func insert(_ name: RecordName, _ header: Header, at position: UInt64) {
        guard positions.updateValue(position, forKey: name) == nil else { return }
        order.append(name)
        if header.target == header.consumer {
            orderSecrets[Pair(sender: name.epoch.sender, receiver: name.receiver)] = position
        }
        if order.count > limit, let oldest = order.popFirst() { positions[oldest] = nil }
    }
}
