import BusProtocol

/// The callers that wait for the end of a submission, by ticket. A waiter leaves the table exactly once, with `take`.
struct WaiterTable {
    enum Waiter {
        case ask(AskContinuation, MessageID, system: String)
        case publish(PublishContinuation, SentBytes)
        /// Nobody waits for it, and it must get there.
        case key(KeyMessage)
    }

    private var rows: [(call: UInt64, waiter: Waiter)?] = []
    private var free: [Int] = []

    /// - Returns: the ticket.
    mutating func add(_ waiter: Waiter, call: UInt64) -> UInt64 {
        if let index = free.popLast() {
            rows[index] = (call, waiter)
            return UInt64(index)
        }
        rows.append((call, waiter))
        return UInt64(rows.count - 1)
    }

    mutating func take(_ ticket: UInt64) -> Waiter? {
        guard ticket < UInt64(rows.count), let row = rows[Int(ticket)] else { return nil }
        rows[Int(ticket)] = nil
        free.append(Int(ticket))
        return row.waiter
    }

    /// The system that asked.
    func system(_ ticket: UInt64) -> String? {
        guard ticket < UInt64(rows.count), case .ask(_, _, let system)? = rows[Int(ticket)]?.waiter else { return nil }
        return system
    }

    /// Cancelling is rare, so a search is cheaper than an index kept for every call.
    func ticket(ofCall call: UInt64) -> UInt64? {
        rows.firstIndex { $0?.call == call }.map(UInt64.init)
    }
}
