import BusProtocol

/// Step 4: a durable request goes to a live agent of the provider's system, within that agent's credit.
extension BrokerCore {
    mutating func deliver(_ call: CallReference, position: UInt64, _ now: Moment) {
        // Taken, not copied: each copy of an envelope counts four references up and down.
        guard calls.isOpen(call), var envelope = calls[call].envelope.take() else { return }
        let work = Work(.request, hash: calls[call].target)
        guard let slot = choose(calls[call].provider, for: work, cost: envelope.cost) else {
            guard mayReturn(now) else { return fail(call, .noLiveProvider, at: .broker, now) }
            calls[call].envelope = envelope
            awaitingReturn.append((call, position))
            return
        }
        var annotations = Annotations()
        annotations.position = position
        annotations.attempt = 1
        annotations.requestIn = calls[call].times.requestIn
        envelope.annotations = annotations
        calls[call].providerSession = SessionReference(slot: slot, id: sessions[slot].id)
        if sessions[slot].waiting.isEmpty, sessions[slot].hasRoom(for: envelope.cost) {
            hand(call, envelope, to: slot, now)
        } else if !wait(envelope, call, slot) {
            fail(call, .queueFull, at: .broker, now)
        }
    }

    /// The next agent of a system. Where there is one alone, it is asked in its place: handing the whole table on would cost more than
    /// its answer.
    private mutating func choose(_ system: Int, for work: Work, cost: Int) -> Int? {
        guard let only = rights.onlyProvider(of: system) else {
            return rights.choose(system, for: work, sessions, cost: cost)
        }
        return sessions[only].isTaking(work) ? only : nil
    }

    /// Whether a provider that is not there may be about to come back: for a while after a restart every agent reconnects,
    /// the consumer's perhaps first.
    func mayReturn(_ now: Moment) -> Bool { now.monotonic < graceUntil }

    /// Delivers what waited for a provider's return; after the grace it fails.
    mutating func deliverToReturned(_ now: Moment) {
        guard !awaitingReturn.isEmpty else { return }
        let waiting = awaitingReturn
        awaitingReturn = []
        for item in waiting { deliver(item.call, position: item.position, now) }
    }

    /// Puts an envelope into the frame that leaves for an agent at the end of this step.
    mutating func push(_ envelope: consuming OutgoingEnvelope, to slot: Int) {
        let (isFirst, isFull) = sessions[slot].put(envelope)
        if isFirst { dirty.append(slot) }
        if isFull { flush(slot) }
    }

    /// To an agent, or into its queue while it grants no credit. False when the queue is full.
    @discardableResult
    mutating func pushOrWait(_ envelope: consuming OutgoingEnvelope, to slot: Int) -> Bool {
        let envelope = envelope
        if sessions[slot].waiting.isEmpty, sessions[slot].hasCredit(for: envelope.cost) {
            push(envelope, to: slot)
            return true
        }
        return wait(envelope, nil, slot)
    }

    /// Sends what waited, as far as the agent's credit reaches now.
    mutating func sendWaiting(_ slot: Int, _ now: Moment) {
        while let next = sessions[slot].waiting.first {
            let cost = next.envelope.cost
            guard next.call == nil ? sessions[slot].hasCredit(for: cost) : sessions[slot].hasRoom(for: cost) else {
                return
            }
            sessions[slot].waiting.removeFirst()
            sessions[slot].waitingBytes -= next.envelope.cost
            guard let call = next.call else {
                push(next.envelope, to: slot)
                continue
            }
            if calls.isOpen(call) { hand(call, next.envelope, to: slot, now) }
        }
    }

    private mutating func hand(
        _ call: CallReference, _ envelope: consuming OutgoingEnvelope, to slot: Int, _ now: Moment
    ) {
        var envelope = envelope
        envelope.annotations?.requestOut = now.wall
        calls[call].state = .delivered
        calls[call].times.requestOut = now.wall
        sessions[slot].outstanding += 1
        push(envelope, to: slot)
    }

    private mutating func wait(_ envelope: OutgoingEnvelope, _ call: CallReference?, _ slot: Int) -> Bool {
        if !hasRoomToWait(envelope, slot) {
            forgetEnded(slot, everywhere: true)
            guard hasRoomToWait(envelope, slot) else { return false }
        }
        // Copied out of its frame: what waits may pin only its own bytes.
        var own = envelope
        own.header = ArraySlice(Array(envelope.header))
        own.body = ArraySlice(Array(envelope.body))
        own.proof = ArraySlice(Array(envelope.proof))
        own.signedRoot = ArraySlice(Array(envelope.signedRoot))
        sessions[slot].waiting.append(.init(envelope: own, call: call))
        sessions[slot].waitingBytes += own.cost
        return true
    }

    private func hasRoomToWait(_ envelope: OutgoingEnvelope, _ slot: Int) -> Bool {
        sessions[slot].waiting.count < limits.waitingMessages
            && sessions[slot].waitingBytes + envelope.cost <= limits.waitingBytes
    }

    /// Drops requests that ended while they waited: at the front, where the oldest are, or wherever they stand.
    mutating func forgetEnded(_ slot: Int, everywhere: Bool = false) {
        while let first = sessions[slot].waiting.first, let call = first.call, !calls.isOpen(call) {
            sessions[slot].waiting.removeFirst()
            sessions[slot].waitingBytes -= first.envelope.cost
        }
        guard everywhere else { return }
        let left = sessions[slot].waiting.filter { waiting in waiting.call.map { calls.isOpen($0) } ?? true }
        sessions[slot].waiting = left
        sessions[slot].waitingBytes = left.reduce(0) { $0 + $1.envelope.cost }
    }

    // MARK: - What leaves at the end of a step

    mutating func markDirty(_ slot: Int) {
        guard !sessions[slot].isDirty else { return }
        sessions[slot].isDirty = true
        dirty.append(slot)
    }

    /// Sends gathered deliveries and ACCEPTs that are due.
    mutating func finishStep(_ now: Moment) {
        serveQueues(now)
        for slot in dirty where sessions.isLive(slot) && sessions[slot].isDirty {
            sessions[slot].isDirty = false
            flush(slot)
            accept(slot, now)
        }
        dirty.removeAll(keepingCapacity: true)
        if let until = drainUntil, !drainAnnounced {
            let isIdle = calls.count == 0 && book.inFlight == 0 && committing == nil && gathering.isEmpty
            if isIdle || now.monotonic >= until {
                drainAnnounced = true
                actions.append(.drained)
            }
        }
    }

    private mutating func flush(_ slot: Int) {
        guard !sessions[slot].outgoing.isEmpty else { return }
        var head = head(.deliver, slot)
        head.sequence = sessions[slot].delivered - UInt64(sessions[slot].outgoing.count) + 1
        let frame = EnvelopeFrame.encode(head, sessions[slot].outgoing)
        sessions[slot].outgoing.removeAll(keepingCapacity: true)
        sessions[slot].outgoingBytes = 0
        transmit(frame, to: slot)
    }

    /// ACCEPT at once where somebody waits for it, was refused something, or has used a quarter of its credit; otherwise
    /// it may wait a moment for others: replies prove acceptance earlier.
    private mutating func accept(_ slot: Int, _ now: Moment) {
        // Field by field: a copy of the session would cost more than the rest.
        let (decided, sent) = (sessions[slot].decided, sessions[slot].acceptSent)
        guard decided > sent else { return }
        // It is cumulative: an agent that reads again gets one for all.
        guard sessions[slot].unread.hasRoom() else { return }
        let quarter = decided - sent >= Limits.creditMessages / 4
        let bytes = sessions[slot].decidedBytes - sessions[slot].acceptSentBytes >= Limits.creditBytes / 4
        guard
            sessions[slot].acceptUrgent || quarter || bytes
                || sessions[slot].refused.contains(where: { $0.sequence <= decided })
        else {
            if sessions[slot].acceptOwedSince == 0 { sessions[slot].acceptOwedSince = now.monotonic }
            return
        }
        sendAccept(slot)
    }

    mutating func sendAccept(_ slot: Int) {
        let decided = sessions[slot].decided
        let refused = sessions[slot].refused.filter { $0.sequence <= decided }
        sessions[slot].refused.removeAll { $0.sequence <= decided }
        sessions[slot].acceptSent = decided
        sessions[slot].acceptSentBytes = sessions[slot].decidedBytes
        sessions[slot].acceptUrgent = false
        sessions[slot].acceptOwedSince = 0
        let acceptance = Acceptance(sequence: decided, treeSize: treeSize, root: treeRoot, refused: refused)
        transmit(head(.accept, slot).frame(acceptance.encoded()), to: slot)
    }

    /// A frame head with the credit this agent has with the broker.
    func head(_ command: Command, _ slot: Int) -> FrameHead {
        var head = FrameHead(command, version: sessions[slot].version)
        head.messageLimit = sessions[slot].decided + Limits.creditMessages
        head.byteLimit = sessions[slot].decidedBytes + Limits.creditBytes
        return head
    }

    mutating func transmit(_ frame: [UInt8], to slot: Int) {
        send(frame, to: slot)
        if sessions[slot].unread.wantsMark { ping(slot) }
    }

    mutating func send(_ frame: [UInt8], to slot: Int) {
        counters.framesOut += 1
        sessions[slot].unread.sent(frame.count)
        actions.append(.send(route: sessions[slot].route, frame: frame))
    }
}
