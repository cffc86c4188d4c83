import BusJournal
import BusProtocol

/// Step 4 for what outlives its sender: each message to one live agent of each receiving system, again and again until it is
/// settled there; one after the other where they have the same order key.
extension BrokerCore {
    mutating func enqueue(_ message: DurableMessage, position: UInt64, _ now: Moment) {
        book.enqueue(
            message.decoded, position: position, acceptedAt: message.acceptedAt, fingerprint: message.fingerprint,
            size: message.bytes.size, content: .there(message.bytes), to: message.address)
    }

    package mutating func restore(_ recovered: DeliveryFold) { restore(recovered.book) }

    /// Takes up what recovery folded from the journal.
    mutating func restore(_ recovered: DeliveryBook, receipts ends: [(size: UInt64, root: [UInt8])] = []) {
        book = recovered
        book.retentions = rights.retentions
        for end in ends { receipts.note(end.size, end.root) }
        if Mutant.isOn(.ledgerNotRebuilt) { book.ledger = MessageLedger(limit: limits.ledger) }
        for queue in book.queues.indices { book.flag(queue) }
    }

    /// Delivers what may be delivered, in every queue where something changed.
    mutating func serveQueues(_ now: Moment) {
        while let queue = book.takeFlagged() { serve(queue, now) }
    }

    private mutating func serve(_ queue: Int, _ now: Moment) {
        // A broker that ends leaves what it can still hold in the journal to its next start.
        guard !isDraining else { return }
        let name = book.queues[queue].name
        guard !book.queues[queue].isEmpty, !book.isPaused(queue), let system = rights.system(name.system),
            rights.hasLiveAgent(system),
            rights.mayReceive(name)
        else { return }
        var blocked = withoutTaker(queue, system)
        while let message = book.change(queue, { $0.next(except: blocked) }), case .there(let bytes) = message.content {
            // Ticks end what has expired; this one came into its queue, or had its agent back, since the last.
            if message.expiry <= now.wallMilliseconds {
                close(message.position, in: queue, code: .expired, now)
                continue
            }
            var envelope = OutgoingEnvelope(bytes)
            let work = Work(name.kind.message, message.target)
            guard let slot = rights.choose(system, for: work, sessions, cost: envelope.cost),
                sessions[slot].waiting.isEmpty, sessions[slot].hasRoom(for: envelope.cost)
            else {
                // What other agents take goes on.
                blocked.insert(message.target)
                continue
            }
            let session = SessionReference(slot: slot, id: sessions[slot].id)
            book.change(queue) { $0.deliver(message.position, to: session, at: now.monotonic) }
            if name.kind == .commands { book.delivering(message) }
            if Mutant.isOn(.cursorBeforeAck) { noteSettled(message, in: name, code: 0, now) }
            sessions[slot].unsettled[message.position, default: []].append(queue)
            var annotations = Annotations()
            annotations.position = message.position
            annotations.attempt = message.attempt + 1
            annotations.requestIn = message.acceptedAt
            annotations.requestOut = now.wall
            envelope.annotations = annotations
            push(envelope, to: slot)
        }
        load(book.change(queue) { $0.wanted(except: blocked) }, for: .queue(queue))
    }

    /// Services of which something is ready and that nobody who is there can take now. What others take goes before it, and none of
    /// its bytes are read from the journal.
    private func withoutTaker(_ queue: Int, _ system: Int) -> Set<String> {
        let name = book.queues[queue].name
        let targets = name.kind == .events ? [name.event] : book.queues[queue].readyTargets
        return Set(
            targets.filter { target in
                !rights.hasTaker(system, of: Work(name.kind.message, target), sessions) {
                    $0.waiting.isEmpty && $0.hasRoom(for: 1)
                }
            })
    }

    // MARK: - From the journal

    /// What bytes are read for.
    enum LoadPurpose: Sendable {
        case queue(Int)
        case answer(SessionReference, key: String, StateAnswer)
        case keys(SessionReference, key: String, token: UInt64)
    }

    mutating func load(_ positions: [UInt64], for purpose: LoadPurpose) {
        guard !positions.isEmpty else { return }
        nextLoad += 1
        loads[nextLoad] = purpose
        actions.append(.load(ticket: nextLoad, positions: positions))
    }

    /// The journal gave what was asked for; `nil` when it could not be read.
    package mutating func loaded(_ ticket: UInt64, _ found: [LoadedMessage]?, at now: Moment) {
        guard let purpose = loads.removeValue(forKey: ticket) else { return }
        switch purpose {
        case .queue(let queue): loaded(found, for: queue, now)
        case .answer(let session, let key, let answer):
            answered(key: key)
            finishAnswer(answer, found ?? [], to: session)
        case .keys(let session, let key, let token):
            answered(key: key)
            finishKeys(token, found ?? [], to: session)
        }
        finishStep(now)
    }

    /// Before a journal that could not be read is asked again, microseconds.
    private static let readPause: Int64 = 1_000_000

    private mutating func loaded(_ found: [LoadedMessage]?, for queue: Int, _ now: Moment) {
        guard let found else {
            book.change(queue) { $0.loadFailed() }
            notice(
                .error, "the journal could not be read; it is tried again", ["queue": book.queues[queue].name.system])
            return book.pause(queue, until: now.monotonic + Self.readPause)
        }
        defer { book.flag(queue) }
        for item in found {
            let message = (try? Header(decoding: item.bytes.header)).map { header in
                QueuedMessage(
                    header, position: item.position, acceptedAt: item.acceptedAt,
                    expiry: rights.expiry(of: header, acceptedAt: item.acceptedAt),
                    size: item.bytes.size, content: item.hasBody ? .there(item.bytes) : .inJournal)
            }
            if !book.change(queue, { $0.loaded(item.position, message) }) {
                close(item.position, in: queue, code: .noSuchMessage, now)
            }
        }
    }
}

/// A message read back from the journal; without a body when that has been erased.
package struct LoadedMessage: Sendable {
    package let position: UInt64
    package let acceptedAt: Int64
    package let bytes: MessageBytes
    package let hasBody: Bool
    package init(position: UInt64, acceptedAt: Int64, _ bytes: MessageBytes, hasBody: Bool) {
        self.position = position
        self.acceptedAt = acceptedAt
        self.bytes = bytes
        self.hasBody = hasBody
    }
}
