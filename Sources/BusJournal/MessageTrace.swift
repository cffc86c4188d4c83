package import BusProtocol

/// What the journal knows of one message, its answer, and what became of it on the way.
package struct MessageTrace: Sendable {
    package struct Step: Sendable {
        package var position: UInt64
        package var committedAt: Int64
        package var receivedAt: Int64
        package var header: Header
        package var bodySize: Int
        package var bodyDigest: [UInt8]
    }

    /// Something that befell a command, outcome or event for one receiver.
    package enum Happening: Sendable, Equatable {
        case settled(SettledRecord)
        case attempted(AttemptedRecord)
        case resent(ResentRecord)
        /// The receiver moved its cursor before it, Unix microseconds.
        case sought(receiver: String, at: Int64)
    }

    package var message: Step?
    package var answers: [Step] = []
    package var finished: FinishedRecord?
    /// With the positions of their records, which are in order.
    package var happenings: [(position: UInt64, what: Happening)] = []
    /// False when reading stopped at its limit: more may have happened since.
    package var isWhole = true

    package var settlements: [SettledRecord] {
        happenings.compactMap { if case .settled(let record) = $0.what { record } else { nil } }
    }
    package var isEmpty: Bool { message == nil && answers.isEmpty && finished == nil }

    /// Whether it may come to its end, or be resent, days after it was accepted.
    fileprivate var isDurable: Bool {
        switch message?.header.kind {
        case .command, .outcome, .event: true
        default: false
        }
    }
}

extension JournalReader {
    /// How far a sender's clock may be off for its messages still to be found by their ids.
    package static let clockSkewMicroseconds: Int64 = 10 * 60 * 1_000_000
    /// How long after a message its answer is looked for. Of durable messages everything up to the newest record is.
    package static let answerWindowMicroseconds: Int64 = 10 * 60 * 1_000_000
    /// Most records read for one durable message: reading them takes seconds, and somebody waits.
    package static let longestHistory: UInt64 = 5_000_000

    /// Follows a message by its id, without an index: the id says when it was made (UUIDv7), and the batches lie in order
    /// of time. Looks first where it should be, then as far as a wrong clock could have put it.
    ///
    /// - Parameter position: where the message stands, when that is known: a command may be sent long after it was made.
    package func trace(
        _ id: MessageID, at position: UInt64? = nil, longest: UInt64 = longestHistory
    ) throws(JournalError) -> MessageTrace {
        if let position { return try scan(id, from: position, to: .max, longest) }
        let made = id.unixMilliseconds * 1000
        let near = try scan(id, from: made - 2_000_000, to: made + Self.answerWindowMicroseconds, longest)
        // An answer without its message means that the message lies before the window: the sender's clock is ahead.
        if near.message != nil { return near }
        return try scan(
            id, from: made - Self.clockSkewMicroseconds,
            to: made + Self.clockSkewMicroseconds + Self.answerWindowMicroseconds, longest)
    }

    private func scan(
        _ id: MessageID, from: Int64, to: Int64, _ longest: UInt64
    ) throws(JournalError) -> MessageTrace {
        guard let first = try firstPosition(committedFrom: from) else { return MessageTrace() }
        return try scan(id, from: first, to: to, longest)
    }

    private func scan(
        _ id: MessageID, from first: UInt64, to: Int64, _ longest: UInt64
    ) throws(JournalError) -> MessageTrace {
        var trace = MessageTrace()
        var next = first
        while true {
            let page = try batches(from: next, limit: 32)
            guard !page.isEmpty else { return trace }
            let unread = next
            for batch in page {
                if trace.isDurable {
                    trace.isWhole = next - first < longest
                    if !trace.isWhole { return trace }
                } else if batch.committedAt > to {
                    return trace
                }
                do throws(Fault) {
                    try batch.forEach { position, type, reader throws(Fault) in
                        // The page begins with the batch that holds `unread`, which may have been read already.
                        if position < unread { return }
                        next = max(next, position + 1)
                        try Self.note(id, position, batch.committedAt, type, &reader, &trace)
                    }
                } catch { throw Self.damaged(error) }
                if trace.finished != nil { return trace }
            }
            if page.count < 32 || next == unread { return trace }
        }
    }

    private static func note(
        _ id: MessageID, _ position: UInt64, _ committedAt: Int64, _ type: UInt8, _ reader: inout ByteReader,
        _ trace: inout MessageTrace
    ) throws(Fault) {
        let own = trace.message?.position
        switch RecordType(rawValue: type) {
        case .message:
            guard try concerns(id, reader) else { return }
            let record = try MessageRecord(&reader)
            let header = try Header(decoding: record.header)
            guard header.id == id || header.correlation == id else { return }
            let step = MessageTrace.Step(
                position: position, committedAt: committedAt, receivedAt: record.receivedAt, header: header,
                bodySize: Int(record.bodySize), bodyDigest: record.bodyDigest)
            if header.id == id { trace.message = step } else { trace.answers.append(step) }
        case .finished:
            let record = try FinishedRecord(&reader)
            if record.request == id { trace.finished = record }
        case .settled:
            let record = try SettledRecord(&reader)
            if record.position == own { trace.happenings.append((position, .settled(record))) }
        case .attempted:
            let record = try AttemptedRecord(&reader)
            if record.position == own { trace.happenings.append((position, .attempted(record))) }
        case .resent:
            let record = try ResentRecord(&reader)
            if record.position == own { trace.happenings.append((position, .resent(record))) }
        case .sought:
            guard let own, trace.message?.header.kind == .event else { return }
            let record = try SoughtRecord(&reader)
            if record.positions.contains(own) {
                trace.happenings.append((position, .sought(receiver: record.receiver, at: record.at)))
            }
        default: break
        }
    }

    /// Whether a message has this id, or answers it, by its fixed fields alone: nothing is copied of the many that do not.
    private static func concerns(_ id: MessageID, _ payload: ByteReader) throws(Fault) -> Bool {
        var peek = payload
        _ = try peek.takeRange(MessageRecord.fixedSize + 4)
        let present = try peek.take(UInt32.self)
        if MessageID(value: try peek.takeID()) == id { return true }
        guard present & Header.Field.correlation.bit != 0 else { return false }
        // created, outcome, reserved, remaining
        _ = try peek.takeRange(16)
        return MessageID(value: try peek.takeID()) == id
    }
}
