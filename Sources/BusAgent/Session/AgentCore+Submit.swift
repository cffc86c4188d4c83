package import BusProtocol
import DequeModule

/// The way out: queue, credit, frames, acceptance.
extension AgentCore {
    /// Takes a message to be sent. It leaves with the next `flush` that has a session and credit for it.
    package mutating func submit(_ submission: Submission, _ clock: ClockReading, into actions: inout [AgentAction]) {
        counters.submitted += 1
        if let mark = submission.answers { worked(on: mark) }
        if let fault = reasonToRefuse(submission, clock.now) {
            if submission.ticket != Submission.noTicket {
                actions.append(.completed(ticket: submission.ticket, .fault(fault)))
            }
            if let mark = submission.answers { release(mark) }
            return
        }
        waitingCount += 1
        waitingBytes += submission.cost
        let reference = pending.insert(submission)
        if submission.kind == .request { requests[submission.id] = reference }
        nextDeadline = min(nextDeadline, submission.deadline)
        waiting.append(reference)
    }

    /// Asks the broker something that is no message. Lost with the session; whoever waits for the answer has a deadline.
    /// - Returns: false when there is no session to ask in, or none that knows the command.
    package mutating func inquire(_ command: Command, _ fields: [UInt8], into actions: inout [AgentAction]) -> Bool {
        guard isOpen, (welcome?.version ?? 0) >= command.since else { return false }
        actions.append(.send(framed(command, fields)))
        return true
    }

    private func reasonToRefuse(_ submission: Submission, _ now: UInt64) -> Fault? {
        if case .refused(let fault) = state { return fault }
        guard submission.body.count <= Limits.body else {
            return Fault(
                .bodyTooLarge, at: .consumerAgent,
                "the body is \(submission.body.count) bytes, at most \(Limits.body) are possible")
        }
        // A reply is work that was taken already, bounded by the credit we gave for it.
        if submission.answers != nil {
            return saidDrained ? Fault(.draining, at: .providerAgent, "the agent was closed") : nil
        }
        // Nobody opens without it what is still to be answered.
        if submission.isKey { return nil }
        if isDraining { return Fault(.draining, at: .consumerAgent, "this agent is draining and takes no new work") }
        if brokerDrains, identity.isGuest, isOpen, submission.isUnknownWork { return brokerTakesNothing }
        guard waitingCount < timing.waitingMessages, waitingBytes + submission.cost <= timing.waitingBytes else {
            return Fault(
                .queueFull, at: .consumerAgent,
                "\(waitingCount) messages wait in this agent for the broker; \(timing.waitingMessages) messages or "
                    + "\(timing.waitingBytes) bytes are the limit", retryAfterMilliseconds: 100)
        }
        return nil
    }

    /// Writes everything that may leave now: settlements, envelopes within the credit, and credit of ours.
    package mutating func flush(_ clock: ClockReading, into actions: inout [AgentAction]) {
        guard isOpen else { return }
        if hasNewTakes { report(clock, into: &actions) }
        flushSettlements(into: &actions)
        if let token = pong {
            pong = nil
            actions.append(.send(framed(.pong, Heartbeat.encode(token))))
        }
        while gatherOutgoing() {
            signOutgoing(clock.wall)
            sendOutgoing(into: &actions)
        }
        if creditIsDue { actions.append(.send(framed(.credit))) }
    }

    /// Credit travels in every frame; a frame of its own is due when a quarter of the window is unannounced.
    private var creditIsDue: Bool {
        handledMessages + window - announcedMessages >= max(1, timing.windowMessages / 4)
            || handledBytes + timing.windowBytes - announcedBytes >= max(1, timing.windowBytes / 4)
    }

    /// Whether so much waits that it should leave at once, though more may come in this round: a third of what is under way. What
    /// went around in one piece would keep the broker and the other agents idle meanwhile; smaller pieces cost more signatures.
    package var hasBurst: Bool {
        // Changes nothing: a question that only reads would copy the whole core out of the loop's class first.
        mutating get {
            isOpen && !brokerDrains && sentMessages < grantedMessages
                && waitingCount >= min(max(timing.burst, (pending.count + atWork) / 3), timing.signedTogether)
        }
    }

    /// Takes what may leave now out of the queue, to be signed together.
    private mutating func gatherOutgoing() -> Bool {
        outgoing.removeAll(keepingCapacity: true)
        // New work that waits for the end of the broker's draining is stepped over; there is none otherwise.
        var next = 0
        while next < waiting.count, outgoing.count < timing.signedTogether {
            let reference = waiting[next]
            guard let submission = pending[reference] else {
                takeOut(next)
                continue
            }
            // A tool asks a draining broker whether it has what was sent before.
            if brokerDrains, identity.isGuest ? submission.isUnknownWork : submission.isNewWork {
                next += 1
                continue
            }
            let cost = submission.cost
            guard sentMessages < grantedMessages, sentBytes + UInt64(cost) <= grantedBytes else { break }
            takeOut(next)
            waitingCount -= 1
            waitingBytes -= cost
            sentMessages += 1
            sentBytes += UInt64(cost)
            if let mark = submission.answers { release(mark, of: reference) }
            pending.leaves(reference)
            inFlight.append(reference)
            outgoing.append(OutgoingEnvelope(header: submission.header[...], body: submission.body[...]))
        }
        return !outgoing.isEmpty
    }

    /// Of the queue mostly the first, which goes without a move of others.
    private mutating func takeOut(_ place: Int) {
        guard place > 0 else {
            waiting.removeFirst()
            return
        }
        waiting.remove(at: place)
    }

    private mutating func sendOutgoing(into actions: inout [AgentAction]) {
        let first = sentMessages + 1 - UInt64(outgoing.count)
        var next = outgoing.startIndex
        while next < outgoing.endIndex {
            var (end, bytes) = (next, 0)
            while end < outgoing.endIndex, bytes < Limits.frameTarget {
                bytes += outgoing[end].cost
                end += 1
            }
            var head = announce(.submit)
            head.sequence = first + UInt64(next)
            actions.append(.send(EnvelopeFrame.encode(head, outgoing[next..<end])))
            next = end
        }
    }

    private mutating func release(_ mark: DeliveryMark, of reference: PendingTable.Reference) {
        pending.clearMark(of: reference)
        release(mark)
    }

    /// Takes the other side's limits; they only ever rise within a session.
    mutating func grant(_ head: FrameHead) {
        grantedMessages = max(grantedMessages, head.messageLimit)
        grantedBytes = max(grantedBytes, head.byteLimit)
    }

    /// ACCEPT: everything up to its sequence is durable or refused.
    mutating func accepted(_ acceptance: Acceptance, into actions: inout [AgentAction]) {
        guard acceptance.sequence <= sentMessages else {
            counters.badFrames += 1
            return
        }
        let told = LogReceipt(treeSize: acceptance.treeSize, root: acceptance.root)
        if let fault = forked(told) {
            actions.append(.notice(fault))
            return refuse(fault, into: &actions)
        }
        receipt = told
        log.accepted(told, &random)
        var refusals = acceptance.refused[...]
        while firstInFlight <= acceptance.sequence, let reference = inFlight.popFirst() {
            let sequence = firstInFlight
            firstInFlight += 1
            while let refusal = refusals.first, refusal.sequence < sequence { refusals.removeFirst() }
            if let refusal = refusals.first, refusal.sequence == sequence {
                refused(reference, refusal, into: &actions)
            } else {
                durable(reference, into: &actions)
            }
        }
    }

    private mutating func durable(_ reference: PendingTable.Reference, into actions: inout [AgentAction]) {
        // Most are requests, of which no more than the kind is needed here.
        if pending.kind(of: reference) == .request { return pending.setStage(.accepted, of: reference) }
        if let submission = pending[reference] {
            finish(reference, .accepted(submission.id, receipt), into: &actions)
        }
    }

    private mutating func refused(
        _ reference: PendingTable.Reference, _ refusal: Acceptance.Refused, into actions: inout [AgentAction]
    ) {
        guard let submission = pending[reference] else { return }
        if submission.kind == .reply { counters.refusedReplies += 1 }
        let code = FaultCode(rawValue: refusal.code) ?? .badHeader
        let fault = Fault(code, at: refusal.hop, retryAfterMilliseconds: refusal.retryAfterMilliseconds)
        finish(reference, .fault(fault), into: &actions)
    }

    /// Ends a submission. The only place that emits `.completed` for what is in the table.
    mutating func finish(
        _ reference: PendingTable.Reference, _ completion: Completion, into actions: inout [AgentAction]
    ) {
        guard let (submission, stage) = pending.remove(reference) else { return }
        if stage == .waiting {
            waitingCount -= 1
            waitingBytes -= submission.cost
        }
        if let mark = submission.answers { release(mark) }
        if submission.kind == .request { requests[submission.id] = nil }
        if submission.ticket != Submission.noTicket {
            actions.append(.completed(ticket: submission.ticket, completion))
        }
    }

    /// The caller no longer wants an answer.
    package mutating func cancel(ticket: UInt64, into actions: inout [AgentAction]) {
        let fault = Fault(.deadlinePassed, at: .consumerAgent, "the caller's task was cancelled before an answer came")
        for reference in pending.references(where: { $0.ticket == ticket }) {
            finish(reference, .fault(fault), into: &actions)
        }
    }

    /// Ends what is past its deadline and finds the next one. Runs once per deadline reached, not per message.
    mutating func expire(_ now: UInt64, into actions: inout [AgentAction]) {
        nextDeadline = .never
        var passed: [PendingTable.Reference] = []
        for index in pending.slots.indices {
            let slot = pending.slots[index]
            guard slot.serial != 0, slot.deadline != .never else { continue }
            let end = slot.deadline.saturating(adding: slot.stage == .waiting ? 0 : timing.deadlineGrace)
            if end <= now {
                passed.append(PendingTable.Reference(index: index, serial: slot.serial))
            } else {
                nextDeadline = min(nextDeadline, end)
            }
        }
        for reference in passed { finish(reference, .fault(lateness(of: reference)), into: &actions) }
        // Without a session nothing takes ended references out of the queue.
        if waiting.count > 2 * waitingCount + 64 { waiting.removeAll { !pending.lives($0) } }
    }

    private var brokerTakesNothing: Fault {
        Fault(.draining, at: .broker, "the broker said that it takes no new work")
    }

    /// New work waits for the next broker; a tool's user does not.
    mutating func brokerDrained(into actions: inout [AgentAction]) {
        brokerDrains = true
        guard identity.isGuest, isOpen else { return }
        for reference in waiting where pending[reference]?.isUnknownWork ?? false {
            finish(reference, .fault(brokerTakesNothing), into: &actions)
        }
    }

    private func lateness(of reference: PendingTable.Reference) -> Fault {
        if !isOpen, pending.stage(of: reference) == .waiting || welcome == nil {
            let why = lastFault.map { "; the last reason: \($0.code.name)" } ?? ""
            return Fault(
                .brokerUnreachable, at: .consumerAgent,
                "there was no connection to the broker before the deadline\(why)")
        }
        if brokerDrains, pending.stage(of: reference) == .waiting, pending[reference]?.isUnknownWork ?? false {
            return brokerTakesNothing
        }
        return Fault(.deadlinePassed, at: .consumerAgent)
    }
}
