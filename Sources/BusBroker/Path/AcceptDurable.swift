import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol

/// Step 1 for what outlives its sender: commands, outcomes and events. Each is one message however often it is sent.
extension BrokerCore {
    mutating func acceptCommand(
        _ view: EnvelopeView, _ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer, _ slot: Int, _ now: Moment
    ) {
        let answer = rights.decide(
            agent: sessions[slot].agentIndex, consumer: view.header.consumer, target: view.header.target, in: raw,
            for: .command)
        let right: Rights.Right
        switch answer.decision {
        case .refused(let code):
            noteRefused(raw, view, code)
            return refuse(slot, code)
        case .allowed(let found): right = found
        }
        guard let header = decode(view, raw, slot) else { return }
        let queue = book.queue(.commands(of: rights.systems[right.provider]))
        if isKnown(header, from: header.consumer, message, slot, now) { return }
        if isDraining { return refuse(slot, .draining, retryAfter: 1000) }
        guard view.header.isSealed || !rights.seals.covers(system: right.provider) else {
            return refuse(slot, .notSealed)
        }
        if rights.expiry(of: header, acceptedAt: now.wall) <= now.wallMilliseconds {
            return refuse(slot, .expiredOnArrival)
        }
        guard book.queues[queue].depth < limits.queueDepth else { return refuse(slot, .queueFull, retryAfter: 1000) }
        if exceedsQuota(slot, right.integration, view.cost, now) { return }
        counters.commandsAccepted += 1
        observations.append(.attempted(integration: right.integration, at: now.wallMilliseconds))
        gather(header, from: header.consumer, message, right.integration, right.stage, now)
    }

    mutating func acceptOutcome(
        _ view: EnvelopeView, _ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer, _ slot: Int, _ now: Moment
    ) {
        guard let header = decode(view, raw, slot) else { return }
        let provider = Names.system(of: header.target)
        guard rights.agents[sessions[slot].agentIndex].systems.contains(provider) else {
            noteRefused(raw, view, .keyNotForSystem)
            return refuse(slot, .keyNotForSystem)
        }
        // Without a provider it would be one of the broker's own.
        guard header.provider == provider else { return refuse(slot, .badHeader) }
        if isKnown(header, from: provider, message, slot, now) { return }
        let key = book.ledger.key(header.consumer, header.correlation)
        // To another system's agent a command it could not have got does not exist.
        guard let command = book.ledger.row(key, of: header.correlation), command.kind == .command,
            command.target == MessageLedger.digest(header.target)
        else { return refuse(slot, .noSuchRequest) }
        guard view.header.isSealed || !rights.seals.covers(system: rights.system(header.consumer) ?? -1) else {
            return refuse(slot, .notSealed)
        }
        // One command, one outcome: a second one with another id would be a second effect somewhere.
        guard !command.isConcluded else { return refuse(slot, .idReused) }
        if command.isConcluding { return refuseRival(of: key, slot) }
        book.ledger.change(key) { $0.isConcluding = true }
        counters.outcomesAccepted += 1
        let way = rights.way(from: header.consumer, to: header.target)
        gather(header, from: provider, message, way?.integration ?? .max, way?.stage ?? 0, now)
    }

    /// Another outcome of the command is being written. Should that fail, this one has failed for the same reason, and may
    /// come again.
    private mutating func refuseRival(of key: MessageLedger.Key, _ slot: Int) {
        refuse(slot, .idReused)
        let session = SessionReference(slot: slot, id: sessions[slot].id)
        committing?.noteRepetition(of: key, session, sessions[slot].received)
        gathering.noteRepetition(of: key, session, sessions[slot].received)
    }

    mutating func acceptEvent(
        _ view: EnvelopeView, _ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer, _ slot: Int, _ now: Moment
    ) {
        let type: Int
        switch rights.mayPublish(agent: sessions[slot].agentIndex, view.header.consumer, view.header.target, in: raw) {
        case .refused(let code):
            noteRefused(raw, view, code)
            return refuse(slot, code)
        case .allowed(let found): type = found
        }
        guard let header = decode(view, raw, slot) else { return }
        if isKnown(header, from: header.consumer, message, slot, now) { return }
        if isDraining { return refuse(slot, .draining, retryAfter: 1000) }
        guard view.header.isSealed || !rights.seals.covers(event: type) else {
            return refuse(slot, .notSealed)
        }
        if (header.expiry ?? .max) <= now.wallMilliseconds { return refuse(slot, .expiredOnArrival) }
        let isFull = rights.subscriptions[type].contains { subscription in
            let name = QueueName.events(header.target, for: rights.systems[subscription.subscriber])
            return book.index(name).map { book.queues[$0].fresh >= limits.eventBacklog } ?? false
        }
        if isFull { return refuse(slot, .queueFull, retryAfter: 1000) }
        if exceedsQuota(slot, .max, view.cost, now) { return }
        counters.eventsAccepted += 1
        gather(header, from: header.consumer, message, .max, 0, now)
    }

    private mutating func decode(_ view: EnvelopeView, _ raw: UnsafeRawBufferPointer, _ slot: Int) -> Header? {
        do throws(Fault) { return try Header(decoding: raw, in: view.header.range) } catch {
            refuse(slot, error.code)
            return nil
        }
    }

    /// Whether the message was accepted before, is another one under the same id, or is too old to tell. All of it is answered
    /// here.
    private mutating func isKnown(
        _ header: Header, from sender: String, _ message: JournalBatch.Message, _ slot: Int, _ now: Moment
    ) -> Bool {
        sessions[slot].acceptUrgent = true
        let key = book.ledger.key(sender, header.id)
        guard let row = book.ledger[key] else {
            guard book.ledger.isTooOld(header.id, key) else { return false }
            refuse(slot, .idTooOld)
            return true
        }
        guard row.fingerprint == Self.fingerprint(header, message.leaf), row.kind == header.kind else {
            refuse(slot, .idReused)
            return true
        }
        counters.duplicates += 1
        if row.position == 0 {
            // Its batch is being written. Should that fail, this repetition has failed as well.
            committing?.noteRepetition(
                of: key, SessionReference(slot: slot, id: sessions[slot].id), sessions[slot].received)
        } else if row.outcome != 0 {
            deliverOutcomeAgain(row.outcome, to: header.consumer, now)
        }
        return true
    }

    /// What tells a repetition from another message under the same id: the bytes, or, where they were sealed anew, what their sender
    /// says of the content.
    static func fingerprint(_ header: Header, _ leaf: Digest32) -> UInt64 {
        guard header.sealSuite != 0,
            let tag = header.extensions.first(where: { $0.type == RepeatTag.type && $0.value.count == RepeatTag.size })
        else { return fingerprint(leaf) }
        return tag.value.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }

    static func fingerprint(_ leaf: Digest32) -> UInt64 {
        withUnsafeBytes(of: leaf) { $0.loadUnaligned(as: UInt64.self) }
    }

    private mutating func gather(
        _ header: Header, from sender: String, _ message: JournalBatch.Message, _ integration: UInt32, _ stage: UInt8,
        _ now: Moment
    ) {
        let fingerprint = Self.fingerprint(header, message.leaf)
        let key = book.ledger.key(sender, header.id)
        book.ledger.insert(.init(header, fingerprint: fingerprint, position: 0), key)
        let durable = DurableMessage(
            decoded: header, key: key, fingerprint: fingerprint, bytes: MessageBytes(message), acceptedAt: now.wall,
            address: MessageAddress(of: header, acceptedAt: now.wall, rights))
        gather(message.counted(integration, stage, keepsBody: true), then: .enqueue(durable))
    }
}

/// A command, outcome or event whose batch is being written.
package struct DurableMessage: Sendable {
    let decoded: Header
    let key: MessageLedger.Key
    var fingerprint: UInt64
    let bytes: MessageBytes
    /// Unix microseconds.
    let acceptedAt: Int64
    let address: MessageAddress

    /// An outcome that the broker made: it names no provider.
    var isOwn: Bool { decoded.kind == .outcome && decoded.provider.isEmpty }
}
