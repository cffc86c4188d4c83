import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol

/// The book as it grows from the records of a journal, in their order and from the first one on.
struct DeliveryFold: Sendable {
    var book: DeliveryBook
    /// Of the space in force at the record being folded.
    private(set) var rights: Rights?

    init(_ limits: BrokerLimits) { book = DeliveryBook(ledgerLimit: limits.ledger) }

    mutating func fold(_ type: UInt8, _ payload: inout ByteReader, position: UInt64) throws(Fault) {
        if type == RecordType.space.rawValue {
            let bytes = try payload.takeArray(payload.remaining)
            rights = (try? SpaceSnapshot(canonical: bytes)).map { Rights($0) }
        } else if let rights {
            try book.fold(type, &payload, position: position, rights)
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
            guard let letter = dead.take(record.position, receiver: record.receiver) else { return }
            resend(letter, expiry: record.expiry)
        case .sought:
            let record = try SoughtRecord(&payload)
            let queue = queue(.events(record.event, for: record.receiver))
            let known = Set(queues[queue].positions)
            owe(record.positions.filter { !known.contains($0) }, in: queue)
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
        default: return
        }
        let record = try MessageRecord(&payload)
        guard let digest = Digest32(record.bodyDigest[...]) else {
            throw Fault(.storageFailed, at: .broker, "the digest at position \(position) is not 32 bytes")
        }
        let leaf = record.header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: digest) }
        enqueue(
            try Header(decoding: record.header), position: position, acceptedAt: record.receivedAt,
            fingerprint: BrokerCore.fingerprint(leaf), size: record.header.count + Int(record.bodySize),
            content: .inJournal, rights)
    }

    private mutating func settle(_ record: SettledRecord) {
        for queue in queues(of: record.subscriber) where queues[queue].holds(record.position) {
            change(queue) { $0.setAttempt(record.attempts, of: record.position) }
            let isInBacklog = queues[queue].messages[record.position] == nil
            settle(record.position, in: queue, code: record.code, at: record.at)
            if record.code != 0, isInBacklog {
                unread.append(UnreadLetter(position: record.position, queue: queue, code: record.code, at: record.at))
            }
            return
        }
    }

    /// A message that died while only its position was known here.
    struct UnreadLetter: Sendable {
        let position: UInt64
        let queue: Int
        let code: UInt16
        let at: Int64
    }

    /// The message of an unread letter was read from the journal.
    mutating func read(_ letter: UnreadLetter, _ message: QueuedMessage) {
        dead.add(DeadLetter(message, in: queues[letter.queue].name, code: letter.code, at: letter.at))
    }
}
