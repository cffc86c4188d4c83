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

    /// Of each row; `Submission.noTicket`: it is free. Tickets and calls stand apart, so that a look for one counts no references.
    private var tickets: [UInt64] = []
    private var calls: [UInt64] = []
    private var waiters: [Waiter?] = []
    private var free: [Int] = []
    /// How many there were: the upper half of a ticket. The lower is its row.
    private var serial: UInt64 = 0

    /// - Returns: the ticket.
    mutating func add(_ waiter: Waiter, call: UInt64) -> UInt64 {
        // Never `Submission.noTicket`, which has all bits set.
        serial = (serial + 1) & 0x7fff_ffff
        let index = free.popLast() ?? tickets.count
        let ticket = serial << 32 | UInt64(index)
        if index == tickets.count {
            tickets.append(ticket)
            calls.append(call)
            waiters.append(waiter)
        } else {
            tickets[index] = ticket
            calls[index] = call
            waiters[index] = waiter
        }
        return ticket
    }

    mutating func take(_ ticket: UInt64) -> Waiter? {
        guard let index = index(ticket) else { return nil }
        tickets[index] = Submission.noTicket
        free.append(index)
        return waiters[index].take()
    }

    /// The system that asked.
    func system(_ ticket: UInt64) -> String? {
        guard let index = index(ticket), case .ask(_, _, let system)? = waiters[index] else { return nil }
        return system
    }

    /// Cancelling is rare, so a search is cheaper than an index kept for every call.
    func ticket(ofCall call: UInt64) -> UInt64? {
        let found = calls.indices.first { calls[$0] == call && tickets[$0] != Submission.noTicket }
        return found.map { tickets[$0] }
    }

    private func index(_ ticket: UInt64) -> Int? {
        let index = Int(ticket & 0xffff_ffff)
        return index < tickets.count && tickets[index] == ticket ? index : nil
    }
}
