package import BusProtocol

/// Everything the journal has under one id. One message, as a rule, since ids are made at random; but nothing hinders a system from
/// giving one out twice, or one it has seen of another system. An answer about one of them must not pass for an answer about the other.
package struct FoundMessages: Sendable {
    /// Most messages of one id that are told apart, and most answers without one.
    package static let most = 16

    package let id: MessageID
    /// In the order of the journal. Of one that was submitted again, as agents do after a reconnect, the last record.
    package private(set) var messages: [MessageTrace.Step] = []
    /// What is known of the id where it has no message.
    package private(set) var orphan = MessageTrace()
    /// False when reading stopped before everything was read in which such a message may lie.
    package fileprivate(set) var isWhole = true

    package init(_ id: MessageID, messages: [MessageTrace.Step] = []) {
        self.id = id
        for message in messages { take(message) }
    }

    /// - Returns: whether there is room for more.
    fileprivate mutating func note(
        _ position: UInt64, _ committedAt: Int64, _ type: UInt8, _ reader: inout ByteReader
    ) throws(Fault) -> Bool {
        switch RecordType(rawValue: type) {
        case .message:
            guard let step = try MessageTrace.Step(position, committedAt, reader, of: id) else { return true }
            if step.header.id == id { return take(step) }
            if orphan.answers.count < Self.most { orphan.answers.append(step) }
        case .finished:
            let record = try FinishedRecord(&reader)
            if record.request == id { orphan.finished = record }
        default: break
        }
        return true
    }

    @discardableResult
    fileprivate mutating func take(_ step: MessageTrace.Step) -> Bool {
        if let index = messages.firstIndex(where: { $0.isSame(as: step) }) {
            if messages[index].position < step.position { messages[index] = step }
        } else if messages.count < Self.most {
            messages.append(step)
        } else {
            isWhole = false
            return false
        }
        messages.sort { $0.position < $1.position }
        return true
    }
}

extension JournalReader {
    /// How far a sender's clock may be off for its messages still to be found by their ids.
    package static let clockSkewMicroseconds: Int64 = 10 * 60 * 1_000_000
    /// Of a sender's clock that is right.
    private static let slackMicroseconds: Int64 = 2_000_000

    /// Finds messages without an index: the id says when it was made (UUIDv7), and the batches lie in order of time. Reads everything
    /// from where they should be to where a wrong clock could have put them, since a second message of an id may lie anywhere there.
    ///
    /// - Parameter known: where such messages stand as far as that is known: a command may be sent long after it was made.
    package func messages(
        _ id: MessageID, known: [UInt64] = [], longest: UInt64 = longestHistory
    ) throws(JournalError) -> FoundMessages {
        var found = FoundMessages(id)
        for position in known {
            if let step = try message(id, at: position) { found.take(step) }
        }
        let made = id.unixMilliseconds * 1000
        var left = longest
        let near = try firstPosition(committedFrom: made - Self.slackMicroseconds) ?? .max
        let last = made + Self.clockSkewMicroseconds + Self.answerWindowMicroseconds
        let visit: Visit = { position, committedAt, type, reader throws(Fault) in
            try found.note(position, committedAt, type, &reader)
        }
        var isWhole = try walk(near..<UInt64.max, to: last, &left, visit)
        if let early = try firstPosition(committedFrom: made - Self.clockSkewMicroseconds), early < near, isWhole {
            isWhole = try walk(early..<near, to: .max, &left, visit)
        }
        found.isWhole = found.isWhole && isWhole
        return found
    }

    /// The message at a position; `nil` when another one is there, or none.
    package func message(_ id: MessageID, at position: UInt64) throws(JournalError) -> MessageTrace.Step? {
        var found: MessageTrace.Step?
        var left: UInt64 = 1
        _ = try walk(position..<UInt64.max, to: .max, &left) { at, committedAt, type, reader throws(Fault) in
            if at == position, RecordType(rawValue: type) == .message {
                found = try MessageTrace.Step(at, committedAt, reader, of: id)
            }
            return false
        }
        return found?.header.id == id ? found : nil
    }

    // MARK: - Reading

    /// Of position, commit, type and payload of a record; false ends the reading.
    typealias Visit = (UInt64, Int64, UInt8, inout ByteReader) throws(Fault) -> Bool

    /// - Parameters:
    ///   - range: positions.
    ///   - to: commit of the last batch that is read, Unix microseconds.
    ///   - left: records that may still be read; whole batches are.
    /// - Returns: whether all of it was read, or as much as was wanted.
    func walk(
        _ range: Range<UInt64>, to: Int64, _ left: inout UInt64, _ visit: Visit
    ) throws(JournalError) -> Bool {
        var next = range.lowerBound
        while next < range.upperBound {
            let page = try batches(from: next, limit: 32)
            let unread = next
            for batch in page where next < range.upperBound {
                if batch.committedAt > to { return true }
                if left == 0 { return false }
                let before = next
                var goesOn = true
                do throws(Fault) {
                    try batch.forEach { position, type, reader throws(Fault) in
                        // The page begins with the batch that holds `unread`, which may have been read already.
                        guard goesOn, position >= unread, position < range.upperBound else { return }
                        next = max(next, position + 1)
                        goesOn = try visit(position, batch.committedAt, type, &reader)
                    }
                } catch { throw Self.damaged(error) }
                if !goesOn { return true }
                left -= min(left, next - before)
            }
            if page.count < 32 || next == unread { return true }
        }
        return true
    }
}
