package import BusProtocol

/// What the journal knows of one message and its answer.
package struct MessageTrace: Sendable {
    package struct Step: Sendable {
        package var position: UInt64
        package var committedAt: Int64
        package var receivedAt: Int64
        package var header: Header
        package var bodySize: Int
        package var bodyDigest: [UInt8]
    }
    package var message: Step?
    package var answers: [Step] = []
    package var finished: FinishedRecord?
    package var settlements: [SettledRecord] = []

    package var isEmpty: Bool { message == nil && answers.isEmpty && finished == nil }
}

extension JournalReader {
    /// How far a sender's clock may be off for its messages still to be found by their ids.
    package static let clockSkewMicroseconds: Int64 = 10 * 60 * 1_000_000
    /// How long after a message its answer is looked for.
    package static let answerWindowMicroseconds: Int64 = 10 * 60 * 1_000_000

    /// Follows a message by its id, without an index: the id says when it was made (UUIDv7), and the batches lie in order
    /// of time. Looks first where it should be, then as far as a wrong clock could have put it.
    package func trace(_ id: MessageID) throws(JournalError) -> MessageTrace {
        let made = id.unixMilliseconds * 1000
        let near = try scan(id, from: made - 2_000_000, to: made + Self.answerWindowMicroseconds)
        // An answer without its message means that the message lies before the window: the sender's clock is ahead.
        if near.message != nil { return near }
        return try scan(
            id, from: made - Self.clockSkewMicroseconds,
            to: made + Self.clockSkewMicroseconds + Self.answerWindowMicroseconds)
    }

    private func scan(_ id: MessageID, from: Int64, to: Int64) throws(JournalError) -> MessageTrace {
        var trace = MessageTrace()
        guard var next = try firstPosition(committedFrom: from) else { return trace }
        while true {
            let page = try batches(from: next, limit: 32)
            guard !page.isEmpty else { return trace }
            let unread = next
            for batch in page {
                if batch.committedAt > to { return trace }
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
        switch RecordType(rawValue: type) {
        case .message:
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
            if record.position == trace.message?.position { trace.settlements.append(record) }
        default: break
        }
    }
}
