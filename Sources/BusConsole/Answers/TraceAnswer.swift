import BusBroker
import BusDirectory
import BusIntegrations
import BusJournal
import BusProtocol
import Dispatch

extension AdminAnswers {
    /// Follows a message through the journal.
    /// - Throws: `AdminError`: 400 for what is no id, 404 for a message that was never here, 409 when several messages have the id,
    ///   500 for a damaged journal.
    func trace(_ name: NamedMessage) async throws(AdminError) -> TracePage {
        let found = try await find(name)
        let trace = try await reading { reader throws(JournalError) in
            guard let message = found.message else { return found.found.orphan }
            return try reader.trace(message)
        }
        if trace.isEmpty {
            try name.expectWhole(found.found)
            throw AdminError(
                404, "no-such-message", "the journal has no message \(name.id)",
                why: "it was refused before it was written, or it went to another broker",
                next: "kerege status shows what is refused")
        }
        let integrations = broker.readModel.overview.snapshot.space.integrations.map(\.id)
        return TracePage(name.id, trace, found, integrations: integrations)
    }

    static func messageID(_ text: String) throws(AdminError) -> MessageID {
        guard let id = MessageID(text), id.isVersion7 else {
            throw .badRequest(
                "`\(text.prefix(64))` is no message id", why: "an id is a UUID of version 7, 36 characters",
                next: "copy it from the output of kerege call or kerege send")
        }
        return id
    }

    /// Reads the journal on the queue for it.
    func reading<Value: Sendable>(
        _ body: @escaping @Sendable (JournalReader) throws(JournalError) -> Value
    ) async throws(AdminError) -> Value {
        let result: Result<Value, AdminError> = await withCheckedContinuation { continuation in
            journalQueue.async { [journalFolder] in
                do throws(JournalError) {
                    continuation.resume(returning: .success(try body(try JournalReader(folder: journalFolder))))
                } catch {
                    continuation.resume(
                        returning: .failure(
                            AdminError(
                                500, "journal", "the journal cannot be read", why: error.detail, next: error.remedy)))
                }
            }
        }
        return try result.get()
    }
}

extension TracePage {
    init(_ id: MessageID, _ trace: MessageTrace, _ found: AdminAnswers.Found, integrations: [String]) {
        let story = TraceHistory(trace: trace, whereabouts: found.whereabouts)
        deliveries = story.deliveries()
        history = story.entries()
        complete = trace.isWhole
        sole = found.found.isWhole
        self.id = id.description
        message = trace.message.map(Step.init)
        answers = trace.answers.map(Step.init)
        finished = trace.finished.map { Finished($0, integrations: integrations) }
        settlements = trace.settlements.map {
            Settlement(
                subscriber: $0.subscriber, at: RFC3339.text($0.at / 1000), atMs: $0.at / 1000,
                outcome: Outcome(number: $0.code))
        }
        if let durable = story.state(deliveries) {
            state = durable
        } else if let finished {
            state = finished.outcome.number == 0 ? "answered" : "failed"
        } else {
            state = "open"
        }
    }
}

extension TracePage.Outcome {
    init(number: UInt16) {
        self.init(number: number, name: number == 0 ? "ok" : FaultCode(rawValue: number)?.name ?? "unknown")
    }
}

extension TracePage.Step {
    init(_ step: MessageTrace.Step) {
        let header = step.header
        self.init(
            position: step.position, id: header.id.description, kind: "\(header.kind)", service: header.target,
            consumer: header.consumer, provider: header.provider, purpose: header.purpose,
            created: RFC3339.text(header.created), createdMs: header.created, receivedUs: step.receivedAt,
            committedUs: step.committedAt, outcome: TracePage.Outcome(number: header.outcome), bodySize: step.bodySize,
            bodyDigest: step.bodyDigest.hex)
    }
}

extension TracePage.Finished {
    init(_ record: FinishedRecord, integrations: [String]) {
        let index = Int(record.integration)
        let stages = Stage.allCases.map(\.name)
        self.init(
            outcome: TracePage.Outcome(number: record.outcome), hop: record.hop.name,
            stage: stages.indices.contains(Int(record.stage)) ? stages[Int(record.stage)] : "unknown",
            integration: integrations.indices.contains(index) ? integrations[index] : nil,
            times: TracePage.Times(record.times), durations: TracePage.Durations(record.times))
    }
}

extension TracePage.Times {
    init(_ times: HopTimes) {
        func known(_ time: Int64) -> Int64? { time == 0 ? nil : time }
        func text(_ time: Int64) -> String? { known(time).map { RFC3339.text($0 / 1000) } }
        self.init(
            requestIn: text(times.requestIn), requestInUs: known(times.requestIn), requestOut: text(times.requestOut),
            requestOutUs: known(times.requestOut), replyIn: text(times.replyIn), replyInUs: known(times.replyIn),
            replyOut: text(times.replyOut), replyOutUs: known(times.replyOut))
    }
}

extension TracePage.Durations {
    init(_ times: HopTimes) {
        func span(_ from: Int64, _ to: Int64) -> Int64? { from == 0 || to == 0 ? nil : to - from }
        self.init(
            brokerInUs: span(times.requestIn, times.requestOut), providerUs: span(times.requestOut, times.replyIn),
            brokerOutUs: span(times.replyIn, times.replyOut), totalUs: span(times.requestIn, times.replyOut))
    }
}
