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
        /// It is the sender's secret for order keys.
        var isOrderSecret = false
    }

    private struct Holder: Hashable, Sendable {
        let sender: String
        let receiver: String
        init(sender: String, receiver: String) { (self.sender, self.receiver) = (sender, receiver) }
        init(_ name: Name) { self.init(sender: name.epoch.sender, receiver: name.receiver) }
    }

    let limit: Int
    private var newest: [Holder: UInt64] = [:]
    private var positions: [Name: UInt64] = [:]
    private var order: Deque<Name> = []

    init(limit: Int) { self.limit = limit }

    var count: Int { positions.count }
    subscript(name: Name) -> UInt64? { positions[name] }

    /// What is wanted: an epoch, or, where it is 0, the sender's newest secret for order keys.
    func position(of epoch: EpochName, for receiver: String) -> UInt64? {
        if epoch.epoch == 0 { return newest[Holder(sender: epoch.sender, receiver: receiver)] }
        return positions[Name(epoch: epoch, receiver: receiver)]
            ?? positions[Name(epoch: epoch, receiver: receiver, isOrderSecret: true)]
    }

    mutating func insert(_ name: Name, at position: UInt64) {
        guard positions.updateValue(position, forKey: name) == nil else { return }
        order.append(name)
        if name.isOrderSecret { newest[Holder(name)] = position }
        if order.count > limit, let oldest = order.popFirst() { positions[oldest] = nil }
    }
}

extension KeyIndex.Name {
    /// What the header of a record says.
    init(_ header: Header, _ epoch: UInt64) {
        self.init(
            epoch: EpochName(epoch, of: header.consumer), receiver: header.provider,
            isOrderSecret: header.target == header.consumer)
    }
}
