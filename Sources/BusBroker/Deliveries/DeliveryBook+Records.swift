package import BusDirectory
import BusEvidence
package import BusJournal
package import BusProtocol

/// The book as it grows from the records of a journal, in their order and from the first one on.
package struct DeliveryFold: Sendable {
    var book: DeliveryBook
    /// Of the space in force at the record being folded.
    private(set) var rights: Rights?
    /// The space in force at the last record.
    package var snapshot: SpaceSnapshot? { rights?.snapshot }

    package init(_ limits: BrokerLimits) { book = DeliveryBook(limits) }

    package mutating func fold(_ type: UInt8, _ payload: inout ByteReader, position: UInt64) throws(Fault) {
        if type == RecordType.space.rawValue {
            let bytes = try payload.takeArray(payload.remaining)
            rights = (try? SpaceSnapshot(canonical: bytes)).map { Rights($0) }
            book.retentions = rights?.retentions ?? [:]
        } else if let rights {
            try book.fold(type, &payload, position: position, rights)
        }
    }

    /// Positions of dead letters that died while only their position was known: their messages are still to be read.
    package var unreadLetters: [UInt64] { book.dead.all.filter(\.isUnread).map(\.position) }

    package mutating func readLetters(_ message: (UInt64) -> MessageRecord?) {
        guard let rights else { return }
        for letter in book.dead.all where letter.isUnread {
            guard let stored = message(letter.position), let header = try? Header(decoding: stored.header) else {
                _ = book.dead.take(letter.position, receiver: letter.queue.system)
                continue
            }
            var message = QueuedMessage(
                header, position: letter.position, acceptedAt: stored.receivedAt,
                expiry: rights.expiry(of: header, acceptedAt: stored.receivedAt),
                size: stored.header.count + Int(stored.bodySize), content: .inJournal)
            (message.attempt, message.resent) = (letter.attempts, letter.resent)
            // In its place: the list is in the order in which they died.
            book.dead.add(DeadLetter(message, in: letter.queue, code: letter.code, at: letter.at))
        }
    }
}

/// How the journal's records make the book, when it is rebuilt at start.
extension DeliveryBook {
    /// - Parameter rights: of the space that was in force when the record was written.
    mutating func fold(
        _ type: UInt8, _ payload: inout ByteReader, position: UInt64, _ rights: Rights
    ) throws(Fault) {
        switch RecordType(rawValue: type) {
        case .message: try foldMessage(&payload, position, rights)
        case .settled: settle(try SettledRecord(&payload))
        case .attempted:
            let record = try AttemptedRecord(&payload)
            for queue in queues(of: record.receiver) {
                change(queue) { $0.setAttempt(record.attempt, of: record.position) }
            }
        case .resent:
            let record = try ResentRecord(&payload)
            if let letter = dead.take(record.position, receiver: record.receiver) {
                if letter.isUnread {
                    resendUnread(letter, record.expiry)
                } else {
                    resend(letter, expiry: record.expiry)
                }
            }
        case .erased:
            for position in try ErasedRecord(&payload).positions { erased(position) }
        case .sought:
            let record = try SoughtRecord(&payload)
            let queue = queue(.events(record.event, for: record.receiver))
            seek(record.positions.filter { !queues[queue].holds($0) }, in: queue)
        default: break
        }
    }

    private mutating func foldMessage(
        _ payload: inout ByteReader, _ position: UInt64, _ rights: Rights
    ) throws(Fault) {
        // Most messages are requests and replies: one byte tells, and nothing of them is copied.
        var peek = payload
        _ = try peek.takeRange(MessageRecord.fixedSize + 1)
        switch MessageKind(rawValue: try peek.take(UInt8.self)) {
        case .command, .outcome, .event: break
        case .keyEpoch, .keyWrap: return try foldKey(&payload, position)
        default: return
        }
        let record = try MessageRecord(&payload)
        guard let digest = Digest32(record.bodyDigest[...]) else {
            throw Fault(.storageFailed, at: .broker, "the digest at position \(position) is not 32 bytes")
        }
        let leaf = record.header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: digest) }
        let header = try Header(decoding: record.header)
        enqueue(
            header, position: position, acceptedAt: record.receivedAt,
            fingerprint: BrokerCore.fingerprint(header, leaf), size: record.header.count + Int(record.bodySize),
            content: .inJournal, to: MessageAddress(of: header, acceptedAt: record.receivedAt, rights))
    }

    private mutating func foldKey(_ payload: inout ByteReader, _ position: UInt64) throws(Fault) {
        let header = try Header(decoding: MessageRecord(&payload).header)
        if let name = RecordName(header) { keys.insert(name, header, at: position) }
    }

    private mutating func settle(_ record: SettledRecord) {
        for queue in queues(of: record.subscriber) where queues[queue].holds(record.position) {
            change(queue) { $0.setAttempt(record.attempts, of: record.position) }
            let isInBacklog = queues[queue].messages[record.position] == nil
            let resent = queues[queue].resends(of: record.position)
            settle(record.position, in: queue, code: record.code, at: record.at)
            if record.code != 0, isInBacklog { diedUnread(record, in: queues[queue].name, resent: resent) }
            return
        }
        // Nobody was owed it, by the records: an outcome that was delivered again, because its command was sent again.
        if record.code != 0 { diedUnread(record, in: .outcomes(for: record.subscriber), resent: 0) }
    }

    private mutating func diedUnread(_ record: SettledRecord, in queue: QueueName, resent: UInt16) {
        // It died anew: its place is that of now.
        _ = dead.take(record.position, receiver: record.subscriber)
        dead.add(
            DeadLetter(
                unread: record.position, in: queue, code: record.code, attempts: record.attempts, resent: resent,
                at: record.at))
    }

    private mutating func resendUnread(_ letter: DeadLetter, _ expiry: Int64) {
        let queue = queue(letter.queue)
        let resent = letter.resent &+ 1
        guard !queues[queue].holds(letter.position) else {
            return change(queue) { $0.setResends(resent, of: letter.position) }
        }
        change(queue) { $0.keepBack(letter.position, .init(resent: resent, expiry: expiry)) }
    }
}
