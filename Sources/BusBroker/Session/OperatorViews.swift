package import BusProtocol

/// What operators are shown of the work between acceptance and its end.
extension BrokerCore {
    package var workload: BrokerLoad {
        BrokerLoad(
            openCalls: calls.count, depth: book.depth, inFlight: book.inFlight, dead: book.dead.count,
            isDraining: isDraining)
    }

    /// Where the commands, outcomes and events of an id stand, as far as the ledger knows them: one of each system at most.
    ///
    /// The ledger's keys hold the sender, whom an operator need not know: every system of the space is tried.
    package mutating func whereabouts(of id: MessageID) -> [MessageWhereabouts] {
        var known: [MessageWhereabouts] = []
        // Last, the broker's own outcomes.
        for sender in rights.systems + [""] {
            guard let row = book.ledger.row(book.ledger.key(sender, id), of: id), row.position != 0 else { continue }
            known.append(
                MessageWhereabouts(
                    kind: row.kind, sender: sender.isEmpty ? Hop.broker.name : sender, position: row.position,
                    state: row.kind == .command ? row.state : nil,
                    code: row.code, attempts: book.queued(command: row.position)?.attempt ?? row.attempts,
                    outcome: row.outcome, owed: owed(row.position)))
        }
        return known
    }

    private func owed(_ position: UInt64) -> [MessageWhereabouts.Owed] {
        book.queues.filter { $0.holds(position) }.map { queue in
            let message = queue.messages[position]
            let holder = message?.session.flatMap { sessions.isLive($0.slot, $0.id) ? sessions[$0.slot].agent : nil }
            return MessageWhereabouts.Owed(
                receiver: queue.name.system, attempts: message?.attempt ?? 0, agent: holder)
        }
    }
}

/// How much the broker has under way.
package struct BrokerLoad: Sendable, Equatable {
    package var openCalls = 0
    /// Commands, outcomes and events that are not settled, over all queues.
    package var depth = 0
    /// Of these, with an agent now.
    package var inFlight = 0
    package var dead = 0
    package var isDraining = false
    package init() {}

    init(openCalls: Int, depth: Int, inFlight: Int, dead: Int, isDraining: Bool) {
        self.openCalls = openCalls
        self.depth = depth
        self.inFlight = inFlight
        self.dead = dead
        self.isDraining = isDraining
    }
}

/// What the ledger and the queues know of one durable message.
package struct MessageWhereabouts: Sendable {
    /// A receiver that has not settled it.
    package struct Owed: Sendable {
        package var receiver: String
        /// Deliveries so far.
        package var attempts: UInt16
        /// Who has it now; nil while it waits.
        package var agent: String?
    }

    package var kind: MessageKind
    package var sender: String
    package var position: UInt64
    /// Commands only.
    package var state: CommandState?
    /// 0, or why a command failed, expired or was given up.
    package var code: UInt16
    package var attempts: UInt16
    /// Position of a command's outcome; 0 while there is none.
    package var outcome: UInt64
    package var owed: [Owed]
}
