import BusProtocol
import Logging

/// Deliveries to handlers, and their answers.
extension SocketLoop {
    /// An event nobody here handles is offered again after this long, milliseconds: to another agent, or to a later version.
    static let unhandledDelay: UInt32 = 30_000

    func deliver(_ delivery: Delivery) {
        if let refusal = delivery.refusal { return turnAway(delivery, refusal.code) }
        guard let delivery = opened(delivery) else { return }
        guard let handler = handler(for: delivery) else { return undeliverable(delivery) }
        switch handler.work {
        case .inline(let body): answerNow(delivery, handler.route, body)
        case .task(let body):
            let inquiry = inquiry(delivery, handler.route)
            Self.startAnswer(inquiry, Responder(inbox: shared.inbox, inquiry: inquiry, route: handler.route), body)
        case .deferred(let body):
            let inquiry = inquiry(delivery, handler.route)
            body(inquiry, Responder(inbox: shared.inbox, inquiry: inquiry, route: handler.route))
        case .event(let body):
            let settler = Settler(inbox: shared.inbox, delivery: delivery)
            let event = BusEvent(event: handler.route.name, body: delivery.body, delivery: delivery)
            Self.startHandling(event, handler.route.contract, settler, body)
        case .deferredEvent(let body):
            let event = BusEvent(event: handler.route.name, body: delivery.body, delivery: delivery)
            body(event, Settler(inbox: shared.inbox, delivery: delivery))
        case .deferredCommand(let body): body(command(delivery, handler.route), settler(delivery))
        case .outcome(let body): Self.startOutcome(outcome(delivery, handler.route), settler(delivery), body)
        case .deferredOutcome(let body): body(outcome(delivery, handler.route), settler(delivery))
        }
    }

    /// Nobody acts on it: a request is answered with the reason, all else becomes a dead letter.
    func turnAway(_ delivery: Delivery, _ code: FaultCode) {
        guard delivery.envelope.header.kind == .request else { return core.settle(delivery, .never(code)) }
        let target = delivery.header?.target ?? ""
        reply(
            delivery, ReplyRoute(target, contract: nil, bindsRequest: core.signer != nil),
            .failure(BusFault(code, at: .providerAgent)))
    }

    /// The broker is told that it was not taken, and the log of this agent why.
    func settle(_ delivery: Delivery, _ settled: Settled, _ fault: BusFault?) {
        core.settle(delivery, settled)
        guard let fault else { return }
        faultLog.tell(
            notTaken: fault, delivery.header?.target ?? "", delivery.envelope.header.id, at: clock.now,
            configuration.logger)
    }

    private func settler(_ delivery: Delivery) -> Settler { Settler(inbox: shared.inbox, delivery: delivery) }

    private func command(_ delivery: Delivery, _ route: ReplyRoute) -> BusCommand {
        BusCommand(service: route.name, body: delivery.body, delivery: delivery, contract: route.contract)
    }

    private func outcome(_ delivery: Delivery, _ route: ReplyRoute) -> CommandOutcome {
        CommandOutcome(
            service: route.name, command: delivery.envelope.header.correlation.description, body: delivery.body,
            delivery: delivery)
    }

    /// Most agents serve few names, and messages come in runs of one name: compare bytes, make no strings.
    private func handler(for delivery: Delivery) -> Handler? {
        let kind = delivery.envelope.header.kind
        if lastHandler < handlers.count {
            let last = handlers[lastHandler]
            if last.kind == kind, delivery.isFor(last.name) { return last }
        }
        guard let index = handlers.firstIndex(where: { $0.kind == kind && delivery.isFor($0.name) }) else {
            return nil
        }
        lastHandler = index
        return handlers[index]
    }

    private func undeliverable(_ delivery: Delivery) {
        let target = delivery.header?.target ?? ""
        // Nobody here waits for it: its sender asks for the state.
        if delivery.envelope.header.kind == .outcome, orderedHere.contains(target) {
            return core.settle(delivery, .handled)
        }
        if configuration.isGuest, delivery.envelope.header.kind != .request {
            return core.settle(delivery, .again(Self.unhandledDelay, why: FaultCode.providerFault.number))
        }
        configuration.logger.warning("no handler", metadata: ["target": "\(target)"])
        guard delivery.envelope.header.kind == .request else {
            return core.settle(delivery, .again(Self.unhandledDelay, why: FaultCode.providerFault.number))
        }
        let fault = BusFault(
            .providerFault, at: .providerAgent, "agent \(configuration.name) has no handler for \(target)")
        reply(delivery, ReplyRoute(target, contract: nil, bindsRequest: core.signer != nil), .failure(fault))
    }

    private func inquiry(_ delivery: Delivery, _ route: ReplyRoute) -> Inquiry {
        Inquiry(service: route.name, body: delivery.body, delivery: delivery, contract: route.contract)
    }

    private func answerNow(
        _ delivery: Delivery, _ route: ReplyRoute, _ body: @Sendable (Inquiry) throws -> [UInt8]
    ) {
        let inquiry = inquiry(delivery, route)
        let result = Result<[UInt8], any Error> {
            try inquiry.check()
            return try body(inquiry)
        }
        let checked = Responder.checked(result, route.contract)
        reply(delivery, route, checked, about: route.subjects?.mark(inquiry, checked))
    }

    private static func startAnswer(
        _ inquiry: Inquiry, _ responder: Responder, _ body: @escaping @Sendable (Inquiry) async throws -> [UInt8]
    ) {
        Task { await answer(inquiry, responder, body) }
    }

    private static func startHandling(
        _ event: BusEvent, _ contract: BoundContract?, _ settler: Settler,
        _ body: @escaping @Sendable (BusEvent) async throws -> Void
    ) {
        Task { await handle(event, contract, settler, body) }
    }

    private static func startOutcome(
        _ outcome: CommandOutcome, _ settler: Settler,
        _ body: @escaping @Sendable (CommandOutcome) async throws -> Void
    ) {
        Task { await handle(outcome, settler, body) }
    }

    @concurrent
    private static func handle(
        _ outcome: CommandOutcome, _ settler: Settler, _ body: @Sendable (CommandOutcome) async throws -> Void
    ) async {
        do {
            try await body(outcome)
            settler.settle(.success(()))
        } catch {
            settler.settle(.failure(error))
        }
    }

    @concurrent
    private static func answer(
        _ inquiry: Inquiry, _ responder: Responder, _ body: @Sendable (Inquiry) async throws -> [UInt8]
    ) async {
        do {
            try inquiry.check()
            responder.answer(.success(try await body(inquiry)))
        } catch {
            responder.answer(.failure(error))
        }
    }

    @concurrent
    private static func handle(
        _ event: BusEvent, _ contract: BoundContract?, _ settler: Settler,
        _ body: @Sendable (BusEvent) async throws -> Void
    ) async {
        do {
            try contract?.checkEvent(event.body, at: .consumerAgent)
            try await body(event)
            settler.settle(.success(()))
        } catch {
            settler.settle(.failure(error))
        }
    }

    func reply(
        _ delivery: Delivery, _ route: ReplyRoute, _ result: Result<[UInt8], BusFault>, about subject: UInt128? = nil
    ) {
        let id = ids.next(unixMilliseconds: clock.wall)
        let request = delivery.envelope.header.id
        let outcome: UInt16
        let body: [UInt8]
        switch result {
        case .success(let answer): (outcome, body) = (0, answer)
        case .failure(let fault):
            (outcome, body) = (fault.number, fault.body())
            faultLog.tell(fault, route.name, request, at: clock.now, configuration.logger)
        }
        submit(body, outcome: outcome, as: id, to: delivery, route, about: subject)
    }

    private func submit(
        _ body: [UInt8], outcome: UInt16, as id: MessageID, to delivery: Delivery, _ route: ReplyRoute,
        about subject: UInt128?
    ) {
        do throws(BusFault) {
            let sealed = try sealedReply(to: delivery, route, body, outcome: outcome, id: id, about: subject)
            announce(sealed.keys)
            core.submit(
                Submission(kind: .reply, id: id, header: sealed.header, body: sealed.body, answers: delivery.mark),
                clock, into: &actions)
        } catch {
            // The reason is short: it can be sealed where the answer was too large.
            guard outcome != 0 else { return reply(delivery, route, .failure(error), about: subject) }
            // Not even that, and nothing may go open: the consumer is told by the broker when its time is over.
            faultLog.tell(error, route.name, delivery.envelope.header.id, at: clock.now, configuration.logger)
            core.abandon(delivery)
        }
    }
}
