import BusBroker
import BusJournal
import BusProtocol

/// What befell a command, outcome or event: told by the journal's records, and by the queues for what is still owed.
struct TraceHistory {
    let trace: MessageTrace
    /// Nil when the broker does not remember the message.
    let whereabouts: MessageWhereabouts?

    private var kind: MessageKind? { trace.message?.header.kind }
    var isDurable: Bool { kind == .command || kind == .outcome || kind == .event }

    /// Of the whole message; nil for requests and replies.
    func state(_ deliveries: [TracePage.Receiver]) -> String? {
        guard isDurable else { return nil }
        if let state = whereabouts?.state { return state.name }
        let isOwed = deliveries.contains { $0.state == "waiting" || $0.state == "delivering" }
        let dead = deliveries.first { $0.state == "dead-lettered" }
        guard kind == .command else {
            if isOwed || deliveries.isEmpty { return "open" }
            return dead == nil ? "settled" : "dead-lettered"
        }
        // The newest outcome that a provider gave; one of the broker's own says what the dead letter says.
        if let outcome = trace.answers.last(where: { !$0.header.provider.isEmpty }) {
            return outcome.header.outcome == 0 ? "completed" : "failed"
        }
        if let dead { return dead.reason?.number == FaultCode.expired.number ? "expired" : "dead-lettered" }
        return deliveries.contains { $0.state == "taken" } ? "delivered" : "accepted"
    }

    /// Receivers in the order in which something became of the message there; those that still wait at the end.
    func deliveries() -> [TracePage.Receiver] {
        guard isDurable else { return [] }
        var receivers: [TracePage.Receiver] = []
        func change(_ name: String, _ body: (inout TracePage.Receiver) -> Void) {
            if !receivers.contains(where: { $0.receiver == name }) {
                receivers.append(TracePage.Receiver(receiver: name, state: "waiting", attempts: 0, resent: 0))
            }
            for index in receivers.indices where receivers[index].receiver == name { body(&receivers[index]) }
        }
        for happening in trace.happenings {
            switch happening.what {
            case .attempted(let record): change(record.receiver) { $0.attempts = record.attempt }
            case .settled(let record):
                change(record.subscriber) { receiver in
                    receiver.attempts = record.attempts
                    receiver.state = record.code == 0 ? "taken" : "dead-lettered"
                    receiver.reason = record.code == 0 ? nil : TracePage.Outcome(number: record.code)
                }
            case .resent(let record): change(record.receiver) { Self.again(&$0, resent: 1) }
            case .sought(let name, _): change(name) { Self.again(&$0, resent: 0) }
            }
        }
        for owed in whereabouts?.owed ?? [] {
            change(owed.receiver) { receiver in
                receiver.state = owed.agent == nil ? "waiting" : "delivering"
                receiver.attempts = max(receiver.attempts, owed.attempts)
                receiver.agent = owed.agent
                receiver.reason = nil
            }
        }
        return receivers
    }

    private static func again(_ receiver: inout TracePage.Receiver, resent: Int) {
        receiver.state = "waiting"
        receiver.attempts = 0
        receiver.reason = nil
        receiver.resent += resent
    }

    func entries() -> [TracePage.Entry] {
        guard isDurable, let message = trace.message else { return [] }
        var entries = [TracePage.Entry(message.position, message.receivedAt, "accepted")]
        entries += trace.happenings.map { Self.entry($0.position, $0.what) }
        if kind == .command {
            entries += trace.answers.map { answer in
                var entry = TracePage.Entry(answer.position, answer.receivedAt, "outcome")
                entry.reason = TracePage.Outcome(number: answer.header.outcome)
                return entry
            }
        }
        return entries.sorted { $0.position < $1.position }
    }

    private static func entry(_ position: UInt64, _ what: MessageTrace.Happening) -> TracePage.Entry {
        var entry: TracePage.Entry
        switch what {
        case .attempted(let record):
            entry = TracePage.Entry(position, record.at, "tried-again")
            entry.receiver = record.receiver
            entry.agent = record.agent
            entry.attempt = record.attempt
            // 0: the receiver only asked for it.
            entry.reason = record.code == 0 ? nil : TracePage.Outcome(number: record.code)
        case .settled(let record):
            entry = TracePage.Entry(position, record.at, record.code == 0 ? "taken" : "given-up")
            entry.receiver = record.subscriber
            entry.agent = record.agent.isEmpty ? nil : record.agent
            entry.attempt = record.attempts
            entry.reason = record.code == 0 ? nil : TracePage.Outcome(number: record.code)
        case .resent(let record):
            entry = TracePage.Entry(position, record.at, "resent")
            entry.receiver = record.receiver
        case .sought(let receiver, let at):
            entry = TracePage.Entry(position, at, "replayed")
            entry.receiver = receiver
        }
        return entry
    }
}

extension TracePage.Entry {
    fileprivate init(_ position: UInt64, _ microseconds: Int64, _ what: String) {
        self.init(
            position: position, at: RFC3339.text(microseconds / 1000), atMs: microseconds / 1000, what: what)
    }
}
