import BusProtocol

/// The callers that wait for the end of a submission, by ticket. A waiter leaves the table exactly once, with `take`; a ticket is never
/// given twice, so that what comes late for one caller can never reach another.
struct WaiterTable {
    enum Waiter {
        case ask(AskContinuation, MessageID, system: String)
        case publish(PublishContinuation, SentBytes)
        /// Nobody waits for it, and it must get there.
        case key(KeyMessage)
    }

    private struct Row {
        let ticket: UInt64
        let call: UInt64
        let waiter: Waiter
    }

    private var rows: [Row?] = []
    private var free: [Int] = []
    /// How many there were: the upper half of a ticket. The lower is its row.
    private var serial: UInt64 = 0

    /// - Returns: the ticket.
    mutating func add(_ waiter: Waiter, call: UInt64) -> UInt64 {
        // Never `Submission.noTicket`, which has all bits set.
        serial = (serial + 1) & 0x7fff_ffff
        let index = free.popLast() ?? rows.count
        let row = Row(ticket: serial << 32 | UInt64(index), call: call, waiter: waiter)
        if index == rows.count { rows.append(row) } else { rows[index] = row }
        return row.ticket
    }

    mutating func take(_ ticket: UInt64) -> Waiter? {
        guard let index = index(ticket) else { return nil }
        let waiter = rows[index]?.waiter
        rows[index] = nil
        free.append(index)
        return waiter
    }

    /// The system that asked.
    func system(_ ticket: UInt64) -> String? {
        guard let index = index(ticket), case .ask(_, _, let system)? = rows[index]?.waiter else { return nil }
        return system
    }

    /// Cancelling is rare, so a search is cheaper than an index kept for every call.
    func ticket(ofCall call: UInt64) -> UInt64? { rows.lazy.compactMap { $0 }.first { $0.call == call }?.ticket }

    private func index(_ ticket: UInt64) -> Int? {
        let index = Int(ticket & 0xffff_ffff)
        return index < rows.count && rows[index]?.ticket == ticket ? index : nil
    }
}
