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

    package init() {}

    /// Whether it may come to its end, or be resent, days after it was accepted.
    fileprivate var isDurable: Bool {
        switch message?.header.kind {
        case .command, .outcome, .event: true
        default: false
        }
    }
}

extension JournalReader {
    /// Most records read for one message: reading them takes seconds, and somebody waits.
    package static let longestHistory: UInt64 = 5_000_000
    /// How long after a request its end is looked for. Of durable messages everything up to the newest record is.
    package static let answerWindowMicroseconds: Int64 = 10 * 60 * 1_000_000

    /// What became of a message that was found. Others of the same id have their own histories.
    package func trace(_ message: MessageTrace.Step, longest: UInt64 = longestHistory) throws(JournalError)
        -> MessageTrace
    {
        var trace = MessageTrace()
        trace.message = message
        let last = trace.isDurable ? Int64.max : message.committedAt + Self.answerWindowMicroseconds
        trace.isWhole = try walk(from: message.position, to: last, longest: longest) {
            position, committedAt, type, reader throws(Fault) in
            try trace.note(position, committedAt, type, &reader)
            return trace.finished == nil
        }
        return trace
    }

    /// What the journal has of an id without its message: the end of a call that was refused before it was written.
    package func orphan(_ id: MessageID, longest: UInt64 = longestHistory) throws(JournalError) -> MessageTrace {
        var trace = MessageTrace()
        try walk(around: id, longest: longest) { position, committedAt, type, reader throws(Fault) in
            switch RecordType(rawValue: type) {
            case .message:
                if let step = try MessageTrace.Step(position, committedAt, reader, of: id) {
                    trace.answers.append(step)
                }
            case .finished:
                let record = try FinishedRecord(&reader)
                if record.request == id { trace.finished = record }
            default: break
            }
            return trace.finished == nil
        } unless: {
            !trace.isEmpty
        }
        return trace
    }
}

extension MessageTrace {
    /// Takes what a record says of this very message.
    fileprivate mutating func note(
        _ position: UInt64, _ committedAt: Int64, _ type: UInt8, _ reader: inout ByteReader
    ) throws(Fault) {
        guard let message else { return }
        switch RecordType(rawValue: type) {
        case .message:
            guard let step = try Step(position, committedAt, reader, of: message.header.id) else { return }
            if step.answers(message) { answers.append(step) }
        case .finished:
            let record = try FinishedRecord(&reader)
            // An id given out again is another request; it came at another time.
            let isOwn = record.request == message.header.id && record.times.requestIn == message.receivedAt
            if isOwn, message.header.kind == .request { finished = record }
        case .settled:
            let record = try SettledRecord(&reader)
            if record.position == message.position { happenings.append((position, .settled(record))) }
        case .attempted:
            let record = try AttemptedRecord(&reader)
            if record.position == message.position { happenings.append((position, .attempted(record))) }
        case .resent:
            let record = try ResentRecord(&reader)
            if record.position == message.position { happenings.append((position, .resent(record))) }
        case .sought:
            guard message.header.kind == .event else { return }
            let record = try SoughtRecord(&reader)
            if record.positions.contains(message.position) {
                happenings.append((position, .sought(receiver: record.receiver, at: record.at)))
            }
        default: break
        }
    }
}

extension MessageTrace.Step {
    /// The message of a record, when it has this id or answers it.
    init?(_ position: UInt64, _ committedAt: Int64, _ payload: ByteReader, of id: MessageID) throws(Fault) {
        guard try Self.concerns(id, payload) else { return nil }
        var reader = payload
        let record = try MessageRecord(&reader)
        let header = try Header(decoding: record.header)
        guard header.id == id || header.correlation == id else { return nil }
        self.init(
            position: position, committedAt: committedAt, receivedAt: record.receivedAt, header: header,
            bodySize: Int(record.bodySize), bodyDigest: record.bodyDigest)
    }

    /// Whether this is an answer to that very message: ids alone do not tell, since another system may give out the same one.
    package func answers(_ asked: MessageTrace.Step) -> Bool {
        guard header.correlation == asked.header.id, position > asked.position, header.target == asked.header.target
        else { return false }
        switch (asked.header.kind, header.kind) {
        // Its consumer may be left out of a reply. No two requests of one id are open at a time.
        case (.request, .reply): return header.consumer.isEmpty || header.consumer == asked.header.consumer
        case (.command, .outcome): return header.consumer == asked.header.consumer
        default: return false
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
