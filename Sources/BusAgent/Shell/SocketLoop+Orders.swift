import BusDirectory
import BusProtocol
import Logging
import Synchronization
import ZeroMQ

/// Orders of other threads, and the ends of their submissions.
extension SocketLoop {
    func execute(_ order: Order) {
        switch order {
        case .ask(let ask): submit(ask)
        case .submit(let order): submit(order)
        case .query(let commands, let consumer, let order): query(commands, consumer, order)
        case .seek(let event, let start, let system, let order): seek(event, start, system, order)
        case .prove(let receipt, let order): prove(receipt, order)
        case .reply(let delivery, let route, let result, let subject): reply(delivery, route, result, about: subject)
        case .settle(let delivery, let settled, let fault): settle(delivery, settled, fault)
        case .cancel(let call):
            if let ticket = waiters.ticket(ofCall: call) {
                core.cancel(ticket: ticket, into: &actions)
                // Its answer may be here and wait for a key.
                if waiters.system(ticket) != nil { refuse(ticket, BusFault(.deadlinePassed, at: .consumerAgent)) }
            }
        case .register(let handler):
            handlers.removeAll { $0.kind == handler.kind && $0.name == handler.name }
            handlers.append(handler)
            lastHandler = 0
            if handler.kind == .outcome { orderedHere.remove(handler.route.name) }
            core.takes = taken()
        case .count(let fault, let target, let consumer): core.count(fault, target: target, consumer: consumer)
        case .orderSecret(let provider, let consumer, let within, let continuation):
            let until = clock.now.saturating(adding: within)
            wantOrderSecret(of: provider, as: consumer, continuation.map { (until, $0) })
        case .health(let rows): report(rows)
        case .start:
            if let fork = memory.foundFork {
                core.refuse(fork, into: &actions)
            } else {
                core.start(clock, into: &actions)
            }
        case .awaitOpen(let within, let continuation): awaitOpen(within, continuation)
        case .drain(let within, let continuation): drain(within, continuation)
        case .close(let continuation):
            if let continuation { closeWaiters.append(continuation) }
            isClosing = true
        }
    }

    /// What there are handlers for, and outcomes of commands that were sent from here without one: their senders ask for the state.
    func taken() -> Takes {
        let rows = handlers.map { Takes.Row($0.kind, $0.route.name) }
        return Takes(orderedHere.isEmpty ? rows : rows + [Takes.Row(.outcome)])
    }

    /// Who sent no command of a service takes no outcome of it: another agent of the system may have the handler, and be away.
    private func noteOrdered(_ service: String) {
        guard !configuration.isGuest, !orderedHere.contains(service),
            !handlers.contains(where: { $0.kind == .outcome && $0.route.name == service })
        else { return }
        orderedHere.insert(service)
        core.takes = taken()
    }

    private func submit(_ order: SubmitOrder) {
        let message = order.message
        if let service = order.ordered { noteOrdered(service) }
        announce(message.keys)
        var submission = Submission(
            kind: message.kind, id: message.id, header: message.header, body: message.body,
            deadline: clock.now.saturating(adding: order.within),
            ticket: waiters.add(
                .publish(order.continuation, SentBytes(header: message.header, body: message.body)), call: order.call))
        submission.mayBeKnown = message.mayBeKnown
        core.submit(submission, clock, into: &actions)
    }

    // MARK: - Inquiries

    private func inquire(_ command: Command, _ order: InquiryOrder, _ fields: (UInt64) -> [UInt8]) {
        nextToken += 1
        guard core.inquire(command, fields(nextToken), into: &actions) else {
            let fault =
                core.isOpen
                ? BusFault(.badVersion, at: .broker, "this broker speaks no version with \(command)")
                : BusFault(.brokerUnreachable, at: .consumerAgent)
            return order.continuation.resume(returning: .failure(fault))
        }
        inquiries[nextToken] = (clock.now.saturating(adding: order.within), order.continuation)
    }

    private func query(_ commands: [MessageID], _ consumer: String, _ order: InquiryOrder) {
        inquire(.query, order) { StateQuery(token: $0, consumer: consumer, commands: commands).encoded() }
    }

    private func seek(_ event: String, _ start: ReplayStart, _ system: String, _ order: InquiryOrder) {
        inquire(.seek, order) { token in
            switch start {
            case .beginning: Seek(token: token, start: .beginning, system: system, event: event).encoded()
            case .position(let value):
                Seek(token: token, start: .position, value: value, system: system, event: event).encoded()
            case .time(let value):
                Seek(
                    token: token, start: .time, value: UInt64(clamping: value), system: system, event: event
                ).encoded()
            }
        }
    }

    func inquired(_ token: UInt64, _ answer: InquiryAnswer) {
        if case .proof(let result) = answer { return proven(token, result) }
        guard inquiries[token] != nil else { return }
        var answer = answer
        if case .state(let state) = answer {
            guard let opened = opened(token, state) else { return }
            answer = .state(opened)
        }
        inquiries.removeValue(forKey: token)?.continuation.resume(returning: .success(answer))
    }

    private func expireInquiries() {
        guard !inquiries.isEmpty else { return }
        for (token, inquiry) in inquiries where inquiry.until <= clock.now {
            inquiries[token] = nil
            inquiry.continuation.resume(returning: .failure(BusFault(.deadlinePassed, at: .broker)))
        }
    }

    func endInquiries(_ fault: BusFault) {
        for inquiry in inquiries.values { inquiry.continuation.resume(returning: .failure(fault)) }
        inquiries = [:]
    }

    func complete(_ ticket: UInt64, _ completion: Completion) {
        if case .answer(let reply) = completion, let system = waiters.system(ticket) {
            switch opened(reply, ticket, of: system) {
            case nil: return
            case .failure(let fault): return refuse(ticket, fault)
            case .success(let reply): return answer(ticket, reply)
            }
        }
        end(ticket, completion)
    }

    private func answer(_ ticket: UInt64, _ reply: ReceivedReply) {
        guard case .ask(let continuation, let id, _) = waiters.take(ticket) else { return }
        // The core finds the request by this id; one person's data must not reach who asked about another.
        guard reply.request == id else {
            return continuation.resume(returning: .failure(BusFault(.badFrame, at: .consumerAgent).about(id)))
        }
        continuation.resume(returning: .success(reply))
    }

    func refuse(_ ticket: UInt64, _ fault: BusFault) {
        guard case .ask(let continuation, let id, _) = waiters.take(ticket) else { return }
        continuation.resume(returning: .failure(fault.about(id)))
    }

    private func end(_ ticket: UInt64, _ completion: Completion) {
        switch (waiters.take(ticket), completion) {
        case (.key(let key), let completion):
            onTheirWay.remove(key.name)
            if case .fault(let fault) = completion { notTaken(key, fault) }
        case (.publish(let continuation, let message), .accepted(let id, let log)):
            continuation.resume(returning: .success(Receipt(messageID: id, log: log, message: message)))
        case (.ask(let continuation, let id, _), .fault(let fault)):
            continuation.resume(returning: .failure(BusFault(fault).about(id)))
        case (.publish(let continuation, _), .fault(let fault)):
            continuation.resume(returning: .failure(BusFault(fault)))
        // Kinds are told apart in the core; these two only keep every continuation's end in sight.
        case (.ask(let continuation, _, _), .accepted), (.ask(let continuation, _, _), .answer):
            continuation.resume(returning: .failure(BusFault(.badFrame, at: .broker)))
        case (.publish(let continuation, _), .answer):
            continuation.resume(returning: .failure(BusFault(.badFrame, at: .broker)))
        case (nil, _): break
        }
    }

    private func report(_ rows: [AgentReport.SystemHealth]) {
        for row in rows {
            if let index = core.health.firstIndex(where: { $0.system == row.system }) { core.health[index] = row }
        }
    }

    // MARK: - Opening, draining

    private func awaitOpen(_ within: UInt64, _ continuation: OpenContinuation) {
        if core.isOpen { return continuation.resume(returning: .success(())) }
        // Nothing will open any more.
        if case .refused(let fault) = core.state { return continuation.resume(returning: .failure(BusFault(fault))) }
        openWaiters.append((clock.now.saturating(adding: within), continuation))
    }

    func opened(_ welcome: Welcome) {
        // A broker of before sends no space, and knows no seals.
        if core.directory != nil || welcome.version < Command.space.since { sealer.use(core.directory) }
        configuration.logger.info(
            "connected", metadata: ["broker": "\(welcome.name.plain(atMost: 300))", "session": "\(welcome.session)"])
        for waiter in openWaiters { waiter.continuation.resume(returning: .success(())) }
        openWaiters = []
        shared.status.withLock { $0.isConnected = true }
    }

    func remember(_ space: SignedSpace) {
        shared.terms.take(space.snapshot.space)
        // What nobody signed is worth no memory.
        if core.trust.authority != nil { spaceMemory.write(space) }
        configuration.logger.info("the space was taken", metadata: ["version": "\(space.snapshot.version)"])
        shared.status.withLock { $0.spaceVersion = space.snapshot.version }
        sealer.use(core.directory)
    }

    func disconnected(_ fault: Fault) {
        endInquiries(BusFault(fault))
        endProofs(BusFault(fault))
        let wasConnected = shared.status.withLock { status in
            defer { status.isConnected = false }
            return status.isConnected
        }
        // Once for a loss; the attempts that follow are told only to who looks for them.
        configuration.logger.log(level: wasConnected ? .notice : .debug, "disconnected", metadata: fault.metadata)
        // Waiting would not help: the reason is one that only people mend.
        let isFinal = Self.final.contains(fault.code)
        guard isFinal else { return }
        for waiter in openWaiters { waiter.continuation.resume(returning: .failure(BusFault(fault))) }
        openWaiters = []
    }

    private static let final: Set<FaultCode> = [
        .logForked, .badVersion, .unknownKey, .keyNotForSystem, .keyNotValid, .spaceRefused,
    ]

    private func drain(_ within: UInt64, _ continuation: VoidContinuation) {
        drainWaiters.append(continuation)
        drainUntil = min(drainUntil, clock.now.saturating(adding: within))
        core.drain(clock, into: &actions)
    }

    func drained() {
        drainUntil = .never
        for waiter in drainWaiters { waiter.resume() }
        drainWaiters = []
    }

    /// Ends waits whose time is over.
    func expireWaits() {
        if clock.now >= drainUntil {
            configuration.logger.warning(
                "drain ended with work under way", metadata: ["pending": "\(core.pendingCount)"])
            drained()
        }
        expireInquiries()
        expireProofs()
        guard openWaiters.contains(where: { $0.until <= clock.now }) else { return }
        let reason = core.lastFault ?? Fault(.brokerUnreachable, at: .consumerAgent)
        let fault = BusFault(
            number: reason.code.number, at: reason.hop,
            "no session with \(configuration.broker): "
                + (reason.detail.isEmpty ? "nobody answered there with the expected key" : reason.detail))
        for waiter in openWaiters where waiter.until <= clock.now {
            waiter.continuation.resume(returning: .failure(fault))
        }
        openWaiters.removeAll { $0.until <= clock.now }
    }

    func saveReceipt() {
        guard clock.now >= nextSave else { return }
        nextSave = clock.now.saturating(adding: AgentMemory.interval)
        // What no proof has joined to the receipt before must not take its place: it would be forgotten with this process.
        if core.mayKeepReceipt { memory.save(core.receipt) }
        shared.status.withLock {
            $0.counters = core.counters
            $0.pending = core.pendingCount
        }
    }

    // MARK: - The end

    /// Ends every wait, here and in the queues; after this nobody waits for this thread.
    func finish() {
        if core.mayKeepReceipt { memory.save(core.receipt) }
        core.close(into: &actions)
        endPending()
        let closed = BusFault(.draining, at: .consumerAgent, "the agent was closed")
        endInquiries(closed)
        endProofs(closed)
        // Deliveries come again, to another session; states ended with the inquiries.
        for case .reply(let ticket, _) in waiting.takeAll() { refuse(ticket, closed) }
        for wait in orderWaits { wait.continuation.resume(returning: .failure(closed)) }
        orderWaits = []
        for order in shared.inbox.close() { order.end(with: closed, close: &closeWaiters) }
        for waiter in openWaiters { waiter.continuation.resume(returning: .failure(closed)) }
        openWaiters = []
        drained()
        shared.status.withLock {
            $0.isConnected = false
            $0.isClosed = true
            $0.counters = core.counters
        }
        shared.owner.clear()
        shared.executor.close()
    }
}

extension Order {
    /// Ends an order that will not be executed.
    func end(with fault: BusFault, close: inout [VoidContinuation]) {
        switch self {
        case .ask(let ask): ask.continuation.resume(returning: .failure(fault))
        case .submit(let order): order.continuation.resume(returning: .failure(fault))
        case .query(_, _, let order): order.continuation.resume(returning: .failure(fault))
        case .seek(_, _, _, let order): order.continuation.resume(returning: .failure(fault))
        case .prove(_, let order): order.continuation.resume(returning: .failure(fault))
        case .awaitOpen(_, let continuation): continuation.resume(returning: .failure(fault))
        case .orderSecret(_, _, _, let continuation): continuation?.resume(returning: .failure(fault))
        case .drain(_, let continuation): continuation.resume()
        case .close(let continuation): if let continuation { close.append(continuation) }
        case .reply, .settle, .cancel, .register, .count, .health, .start: break
        }
    }
}

extension Fault {
    var metadata: Logger.Metadata {
        [
            "code": "\(code.number)", "name": "\(code.name)", "hop": "\(hop.name)",
            // It may be the broker's, and the log is what tells of a broker that lies.
            "detail": "\(detail.plain(atMost: 300))",
        ]
    }
}
