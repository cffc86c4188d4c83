package import BusProtocol

/// The messages that have one id. One, as a rule, since ids are made at random; but nothing hinders a system from giving one out
/// twice, or one it has seen of another system. An answer about one of them must not pass for an answer about the other.
package struct FoundMessages: Sendable {
    /// In the order of the journal.
    package var messages: [MessageTrace.Step] = []
    /// False when reading stopped at its limit: there may be more.
    package var isWhole = true

    package init(messages: [MessageTrace.Step] = []) { self.messages = messages }
}

extension JournalReader {
    /// How far a sender's clock may be off for its messages still to be found by their ids.
    package static let clockSkewMicroseconds: Int64 = 10 * 60 * 1_000_000

    /// Finds messages without an index: the id says when it was made (UUIDv7), and the batches lie in order of time. Looks first
    /// where they should be, then as far as a wrong clock could have put them.
    ///
    /// - Parameters:
    ///   - known: where such messages stand as far as that is known: a command may be sent long after it was made.
    ///   - end: only messages before this position count.
    package func messages(
        _ id: MessageID, known: [UInt64] = [], before end: UInt64 = .max, longest: UInt64 = longestHistory
    ) throws(JournalError) -> FoundMessages {
        var found = FoundMessages()
        found.isWhole = try walk(around: id, longest: longest) { position, committedAt, type, reader throws(Fault) in
            guard position < end else { return false }
            if let step = try Self.message(id, position, committedAt, type, reader) { found.messages.append(step) }
            return true
        } unless: {
            !found.messages.isEmpty
        }
        for position in known where position < end && !found.messages.contains(where: { $0.position == position }) {
            if let step = try message(id, at: position) { found.messages.append(step) }
        }
        found.messages.sort { $0.position < $1.position }
        return found
    }

    /// The message at a position; `nil` when another one is there, or none.
    package func message(_ id: MessageID, at position: UInt64) throws(JournalError) -> MessageTrace.Step? {
        var found: MessageTrace.Step?
        _ = try walk(from: position, to: .max, longest: 1) { at, committedAt, type, reader throws(Fault) in
            if at == position { found = try Self.message(id, at, committedAt, type, reader) }
            return false
        }
        return found
    }

    /// The message an answer answers.
    ///
    /// - Parameter known: as of `messages`.
    package func asked(
        _ answer: MessageTrace.Step, known: [UInt64] = []
    ) throws(JournalError) -> MessageTrace.Step? {
        // The newest: an id may be given out again when its call has ended.
        try messages(answer.header.correlation, known: known, before: answer.position).messages.last {
            answer.answers($0)
        }
    }

    private static func message(
        _ id: MessageID, _ position: UInt64, _ committedAt: Int64, _ type: UInt8, _ reader: ByteReader
    ) throws(Fault) -> MessageTrace.Step? {
        guard RecordType(rawValue: type) == .message,
            let step = try MessageTrace.Step(position, committedAt, reader, of: id)
        else { return nil }
        return step.header.id == id ? step : nil
    }

    // MARK: - Reading

    typealias Visit = (UInt64, Int64, UInt8, inout ByteReader) throws(Fault) -> Bool

    /// Reads where a message of this id should lie, then, `unless` that was enough, where wrong clocks could have put it.
    ///
    /// - Parameter visit: of position, commit, type and payload of a record; false ends the reading.
    /// - Returns: whether all of it was read that was to be read.
    @discardableResult
    func walk(
        around id: MessageID, longest: UInt64, _ visit: Visit, unless isEnough: () -> Bool = { false }
    ) throws(JournalError) -> Bool {
        let made = id.unixMilliseconds * 1000
        let near = try walk(
            committedFrom: made - 2_000_000, to: made + Self.answerWindowMicroseconds, longest: longest, visit)
        if isEnough() || !near { return near }
        let skew = Self.clockSkewMicroseconds
        return try walk(
            committedFrom: made - skew, to: made + skew + Self.answerWindowMicroseconds, longest: longest, visit)
    }

    private func walk(
        committedFrom from: Int64, to: Int64, longest: UInt64, _ visit: Visit
    ) throws(JournalError) -> Bool {
        guard let first = try firstPosition(committedFrom: from) else { return true }
        return try walk(from: first, to: to, longest: longest, visit)
    }

    /// - Parameter to: commit of the last batch that is read, Unix microseconds.
    func walk(from first: UInt64, to: Int64, longest: UInt64, _ visit: Visit) throws(JournalError) -> Bool {
        var next = first
        while true {
            let page = try batches(from: next, limit: 32)
            let unread = next
            for batch in page {
                if batch.committedAt > to { return true }
                if next - first >= longest { return false }
                var goesOn = true
                do throws(Fault) {
                    try batch.forEach { position, type, reader throws(Fault) in
                        // The page begins with the batch that holds `unread`, which may have been read already.
                        guard goesOn, position >= unread else { return }
                        next = max(next, position + 1)
                        goesOn = try visit(position, batch.committedAt, type, &reader)
                    }
                } catch { throw Self.damaged(error) }
                if !goesOn { return true }
            }
            if page.count < 32 || next == unread { return true }
        }
    }
}
