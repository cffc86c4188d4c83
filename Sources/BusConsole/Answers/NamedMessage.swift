import BusBroker
import BusJournal
import BusProtocol

/// How a message is named: by its id, and by its record where several messages have that id.
struct NamedMessage {
    let id: MessageID
    /// In the journal.
    let position: UInt64?

    init(_ id: String, position: String? = nil) throws(AdminError) {
        self.id = try AdminAnswers.messageID(id)
        self.position = try position.map { text throws(AdminError) in
            guard let number = UInt64(text), number > 0 else {
                throw .badRequest(
                    "`position` is no position", why: "records of the journal are counted from 1",
                    next: "kerege trace ID lists the records of an id")
            }
            return number
        }
    }

    /// The one that is meant; `nil` when there is none.
    /// - Throws: `AdminError` when it could be any of several: an answer about one would pass for an answer about another.
    func choose(_ found: FoundMessages) throws(AdminError) -> MessageTrace.Step? {
        guard let position else {
            guard found.messages.count > 1 else { return found.messages.first }
            throw several(found.messages)
        }
        if let one = found.messages.first(where: { $0.position == position }) { return one }
        let others = found.messages.map { String($0.position) }.joined(separator: ", ")
        throw AdminError(
            404, "no-such-message", "record \(position) of the journal is not a message \(id)",
            why: others.isEmpty ? "the journal has no message of this id" : "messages of this id: record \(others)",
            next: others.isEmpty ? "kerege status shows what is refused" : "leave --position out, or name one of these")
    }

    /// Not found is not the same as not there.
    func expectWhole(_ found: FoundMessages) throws(AdminError) {
        guard !found.isWhole else { return }
        throw AdminError(
            409, "not-all-read",
            "\(JournalReader.longestHistory) records were read, and more lie around the time of \(id)",
            why: "a message of this id, or another one of it, may be among those that were not read",
            next: "name it by its record: --position")
    }

    private func several(_ messages: [MessageTrace.Step]) -> AdminError {
        let senders = messages.prefix(4).map { step in
            "record \(step.position): \(step.header.kind) \(step.header.target) of \(step.sender), \(RFC3339.text(step.receivedAt / 1000))"
        }
        var error = AdminError(
            409, "several-messages", "\(messages.count) messages have the id \(id)",
            why: "a system gave out an id twice, or another system's: " + senders.joined(separator: "; ")
                + (messages.count > senders.count ? "; …" : ""),
            next: "kerege trace \(id) --position \(messages[0].position); the same option names it elsewhere")
        error.messages = messages.map(TracePage.Step.init)
        return error
    }
}

extension MessageTrace.Step {
    /// The system it came from; `broker` for outcomes that the broker made.
    var sender: String {
        switch header.kind {
        case .reply, .outcome: header.provider.isEmpty ? Hop.broker.name : header.provider
        default: header.consumer
        }
    }
}

extension AdminAnswers {
    /// What was found of a named message.
    struct Found: Sendable {
        var message: MessageTrace.Step?
        /// What the ledger knows of it; only durable messages are in the ledger.
        var whereabouts: MessageWhereabouts?
        /// What was read for it.
        var found: FoundMessages
    }

    /// - Throws: `AdminError`: 404 when another record is named, 409 when several messages have the id, 500 for a damaged journal.
    func find(_ name: NamedMessage) async throws(AdminError) -> Found {
        let known = await broker.whereabouts(of: name.id)
        let found = try await reading { reader throws(JournalError) -> FoundMessages in
            if let position = name.position, let message = try reader.message(name.id, at: position) {
                return FoundMessages(name.id, messages: [message])
            }
            return try reader.messages(name.id, known: known.map(\.position))
        }
        let message = try name.choose(found)
        return Found(message: message, whereabouts: known.first { $0.position == message?.position }, found: found)
    }
}
