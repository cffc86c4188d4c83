import BusDirectory
import BusJournal
package import BusProtocol

/// Step 1: frames become envelopes. Form, limits and identity are checked here; nothing is believed before.
extension BrokerCore {
    /// A frame arrived on `route` from the holder of `key` (Z85, proven by CURVE).
    package mutating func receive(_ frame: [UInt8], from route: [UInt8], key: String, at now: Moment) {
        counters.framesIn += 1
        let head: FrameHead
        do throws(Fault) {
            head = try frame.reading { raw throws(Fault) in try FrameHead(raw) }
        } catch {
            return reject(route, error)
        }
        if head.command == .hello { return greet(frame, head, route, key, now) }
        guard let slot = sessions.slot(route: route), sessions[slot].key == key else {
            return reject(route, Fault(.notGreeted, at: .broker), version: head.version)
        }
        heard(slot, head, now)
        let wasFull = sessions[slot].isFull
        do throws(Fault) {
            // A later command is none of this session, whatever version its frame claims: the answer would be unreadable.
            guard head.command.since <= sessions[slot].version else {
                throw Fault(
                    .unknownCommand, at: .broker,
                    "\(head.command) is of version \(head.command.since), this session of \(sessions[slot].version)")
            }
            switch head.command {
            case .submit: try submit(frame, head, slot, now)
            case .ack, .nak, .term: try settle(frame, head, slot, now)
            case .report: try report(frame, head, slot, now)
            case .pong: try answered(frame, head, slot, now)
            case .credit: break
            case .drain: sessions[slot].isDraining = true
            case .bye: end(slot, .goodbye, now)
            case .query: try answer(frame, head, slot, now)
            case .seek: try seek(frame, head, slot, now)
            case .want: try wanted(frame, head, slot, now)
            case .prove: try prove(frame, head, slot, now)
            case .ping, .hello, .welcome, .error, .accept, .deliver, .state, .done, .space, .keys, .proof:
                throw Fault(.unknownCommand, at: .broker, "\(head.command) is not for a broker")
            }
        } catch {
            reject(route, error)
        }
        if wasFull, sessions.isLive(slot), !sessions[slot].isFull { goOn(slot, now) }
        finishStep(now)
    }

    /// A ZeroMQ message that was no single frame.
    package mutating func receiveMalformed(from route: [UInt8], _ fault: Fault) { reject(route, fault) }

    /// Tells the sender what was wrong with a whole frame. Nothing of the frame has had any effect.
    ///
    /// - Parameter version: of the frame, where it belongs to no session.
    mutating func reject(_ route: [UInt8], _ fault: Fault, version: UInt8? = nil) {
        counters.badFrames += 1
        let version = version ?? sessions.slot(route: route).map { sessions[$0].version } ?? FrameHead.oldestVersion
        let head = FrameHead(.error, version: version)
        actions.append(.send(route: route, frame: head.frame(FaultNotice(fault, at: .broker).encoded())))
        counters.framesOut += 1
        if let slot = sessions.slot(route: route) { sessions[slot].unread.sent(Self.errorCost) }
    }

    /// What an ERROR counts as: its head, its fields and a sentence.
    private static let errorCost = 512

    private mutating func submit(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let expected = sessions[slot].received + 1
        guard head.sequence == expected else {
            throw Fault(.outOfSequence, at: .broker, "message \(head.sequence) came where \(expected) was next")
        }
        let before = sessions[slot].receivedBytes
        let cost = try frame.reading { raw throws(Fault) in
            try EnvelopeFrame.decode(raw, head) { _, envelope in take(envelope, frame, raw, slot, now) }
        }
        // Envelopes that could not be read count too: the sender counted them.
        sessions[slot].receivedBytes = before + UInt64(cost)
        if sessions[slot].refused.count > limits.refusedRows {
            reject(sessions[slot].route, Fault(.creditExceeded, at: .broker, "messages far over the credit"))
            end(slot, .overCredit, now)
        }
    }

    private mutating func take(
        _ envelope: Result<EnvelopeView, Fault>, _ frame: [UInt8], _ raw: UnsafeRawBufferPointer, _ slot: Int,
        _ now: Moment
    ) {
        switch envelope {
        case .failure(let fault):
            sessions[slot].received += 1
            refuse(slot, fault.code)
        case .success(let view):
            let (isFirst, isWithinCredit) = sessions[slot].receive(view.cost)
            if isFirst { noteTouched(slot) }
            guard isWithinCredit else { return refuse(slot, .creditExceeded, retryAfter: 10) }
            // Nobody can open what is sealed with a suite that does not exist yet, or with an epoch that is not said.
            guard view.header.isSealed ? view.header.namesSeal : view.header.sealSuite == 0 else {
                return refuse(slot, .badHeader)
            }
            // Hashed once: for the proof, the ledger and the journal.
            let message = JournalBatch.Message(
                frame: frame, header: view.header.range, proof: view.proof, signedRoot: view.signedRoot,
                body: view.body,
                receivedAt: now.wall)
            guard isProven(view.header, message, raw, slot) else { return refuse(slot, .badSignature) }
            switch view.header.kind {
            case .request: acceptRequest(view, message, raw, slot, now)
            case .reply: acceptReply(view, message, raw, slot, now)
            case .event: acceptEvent(view, message, raw, slot, now)
            case .command: acceptCommand(view, message, raw, slot, now)
            case .outcome: acceptOutcome(view, message, raw, slot, now)
            case .keyEpoch, .keyWrap: acceptKey(view, message, raw, slot, now)
            }
        }
    }

    private mutating func acceptRequest(
        _ view: EnvelopeView, _ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer, _ slot: Int, _ now: Moment
    ) {
        let answer = rights.decide(
            agent: sessions[slot].agentIndex, consumer: view.header.consumer, target: view.header.target, in: raw,
            for: .request)
        let right: Rights.Right
        switch answer.decision {
        case .refused(let code):
            noteRefused(raw, view, code)
            return refuse(slot, code)
        case .allowed(let found): right = found
        }
        if let open = calls.reference(view.header.id) { return repeated(open, message, slot) }
        if isDraining { return refuse(slot, .draining, retryAfter: 1000) }
        guard view.header.isSealed || !rights.seals.covers(system: right.provider) else {
            return refuse(slot, .notSealed)
        }
        let reference = SessionReference(slot: slot, id: sessions[slot].id)
        var call = Call(
            id: view.header.id, consumer: reference, consumerAgent: sessions[slot].agentIndex,
            integration: right.integration,
            stage: right.stage, provider: right.provider,
            deadline: now.monotonic + Self.wait(for: view.header),
            acceptedAt: now.monotonic)
        call.sealsReply = rights.seals.covers(system: right.consumer)
        call.times.requestIn = now.wall
        observations.append(.attempted(integration: right.integration, at: now.wallMilliseconds))
        if view.header.remaining == 0 { return refuseCall(call, .expiredOnArrival, slot, now) }
        if !rights.hasLiveAgent(right.provider), !mayReturn(now) {
            return refuseCall(call, .noLiveProvider, slot, now)
        }
        if calls.count >= limits.calls { return refuseCall(call, .queueFull, slot, now) }
        if exceedsQuota(slot, right.integration, view.cost, now) { return }
        call.fingerprint = Self.fingerprint(message.leaf)
        call.target = answer.target
        call.consumerName = answer.consumer
        call.namesRow = answer.row
        call.envelope = OutgoingEnvelope(message)
        let deadline = call.deadline
        let open = calls.insert(call)
        deadlines.set(open, at: deadline, now: now.monotonic)
        counters.requestsAccepted += 1
        gather(message.counted(right.integration, right.stage), then: .deliver(open))
    }

    /// How long the consumer still wants the answer, microseconds.
    private static func wait(for header: HeaderView) -> Int64 {
        let wait = Int64(min(header.remaining, Limits.deadlineMilliseconds)) * 1000
        return Mutant.isOn(.deadlineCountedTwice) ? 2 * wait : wait
    }

    /// The same request again, as an agent sends it after a reconnect: it is not worked on twice, and its answer goes to the
    /// session that asked last.
    private mutating func repeated(_ open: CallReference, _ message: JournalBatch.Message, _ slot: Int) {
        guard calls[open].consumerAgent == sessions[slot].agentIndex,
            calls[open].fingerprint == Self.fingerprint(message.leaf)
        else { return refuse(slot, .idReused) }
        counters.duplicates += 1
        calls[open].consumer = SessionReference(slot: slot, id: sessions[slot].id)
        calls[open].isRepeated = true
    }

    /// A reply repeats the target of its request, and whom it names besides is right: nobody answers in another's name.
    private func repeatsNames(_ header: HeaderView, _ raw: UnsafeRawBufferPointer, of open: CallReference) -> Bool {
        let row = calls[open].namesRow
        guard rights.recent.hash(target: raw.part(header.target), row: row) == calls[open].target else { return false }
        if !header.consumer.isEmpty {
            let consumer = rights.recent.hash(consumer: raw.part(header.consumer), row: row)
            guard consumer == calls[open].consumerName else { return false }
        }
        return header.provider.isEmpty || rights.isName(raw.part(header.provider), of: calls[open].provider)
    }

    private mutating func acceptReply(
        _ view: EnvelopeView, _ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer, _ slot: Int, _ now: Moment
    ) {
        guard let open = calls.reference(view.header.correlation), calls[open].state == .delivered,
            calls[open].providerSession == SessionReference(slot: slot, id: sessions[slot].id)
        else { return refuse(slot, .noSuchRequest) }
        guard repeatsNames(view.header, raw, of: open) else { return refuse(slot, .badHeader) }
        guard view.header.isSealed || !calls[open].sealsReply else { return refuse(slot, .notSealed) }
        sessions[slot].outstanding -= 1
        let (integration, stage) = calls[open].take(OutgoingEnvelope(message), view.header.outcome, at: now.wall)
        counters.repliesAccepted += 1
        gather(message.counted(integration, stage), then: .finish(open))
    }

    /// Decided at once: the sender learns it with the next ACCEPT.
    mutating func refuse(_ slot: Int, _ code: FaultCode, retryAfter: UInt32 = 0) {
        counters.refused += 1
        let sequence = sessions[slot].received
        sessions[slot].refused.append(
            Acceptance.Refused(sequence: sequence, code: code.number, retryAfterMilliseconds: retryAfter))
        touch(slot)
        // Its sender waits for the answer: what could wait in the batch before it goes along.
        gathering.isUrgent = true
    }

    /// A planned call that cannot be taken now: it counts against its integration, and leaves a trace.
    private mutating func refuseCall(_ call: Call, _ code: FaultCode, _ slot: Int, _ now: Moment) {
        refuse(slot, code, retryAfter: code == .queueFull ? 100 : 0)
        recordEnd(of: call, code.number, at: .broker, now)
    }
}
