import BusJournal
import BusProtocol

/// Step 5: every wait ends. Time is judged here, by the clock that never steps.
extension BrokerCore {
    /// Call at least every 16 ms while requests are open, and a few times a second otherwise.
    package mutating func tick(at now: Moment) {
        for call in deadlines.due(now: now.monotonic) where calls.isOpen(call) {
            guard calls[call].deadline <= now.monotonic else {
                // Its slot came up a turn too early: the process had stood still longer than the wheel reaches.
                deadlines.set(call, at: calls[call].deadline, now: now.monotonic)
                continue
            }
            // An answer that is being written is delivered: it came in time.
            if calls[call].state != .answered { fail(call, .deadlinePassed, at: hopInFault(call), now) }
        }
        for slot in sessions.indices where sessions[slot].acceptOwedSince > 0 {
            guard now.monotonic - sessions[slot].acceptOwedSince >= limits.acceptDelay else { continue }
            if sessions[slot].unread.hasRoom() { sendAccept(slot) }
        }
        for slot in sessions.indices where !sessions[slot].waiting.isEmpty { forgetEnded(slot) }
        beat(now)
        dismissExpired(now)
        dismissUnreading(now)
        deliverToReturned(now)
        book.wake(at: now.monotonic)
        expireQueued(now)
        eraseBodies(now)
        flushRefusals(now)
        finishStep(now)
    }

    /// The journal erases with the batch that says so: no body is gone without its record.
    private mutating func eraseBodies(_ now: Moment) {
        let positions = book.takeErasable(
            at: now.wallMilliseconds, limit: limits.erasures, most: ErasedRecord.most)
        guard !positions.isEmpty else { return }
        gather(.erased, ErasedRecord(at: now.wall, positions: positions).encoded, now)
    }

    /// How long the shell may sleep, microseconds.
    package func sleepLimit(at now: Moment) -> Int64 {
        if deadlines.count > 0 { return DeadlineWheel.slotMicroseconds }
        if !book.timed.isEmpty { return DeadlineWheel.slotMicroseconds }
        let owes = gathering.lazySince > 0 || sessions.indices.contains { sessions[$0].acceptOwedSince > 0 }
        return owes ? limits.acceptDelay : 100_000
    }

    /// Ends a request without an answer from its provider: the consumer is told why.
    mutating func fail(_ call: CallReference, _ code: FaultCode, at hop: Hop, _ now: Moment) {
        guard calls.isOpen(call) else { return }
        var ended = calls[call]
        if ended.state == .delivered { releaseProvider(ended) }
        calls.remove(call)
        if sessions.isLive(ended.consumer.slot, ended.consumer.id) {
            ended.times.replyOut = now.wall
            pushOrWait(faultReply(ended, code, hop, now), to: ended.consumer.slot)
        }
        recordEnd(of: ended, code.number, at: hop, now)
    }

    private mutating func releaseProvider(_ call: Call) {
        guard let provider = call.providerSession, sessions.isLive(provider.slot, provider.id) else { return }
        sessions[provider.slot].outstanding -= 1
    }

    private func hopInFault(_ call: CallReference) -> Hop { calls[call].state == .delivered ? .providerAgent : .broker }

    /// A reply of the broker's own: no provider signed it, and it says so by having no provider.
    private mutating func faultReply(_ call: Call, _ code: FaultCode, _ hop: Hop, _ now: Moment) -> OutgoingEnvelope {
        var header = Header(
            kind: .reply, id: ids.next(unixMilliseconds: now.wallMilliseconds), created: now.wallMilliseconds)
        header.correlation = call.id
        header.outcome = code.number
        let body = Array("{\"detail\":\"\(code.meaning)\",\"hop\":\"\(hop.name)\"}".utf8)
        var envelope = OutgoingEnvelope(header: header.encoded()[...], body: body[...])
        var annotations = Annotations()
        annotations.requestIn = call.times.requestIn
        annotations.requestOut = call.times.requestOut
        envelope.annotations = annotations
        return envelope
    }

    mutating func flushRefusals(_ now: Moment, atOnce: Bool = false) {
        guard !refusals.isEmpty, atOnce || now.monotonic - lastRefusalFlush >= 250_000 else { return }
        lastRefusalFlush = now.monotonic
        for (key, count) in refusals.sorted(by: { $0.key < $1.key }) {
            let record = RefusedRecord(
                consumer: key.consumer, target: key.target, code: key.code.number, count: count, at: now.wall)
            gather(.refused, record.encoded, now)
            observations.append(
                .refused(
                    consumer: key.consumer, target: key.target, family: key.code.family, count: count,
                    at: now.wallMilliseconds))
        }
        refusals.removeAll(keepingCapacity: true)
    }
}
