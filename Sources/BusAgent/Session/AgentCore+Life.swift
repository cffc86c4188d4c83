import BusDirectory
package import BusProtocol
import DequeModule

/// Opening, keeping and ending a session.
extension AgentCore {
    /// Says HELLO on a connection that has just been opened.
    package mutating func start(_ clock: ClockReading, into actions: inout [AgentAction]) {
        guard case .idle = state else { return }
        greet(clock, into: &actions)
    }

    mutating func greet(_ clock: ClockReading, into actions: inout [AgentAction]) {
        state = .greeting(until: clock.now.saturating(adding: timing.greetingTimeout))
        var hello = Hello(
            instance: identity.instance, agent: identity.agent, software: identity.software, systems: identity.systems)
        hello.bootCounter = identity.bootCounter
        hello.treeSize = receipt.treeSize
        hello.root = receipt.root
        if let held = trust.held?.snapshot {
            hello.spaceVersion = held.version
            hello.spaceDigest = held.digest.bytes
        }
        welcomeInWaiting = nil
        hello.takes = takes
        toldTakes = takes
        var head = FrameHead(.hello)
        announcedMessages = window
        head.messageLimit = announcedMessages
        head.byteLimit = timing.windowBytes
        actions.append(.send(head.frame(hello.encoded())))
    }

    mutating func open(_ welcome: Welcome, _ head: FrameHead, _ clock: ClockReading, into actions: inout [AgentAction])
    {
        guard case .greeting = state else { return }
        let told = LogReceipt(treeSize: welcome.treeSize, root: welcome.root)
        if let fault = forked(told) ?? unspoken(welcome) {
            actions.append(.notice(fault))
            return refuse(fault, into: &actions)
        }
        if let fault = withoutSpace(welcome) ?? rolledBack(welcome) { return leave(fault, clock, into: &actions) }
        guard !awaitsSpace(welcome) else {
            welcomeInWaiting = (welcome, head)
            return
        }
        begin(welcome, head, clock, into: &actions)
    }

    /// The session is open.
    mutating func begin(_ welcome: Welcome, _ head: FrameHead, _ clock: ClockReading, into actions: inout [AgentAction])
    {
        welcomeInWaiting = nil
        state = .open
        self.welcome = welcome
        session = welcome.session
        counters.sessions += 1
        backoff.reset()
        lastFault = nil
        brokerDrains = false
        lastHeard = clock.now
        nextReport = clock.now
        beginWatching(welcome, clock)
        receipt = LogReceipt(treeSize: welcome.treeSize, root: welcome.root)
        resetSession()
        grant(head)
        resubmit()
        actions.append(.welcomed(welcome))
        if isDraining { actions.append(.send(framed(.drain))) }
    }

    /// Whether the broker's log lost what this agent has a receipt for.
    func forked(_ told: LogReceipt) -> Fault? {
        let shorter = told.treeSize < receipt.treeSize
        let other = told.treeSize == receipt.treeSize && receipt.treeSize > 0 && told.root != receipt.root
        guard shorter || other else { return nil }
        return Fault(
            .logForked, at: .consumerAgent,
            "this agent has a receipt for \(receipt.treeSize) records; the broker shows \(told.treeSize)"
                + (other ? " with another root" : ""))
    }

    /// Frames of a version this agent never offered would be guesses.
    private func unspoken(_ welcome: Welcome) -> Fault? {
        guard !(FrameHead.oldestVersion...FrameHead.newestVersion).contains(welcome.version) else { return nil }
        return Fault(
            .badVersion, at: .consumerAgent,
            "the broker chose version \(welcome.version); this agent speaks \(FrameHead.oldestVersion) to "
                + "\(FrameHead.newestVersion)")
    }

    /// Numbers and credit of a session start at nothing.
    private mutating func resetSession() {
        inFlight.removeAll(keepingCapacity: true)
        firstInFlight = 1
        sentMessages = 0
        sentBytes = 0
        grantedMessages = 0
        grantedBytes = 0
        deliveredMessages = 0
        handledMessages = 0
        handledBytes = 0
        // As HELLO said: what came in earlier sessions and is still at work has its place in the window.
        oldWork = atWork
        announcedBytes = timing.windowBytes
        // Positions of an earlier session: the broker delivers those again by itself.
        acknowledged.removeAll(keepingCapacity: true)
        rejected.removeAll(keepingCapacity: true)
        terminated.removeAll(keepingCapacity: true)
        pong = nil
    }

    /// Everything that left and has not ended goes out again, in the order of its first submission.
    private mutating func resubmit() {
        let again = pending.references { $0.stage != .waiting }
        for reference in again {
            pending.setStage(.waiting, of: reference)
            if Mutant.isOn(.retryUnderNewID) { pending.rename(reference) }
            waitingBytes += pending[reference]?.cost ?? 0
        }
        waitingCount += again.count
        counters.resubmitted += UInt64(again.count)
        waiting.prepend(contentsOf: again)
    }

    /// Ends the session and waits before the next connection.
    mutating func disconnect(_ fault: Fault, _ clock: ClockReading, into actions: inout [AgentAction]) {
        welcomeInWaiting = nil
        lastFault = fault
        state = .waiting(until: clock.now.saturating(adding: backoff.next(&random)))
        actions.append(.disconnected(fault))
    }

    /// The moment the broker counts as gone.
    var silenceLimit: UInt64 {
        guard let welcome else { return .never }
        let allowed = UInt64(max(1, welcome.missedHeartbeats)) * UInt64(max(1, welcome.heartbeatMilliseconds)) * 1000
        return lastHeard.saturating(adding: allowed)
    }

    mutating func report(_ clock: ClockReading, into actions: inout [AgentAction]) {
        nextReport = clock.now.saturating(adding: UInt64(max(1, welcome?.heartbeatMilliseconds ?? 1000)) * 1000)
        watchTraffic(clock)
        let rows = reported.sorted { $0.key < $1.key }.map { key, count in
            AgentReport.Count(target: key.target, consumer: key.consumer, code: key.code, hop: key.hop, count: count)
        }
        reported.removeAll(keepingCapacity: true)
        var report = AgentReport(
            uptimeMilliseconds: (clock.now &- started) / 1000, systems: health, counts: rows)
        if hasNewTakes {
            report.takes = takes
            toldTakes = takes
        }
        actions.append(.send(framed(.report, report.encoded())))
    }

    var hasNewTakes: Bool { takes != toldTakes && (welcome?.version ?? 0) >= 2 }

    /// Counts a fault the broker cannot see; it goes out with the next REPORT.
    package mutating func count(_ fault: Fault, target: String, consumer: String) {
        let key = ReportKey(target: target, consumer: consumer, code: fault.code.number, hop: fault.hop)
        guard reported[key] != nil || reported.count < Limits.reportRows else { return }
        reported[key, default: 0] += 1
    }

    /// ERROR: a fault of the session or of a frame of ours.
    mutating func noticed(_ notice: FaultNotice, _ clock: ClockReading, into actions: inout [AgentAction]) {
        let code = FaultCode(rawValue: notice.code) ?? .badFrame
        let fault = Fault(code, at: notice.hop, notice.detail, retryAfterMilliseconds: notice.retryAfterMilliseconds)
        switch code {
        case .notGreeted, .outOfSequence:
            // While HELLO is under way, complaints about older frames mean nothing.
            guard case .open = state else { return }
            actions.append(.disconnected(fault))
            greet(clock, into: &actions)
        case .badVersion where !isGreeting:
            // Not an answer to HELLO: an older broker took over, and does not speak this session's version. Said once for every
            // frame that was on its way; on a new connection they are behind us.
            guard isOpen else { return }
            actions.append(.notice(fault))
            disconnect(fault, clock, into: &actions)
        case .logForked, .badVersion:
            actions.append(.notice(fault))
            refuse(fault, into: &actions)
        case .instanceConflict, .draining:
            actions.append(.notice(fault))
            disconnect(fault, clock, into: &actions)
        case .keyNotForSystem where isOpen:
            // The answer to a QUERY or WANT; a session that has ended for it says so with the next frame.
            actions.append(.notice(fault))
            actions.append(.inquiriesRefused(fault))
        case .unknownKey, .keyNotForSystem, .keyNotValid: leave(fault, clock, into: &actions)
        case .unknownCommand where isOpen && log.isSpoken && log.hasAsked:
            actions.append(.notice(fault))
            proofsAreUnknown(fault, into: &actions)
        case .queueFull where isOpen:
            // The answer to a QUERY, and it does not say to which.
            actions.append(.notice(fault))
            actions.append(.inquiriesRefused(fault))
        default:
            actions.append(.notice(fault))
        }
    }

    /// Only people mend this, and they may: the agent looks again, seldom.
    mutating func leave(_ fault: Fault, _ clock: ClockReading, into actions: inout [AgentAction]) {
        actions.append(.notice(fault))
        backoff.slowDown()
        disconnect(fault, clock, into: &actions)
    }

    private var isGreeting: Bool { if case .greeting = state { true } else { false } }

    /// No retry mends this: what waits, and what comes, fails with the reason.
    mutating func refuse(_ fault: Fault, into actions: inout [AgentAction]) {
        state = .refused(fault)
        lastFault = fault
        actions.append(.disconnected(fault))
        for reference in pending.references(where: { _ in true }) { finish(reference, .fault(fault), into: &actions) }
        waiting.removeAll()
        inFlight.removeAll()
    }

    /// Takes no new work from either side; `.drained` follows when everything under way has ended.
    package mutating func drain(_ clock: ClockReading, into actions: inout [AgentAction]) {
        guard !isDraining else { return }
        isDraining = true
        if isOpen {
            actions.append(.send(framed(.drain)))
            if !identity.systems.isEmpty { byeNotBefore = clock.now.saturating(adding: timing.drainGrace) }
        }
        finishDraining(clock, into: &actions)
    }

    mutating func finishDraining(_ clock: ClockReading, into actions: inout [AgentAction]) {
        guard isDraining, !saidDrained, isQuiet, !isOpen || clock.now >= byeNotBefore else { return }
        saidDrained = true
        if isOpen {
            flushSettlements(into: &actions)
            actions.append(.send(framed(.bye)))
        }
        state = .idle
        actions.append(.drained)
    }

    /// Ends at once: everything pending fails, BYE is said if there is somebody to hear it.
    package mutating func close(into actions: inout [AgentAction]) {
        let fault = Fault(.draining, at: .consumerAgent, "the agent was closed")
        for reference in pending.references(where: { _ in true }) { finish(reference, .fault(fault), into: &actions) }
        waiting.removeAll()
        inFlight.removeAll()
        if isOpen {
            flushSettlements(into: &actions)
            actions.append(.send(framed(.bye)))
        }
        isDraining = true
        saidDrained = true
        state = .idle
    }

    /// A frame without envelopes, with our credit in its head.
    mutating func framed(_ command: Command, _ fields: [UInt8] = []) -> [UInt8] { announce(command).frame(fields) }

    /// A head that announces all the credit the broker has now.
    mutating func announce(_ command: Command) -> FrameHead {
        announcedMessages = handledMessages + window
        announcedBytes = handledBytes + timing.windowBytes
        var head = FrameHead(command, version: welcome?.version ?? FrameHead.oldestVersion)
        head.messageLimit = announcedMessages
        head.byteLimit = announcedBytes
        return head
    }
}
