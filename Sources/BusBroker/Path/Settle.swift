import BusJournal
import BusProtocol

/// Step 6 for what outlives its sender: a receiver takes a message, asks for it again, or gives it up.
extension BrokerCore {
    /// ACK, NAK, TERM of deliveries that are with this very session; anything else is ignored and counted.
    mutating func settle(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let settlement = try frame.reading { raw throws(Fault) in
            var reader = head.fields(of: raw)
            return try Settlement(&reader)
        }
        for row in settlement.rows {
            guard let queue = takeUnsettled(row.position, slot) else {
                counters.duplicates += 1
                continue
            }
            switch head.command {
            case .ack: close(row.position, in: queue, code: nil, by: sessions[slot].agent, now)
            case .nak:
                let delay = Int64(min(row.delayMilliseconds, Self.longestDelay)) * 1000
                tryAgain(row.position, in: queue, after: delay, row.code, agent: sessions[slot].agent, now)
            default:
                close(
                    row.position, in: queue, code: FaultCode(rawValue: row.code) ?? .providerFault,
                    by: sessions[slot].agent, now)
            }
        }
    }

    /// Longest delay a receiver may ask for, milliseconds.
    private static let longestDelay: UInt32 = 3_600_000

    /// The queue of a delivery this session holds, or one that the session before it held and that waits now.
    private mutating func takeUnsettled(_ position: UInt64, _ slot: Int) -> Int? {
        if var queues = sessions[slot].unsettled[position] {
            let queue = queues.removeFirst()
            sessions[slot].unsettled[position] = queues.isEmpty ? nil : queues
            return queue
        }
        let systems = sessions[slot].systems
        return book.queues.indices.first { index in
            guard systems.contains(book.queues[index].name.system), let message = book.queues[index].messages[position]
            else { return false }
            return message.session == nil && message.attempt > 0
        }
    }

    /// Another delivery, later; or none when it was delivered as often as its service allows.
    mutating func tryAgain(
        _ position: UInt64, in queue: Int, after delay: Int64, _ code: UInt16, agent: String, atOnce: UInt16 = 0,
        _ now: Moment
    ) {
        // One that waits already has its next time.
        guard let message = book.queues[queue].messages[position], message.session != nil else { return }
        if message.expiry <= now.wallMilliseconds { return close(position, in: queue, code: .expired, now) }
        let policy = rights.retryPolicy(of: message.target, limits)
        guard Int(message.attempt) < policy.attempts else {
            return close(position, in: queue, code: .givenUp, by: agent, now)
        }
        let wait = message.attempt <= atOnce ? 0 : policy.wait(after: message.attempt, &random)
        book.retry(position, in: queue, notBefore: now.monotonic + max(delay, wait))
        if max(delay, wait) == 0 { book.wake(at: now.monotonic) }
        if book.queues[queue].name.kind == .commands { book.waitsAgain(message) }
        let record = AttemptedRecord(
            position: position, at: now.wall, attempt: message.attempt, code: code,
            receiver: book.queues[queue].name.system, agent: agent)
        gather(.attempted, record.encoded, now)
    }

    /// Deliveries that were lost with their agent and go to the next one without waiting; later ones wait: the message itself
    /// may be what ends the agents.
    private static let attemptsAtOnce: UInt16 = 3

    /// Deliveries that were with a session which is over go to whoever comes next. The receiver may have worked on them.
    mutating func releaseDeliveries(of session: Session, _ now: Moment) {
        for (position, queues) in session.unsettled.sorted(by: { $0.key < $1.key }) {
            for queue in queues {
                tryAgain(
                    position, in: queue, after: 0, FaultCode.providerLost.number, agent: session.agent,
                    atOnce: Self.attemptsAtOnce, now)
            }
        }
    }

    /// The end of a message for one receiver: taken (`nil`), or given up for a reason.
    /// - Parameter agent: whose word it is; empty: the broker's own.
    mutating func close(_ position: UInt64, in queue: Int, code: FaultCode?, by agent: String = "", _ now: Moment) {
        let name = book.queues[queue].name
        // What became of it is known: whatever happened to its acknowledgement, it was carried out.
        let code = book.isConcluded(position, in: queue) ? nil : code
        guard let message = book.settle(position, in: queue, code: code?.number ?? 0, at: now.wall) else { return }
        let integration = noteSettled(
            message, in: name, code: code?.number ?? 0, by: code == nil ? "" : agent, now)
        if let code {
            counters.deadLettered += 1
            if name.kind == .commands { concludeOwn(message, code, now) }
        }
        guard let integration else { return }
        observations.append(
            .exchange(
                integration: integration.integration, family: (code?.number ?? 0) / 10,
                latency: UInt32(clamping: max(0, now.wall - message.acceptedAt)), at: now.wallMilliseconds,
                stage: integration.stage))
    }

    @discardableResult
    mutating func noteSettled(
        _ message: QueuedMessage, in queue: QueueName, code: UInt16, by agent: String = "", _ now: Moment
    ) -> Rights.Right? {
        // An outcome is the end of an exchange that was counted with its command.
        let integration = queue.kind == .outcomes ? nil : rights.integration(of: message, in: queue)
        let record = SettledRecord(
            position: message.position, at: now.wall, integration: integration?.integration ?? .max, code: code,
            subscriber: queue.system, attempts: message.attempt, agent: agent)
        gather(.settled, record.encoded, now)
        return integration
    }

    /// The sender of a command that nobody will carry out learns it by an outcome of the broker's own: it names no provider.
    private mutating func concludeOwn(_ message: QueuedMessage, _ code: FaultCode, _ now: Moment) {
        var header = Header(
            kind: .outcome, id: ids.next(unixMilliseconds: now.wallMilliseconds), created: now.wallMilliseconds)
        header.correlation = message.id
        header.outcome = code.number
        header.target = message.target
        header.consumer = message.consumer
        let bytes = header.encoded()
        let body = Array("{\"detail\":\"\(code.meaning)\",\"hop\":\"\(Hop.broker.name)\"}".utf8)
        let key = book.ledger.key(MessageLedger.sender(of: header), header.id)
        gatherOwn(
            DurableMessage(
                decoded: header, key: key, fingerprint: 0, bytes: MessageBytes(header: bytes, body: body),
                acceptedAt: now.wall,
                address: MessageAddress(of: header, acceptedAt: now.wall, rights)))
    }

    /// A message of the broker's own becomes durable like any other.
    mutating func gatherOwn(_ message: DurableMessage) {
        let frame = message.bytes.header + message.bytes.body
        let record = JournalBatch.Message(
            frame: frame, header: 0..<message.bytes.header.count, proof: 0..<0,
            body: message.bytes.header.count..<frame.count, receivedAt: message.acceptedAt, integration: .max, stage: 0,
            keepsBody: true)
        let fingerprint = Self.fingerprint(record.leaf)
        book.ledger.insert(
            .init(message.decoded, fingerprint: fingerprint, position: 0), message.key)
        var durable = message
        durable.fingerprint = fingerprint
        gather(record, then: .enqueue(durable))
    }

    /// Its sender asked again: whoever missed the outcome gets it.
    mutating func deliverOutcomeAgain(_ position: UInt64, to consumer: String, _ now: Moment) {
        let queue = book.queue(.outcomes(for: consumer))
        guard !book.queues[queue].holds(position) else { return }
        book.change(queue) { $0.keepBack(position, .init(expiry: now.wallMilliseconds + Rights.outcomeExpiry)) }
        book.flag(queue)
    }

    mutating func expireQueued(_ now: Moment) {
        for queue in book.queues.indices {
            for position in book.change(queue, { $0.expired(at: now.wallMilliseconds) }) {
                close(position, in: queue, code: .expired, now)
            }
        }
    }
}
