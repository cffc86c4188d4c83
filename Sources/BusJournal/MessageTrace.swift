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
        /// Its index in the space of that time; `UInt32.max` where there is none.
        var integration: UInt32
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
    /// Most records read for one question: reading them takes seconds, and somebody waits.
    package static let longestHistory: UInt64 = 5_000_000
    /// How long after a request its end is looked for. Of durable messages everything up to the newest record is.
    package static let answerWindowMicroseconds: Int64 = 10 * 60 * 1_000_000

    /// What became of a message that was found. Others of the same id have their own histories.
    package func trace(_ message: MessageTrace.Step, longest: UInt64 = longestHistory) throws(JournalError)
        -> MessageTrace
    {
        var following = Following(message)
        let isDurable = following.trace.isDurable
        var left = longest
        let isWhole = try walk(
            message.position..<UInt64.max,
            to: isDurable ? .max : message.committedAt + Self.answerWindowMicroseconds, &left
        ) { position, committedAt, type, reader throws(Fault) in
            try following.note(position, committedAt, type, &reader)
            return following.trace.finished == nil
        }
        following.trace.isWhole = isWhole
        return following.trace
    }

    /// The message an answer answers.
    ///
    /// - Parameters:
    ///   - known: of an outcome, where commands of that id stand as far as that is known.
    ///   - left: records that may still be read; 0 afterwards when there were too many to find it.
    package func asked(
        _ answer: MessageTrace.Step, known: [UInt64] = [], _ left: inout UInt64
    ) throws(JournalError) -> MessageTrace.Step? {
        guard answer.header.kind == .reply else {
            let found = try messages(answer.header.correlation, known: known, longest: left)
            if !found.isWhole { left = 0 }
            return found.messages.last { answer.answers($0) }
        }
        // No later than it says, and no longer before its reply than it may wait for it.
        let longest = Int64(Limits.deadlineMilliseconds) * 1000 + Self.waitSlackMicroseconds
        let made = answer.header.correlation.unixMilliseconds * 1000 - Self.waitSlackMicroseconds
        let earliest = try firstPosition(committedFrom: answer.committedAt - longest) ?? answer.position
        let likely = try firstPosition(committedFrom: made) ?? answer.position
        var asked: MessageTrace.Step?
        // The newest before its reply: an id may be given out again when its call has ended.
        func look(_ range: Range<UInt64>) throws(JournalError) {
            _ = try walk(range, to: .max, &left) { position, committedAt, type, reader throws(Fault) in
                guard RecordType(rawValue: type) == .message,
                    let step = try MessageTrace.Step(position, committedAt, reader, of: answer.header.correlation)
                else { return true }
                if answer.answers(step) { asked = step }
                return true
            }
        }
        let start = min(max(earliest, likely), answer.position)
        try look(start..<answer.position)
        if asked == nil, earliest < start { try look(earliest..<start) }
        return asked
    }

    /// Between the two clocks, and between acceptance and commit.
    private static let waitSlackMicroseconds: Int64 = 10_000_000
}

/// What the records from a message on say of this very message.
private struct Following {
    var trace = MessageTrace()
    let message: MessageTrace.Step
    /// When other messages of the same id were received.
    private var others: Set<Int64> = []

    init(_ message: MessageTrace.Step) {
        self.message = message
        trace.message = message
    }

    mutating func note(
        _ position: UInt64, _ committedAt: Int64, _ type: UInt8, _ reader: inout ByteReader
    ) throws(Fault) {
        switch RecordType(rawValue: type) {
        case .message:
            guard let step = try MessageTrace.Step(position, committedAt, reader, of: message.header.id) else { return }
            if step.answers(message) { trace.answers.append(step) }
            if step.header.id == message.header.id, !step.isSame(as: message) { others.insert(step.receivedAt) }
        case .finished:
            let record = try FinishedRecord(&reader)
            if record.request == message.header.id, isOwn(record) { trace.finished = record }
        case .settled:
            let record = try SettledRecord(&reader)
            if record.position == message.position { trace.happenings.append((position, .settled(record))) }
        case .attempted:
            let record = try AttemptedRecord(&reader)
            if record.position == message.position { trace.happenings.append((position, .attempted(record))) }
        case .resent:
            let record = try ResentRecord(&reader)
            if record.position == message.position { trace.happenings.append((position, .resent(record))) }
        case .sought:
            guard message.header.kind == .event else { return }
            let record = try SoughtRecord(&reader)
            if record.positions.contains(message.position) {
                trace.happenings.append((position, .sought(receiver: record.receiver, at: record.at)))
            }
        default: break
        }
    }

    /// An id given out again is another request, which came at another time. A request that was submitted again, and refused then,
    /// has an end of that time and no record of its own.
    private func isOwn(_ end: FinishedRecord) -> Bool {
        guard message.header.kind == .request else { return false }
        let start = end.times.requestIn
        if start == message.receivedAt { return true }
        return start > message.receivedAt && end.integration == message.integration && !others.contains(start)
    }
}

extension MessageTrace.Step {
    /// The message of a record, when it has this id or answers it.
    init?(_ position: UInt64, _ committedAt: Int64, _ payload: ByteReader, of id: MessageID) throws(Fault) {
        guard try Self.concerns(id, payload) else { return nil }
        var reader = payload
        let record = try MessageRecord(&reader)
        try self.init(position, committedAt, record)
        guard header.id == id || header.correlation == id else { return nil }
    }

    init(_ position: UInt64, _ committedAt: Int64, _ record: MessageRecord) throws(Fault) {
        self.init(
            position: position, committedAt: committedAt, receivedAt: record.receivedAt,
            header: try Header(decoding: record.header), bodySize: Int(record.bodySize), bodyDigest: record.bodyDigest,
            integration: record.integration)
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

    /// Whether it is the same message, submitted again: the same bytes.
    func isSame(as other: MessageTrace.Step) -> Bool {
        header == other.header && bodyDigest == other.bodyDigest
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
