import BusProtocol

/// What the book says that outlives a restart: of a running broker, and of one rebuilt from the same journal, it is the same.
///
/// Left out is what only a running broker knows: who has a message now, how often since the last record, which bytes are at hand.
package struct BookSummary: Sendable {
    package let messages: [String]
    package let dead: [String]
    package let owed: [String]
    /// Outcomes are delivered again when their command is sent again, and of that nothing is written.
    package let outcomes: Set<String>

    init(_ book: DeliveryBook) {
        messages = book.ledger.all.compactMap { Self.line($0.row) }.sorted()
        dead = book.dead.all.map {
            "\($0.position) to \($0.queue.system): \($0.code) after \($0.attempts), resent \($0.resent), at \($0.at)"
        }.sorted()
        let queues = book.queues.map { queue in (queue.name.kind, Self.lines(queue)) }
        owed = queues.filter { $0.0 != .outcomes }.flatMap(\.1).sorted()
        outcomes = Set(queues.filter { $0.0 == .outcomes }.flatMap(\.1))
    }

    private static func line(_ row: MessageLedger.Row) -> String? {
        guard row.position != 0 else { return nil }
        let state = row.state == .delivering ? .accepted : row.state
        return "\(row.position) \(row.kind) \(row.idTail) \(state.name) \(row.code), outcome \(row.outcome), "
            + "print \(row.fingerprint), accepted \(row.acceptedAt)"
    }

    private static func lines(_ queue: DeliveryQueue) -> [String] {
        queue.positions.map { position in
            let known = queue.messages[position]
            let terms =
                queue.name.kind != .commands ? "" : known.map { " until \($0.expiry), resent \($0.resent)" } ?? ""
            return "\(queue.name.kind.word) of \(queue.name.system) \(queue.name.event) \(position)\(terms)"
        }
    }

    /// The first thing in which a rebuilt book differs from this one; nil when it does not.
    package func difference(from rebuilt: BookSummary) -> String? {
        for (name, mine, other) in [
            ("ledger", messages, rebuilt.messages), ("dead letters", dead, rebuilt.dead),
            ("queues", owed, rebuilt.owed),
        ] where mine != other {
            let index = zip(mine, other).prefix { $0 == $1 }.count
            let lost = index < mine.count ? mine[index] : "nothing"
            let gained = index < other.count ? other[index] : "nothing"
            return "\(name): live \(lost) — rebuilt \(gained)"
        }
        return rebuilt.outcomes.subtracting(outcomes).min().map { "outcomes: only rebuilt \($0)" }
    }
}

extension BrokerCore {
    package var bookSummary: BookSummary { BookSummary(book) }
    /// Messages that are owed to somebody.
    package var owedMessages: Int { book.depth }
}

extension DeliveryFold {
    package var bookSummary: BookSummary { BookSummary(book) }
}
