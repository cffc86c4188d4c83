import BusProtocol

/// The way in: frames, deliveries, replies, settlements.
extension AgentCore {
    /// Takes one frame of the broker.
    package mutating func receive(_ frame: [UInt8], _ clock: ClockReading, into actions: inout [AgentAction]) {
        if case .idle = state { return }
        if case .refused = state { return }
        lastHeard = clock.now
        do throws(Fault) {
            let result: Result<Void, Fault> = frame.withUnsafeBytes { raw in
                do throws(Fault) {
                    return .success(try take(frame, raw, clock, into: &actions))
                } catch { return .failure(error) }
            }
            try result.get()
        } catch {
            counters.badFrames += 1
            actions.append(.notice(error))
        }
        finishDraining(clock, into: &actions)
    }

    private mutating func take(
        _ frame: [UInt8], _ raw: UnsafeRawBufferPointer, _ clock: ClockReading, into actions: inout [AgentAction]
    ) throws(Fault) {
        let head = try FrameHead(raw)
        // Limits of an earlier session mean nothing while HELLO is under way.
        if isOpen { grant(head) }
        var fields = head.fields(of: raw)
        switch head.command {
        case .welcome: open(try Welcome(&fields), head, clock, into: &actions)
        case .error: noticed(try FaultNotice(&fields), clock, into: &actions)
        case .accept: if isOpen { accepted(try Acceptance(&fields), into: &actions) }
        case .deliver: try delivered(frame, raw, head, clock, into: &actions)
        case .ping: pong = try Heartbeat.decode(&fields)
        case .drain: brokerDrained(into: &actions)
        case .bye:
            if isOpen {
                disconnect(Fault(.draining, at: .broker, "the broker said BYE"), clock, into: &actions)
            }
        case .credit, .pong: break
        case .state:
            let answer = try StateAnswer(&fields, version: head.version)
            actions.append(.inquired(token: answer.token, .state(answer)))
        case .done:
            let answer = try Done(&fields)
            actions.append(.inquired(token: answer.token, .done(answer)))
        case .space: offered(try SpaceFrame(&fields), clock, into: &actions)
        case .keys: actions.append(.keys(try KeyAnswer(&fields)))
        case .want: actions.append(.wanted(try KeyWish(&fields)))
        case .proof: proven(try LogAnswer(&fields), clock, into: &actions)
        case .query, .seek, .prove, .hello, .submit, .ack, .nak, .term, .report:
            throw Fault(.unknownCommand, at: .consumerAgent, "a broker does not send \(head.command)")
        }
    }

    private mutating func delivered(
        _ frame: [UInt8], _ raw: UnsafeRawBufferPointer, _ head: FrameHead, _ clock: ClockReading,
        into actions: inout [AgentAction]
    ) throws(Fault) {
        if isOpen {
            let expected = deliveredMessages + 1
            guard head.sequence == expected else {
                counters.badFrames += 1
                // Older numbers are a repetition of what was taken. A jump means something was lost on the way.
                if head.sequence > expected { startAnew(head.sequence, expected, clock, into: &actions) }
                return
            }
            deliveredMessages += UInt64(head.count)
        }
        try EnvelopeFrame.decode(raw, head) { _, result in
            switch result {
            case .success(let envelope): deliver(envelope, frame, raw, clock, into: &actions)
            case .failure(let fault):
                counters.badFrames += 1
                handledMessages += 1
                actions.append(.notice(fault))
            }
        }
    }

    private mutating func startAnew(
        _ got: UInt64, _ expected: UInt64, _ clock: ClockReading, into actions: inout [AgentAction]
    ) {
        let fault = Fault(.outOfSequence, at: .consumerAgent, "delivery \(got) came where \(expected) was due")
        actions.append(.notice(fault))
        actions.append(.disconnected(fault))
        greet(clock, into: &actions)
    }

    private mutating func deliver(
        _ envelope: EnvelopeView, _ frame: [UInt8], _ raw: UnsafeRawBufferPointer, _ clock: ClockReading,
        into actions: inout [AgentAction]
    ) {
        let annotations = Self.annotations(envelope, raw)
        let verdict = senders?.judge(envelope, raw, at: clock.wall) ?? .init()
        let refusal = verdict.refusal ?? misdelivery(envelope.header, raw) ?? plan?.refusal(of: envelope.header, raw)
        if let refusal { noteRefusal(refusal, into: &actions) }
        if envelope.header.kind == .reply {
            // A reply counts whatever the session: its request may have been asked in an earlier one.
            if isOpen { release(DeliveryMark(session: session, cost: envelope.cost)) }
            // A forged answer ends nothing: the right one may still come.
            if refusal == nil {
                replied(envelope, frame, raw, annotations, isProven: verdict.isProven, into: &actions)
            }
            return
        }
        guard isOpen else { return }
        let mark = DeliveryMark(session: session, cost: envelope.cost)
        // Not even a fault is said to it: whoever asked has had his answer.
        if refusal == nil, verdict.isProven, let leaf = verdict.leaf, let again = repetition(of: envelope, raw, leaf) {
            noteRefusal(again, into: &actions)
            return release(mark)
        }
        counters.delivered += 1
        atWork += 1
        actions.append(
            .deliver(
                Delivery(
                    frame: frame, envelope: envelope, annotations: annotations, mark: mark, arrived: clock.now,
                    leaf: verdict.leaf, refusal: refusal)))
    }

    private mutating func noteRefusal(_ refusal: Fault, into actions: inout [AgentAction]) {
        if refusal.code == .badSignature { counters.badProofs += 1 } else { counters.misused += 1 }
        actions.append(.notice(refusal))
    }

    private static func annotations(_ envelope: EnvelopeView, _ raw: UnsafeRawBufferPointer) -> Annotations {
        guard envelope.annotations.count == Annotations.size else { return Annotations() }
        var reader = ByteReader(raw, from: envelope.annotations.lowerBound, to: envelope.annotations.upperBound)
        return (try? Annotations(&reader)) ?? Annotations()
    }

    private mutating func replied(
        _ envelope: EnvelopeView, _ frame: [UInt8], _ raw: UnsafeRawBufferPointer, _ annotations: Annotations,
        isProven: Bool, into actions: inout [AgentAction]
    ) {
        guard let reference = requests[envelope.header.correlation] else {
            counters.strayReplies += 1
            return
        }
        guard answers(envelope, raw, reference, isProven: isProven) else {
            counters.badProofs += 1
            let fault = Fault(.badSignature, at: .broker, "the reply is signed for another request than the one asked")
            return actions.append(.notice(fault))
        }
        counters.replies += 1
        let reply = ReceivedReply(
            frame: frame, header: envelope.header, body: envelope.body, annotations: annotations)
        finish(reference, .answer(reply), into: &actions)
    }

    /// A delivered command or event has been dealt with.
    package mutating func settle(_ delivery: Delivery, _ settled: Settled) {
        worked(on: delivery.mark)
        guard delivery.mark.session == session, isOpen else {
            // The session it came in is over; the broker delivers it again by itself.
            return
        }
        let position = delivery.annotations.position
        switch settled {
        case .handled: acknowledged.append(Settlement.Row(position: position))
        case .again(let delay, let why):
            rejected.append(Settlement.Row(position: position, delayMilliseconds: delay, code: why))
        case .never(let code): terminated.append(Settlement.Row(position: position, code: code.number))
        }
        release(delivery.mark)
    }

    /// A delivered request gets no answer from here: there is none that may be sent.
    package mutating func abandon(_ delivery: Delivery) {
        worked(on: delivery.mark)
        release(delivery.mark)
    }

    /// A delivery is no longer at work here.
    mutating func worked(on mark: DeliveryMark) {
        atWork -= 1
        // Between sessions the next one will count what is left.
        if isOpen, mark.session != session { oldWork = max(0, oldWork - 1) }
    }

    /// Deliveries this agent has room for beside what came in earlier sessions; the broker delivers that again, and both copies wait.
    var window: UInt64 {
        let old = isOpen ? oldWork : atWork
        return timing.windowMessages - min(UInt64(max(0, old)), timing.windowMessages - 1)
    }

    /// Gives the credit of a handled delivery back, if its session still runs.
    mutating func release(_ mark: DeliveryMark) {
        guard mark.session == session else { return }
        handledMessages += Mutant.isOn(.creditReturnedTwice) ? 2 : 1
        handledBytes += UInt64(mark.cost)
    }

    mutating func flushSettlements(into actions: inout [AgentAction]) {
        if !acknowledged.isEmpty { actions.append(.send(framed(.ack, Settlement(acknowledged).encoded()))) }
        if !rejected.isEmpty { actions.append(.send(framed(.nak, Settlement(rejected).encoded()))) }
        if !terminated.isEmpty { actions.append(.send(framed(.term, Settlement(terminated).encoded()))) }
        acknowledged.removeAll(keepingCapacity: true)
        rejected.removeAll(keepingCapacity: true)
        terminated.removeAll(keepingCapacity: true)
    }
}
