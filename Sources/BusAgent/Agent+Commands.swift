package import BusEvidence
package import BusProtocol

/// Commands: durable orders to another system, delivered when it is there, with an outcome that can be asked for at any time.
extension Agent {
    /// Between two questions for a command's state while somebody waits for its outcome.
    static let statusInterval: Duration = .seconds(2)

    // MARK: - Consumer

    /// Sends a command and waits until the broker has it durably. It is carried out when its provider is there, days later if
    /// need be.
    /// - Parameters:
    ///   - expiry: not to be carried out later than this from now; at most what the service allows, which is the default.
    ///   - id: of an earlier attempt whose end is not known. The same id with the same body is the same command.
    /// - Throws: 4220 before anything is sent when the body violates the contract; 4080 when the broker did not say in time
    ///   whether it has it: send it again under the same id.
    public func send(
        _ service: String, _ body: [UInt8], as system: String? = nil, expiry: Duration? = nil, id: String? = nil,
        deadline: Duration? = nil, context: CallContext = CallContext()
    ) async throws(BusFault) -> SentCommand {
        var known: MessageID?
        if let id {
            known = MessageID(id)
            guard known != nil else { throw BusFault(.badIdentifier, at: .consumerAgent, "\"\(id)\" is no message id") }
        }
        var limit = deadline ?? configuration.defaultDeadline
        if !knowsSpace {
            // What breaks its contract need not wait to be told so.
            let route = try route(.command, service, as: system, context)
            try check(route) { contract throws(BusFault) in try contract.checkRequest(body, at: .consumerAgent) }
            limit = try await awaitSpace(within: limit)
        }
        try await awaitOrderSecret(service, as: system, within: limit)
        let message = try prepareCommand(service, body, as: system, expiry: expiry, id: known, context: context)
        let receipt = try await submit(message, ordering: service, within: limit)
        return SentCommand(id: receipt.id, receipt: receipt)
    }

    /// The longest time a command of this service may wait to be carried out; nil where the space says nothing. The broker cuts what is
    /// longer.
    package func longestExpiry(of service: String) -> Duration? { statedTerms.longestExpiry(of: service) }

    /// Makes a command's bytes, checked against its contract.
    package func prepareCommand(
        _ service: String, _ body: [UInt8], as system: String? = nil, expiry: Duration? = nil, id: MessageID? = nil,
        context: CallContext = CallContext()
    ) throws(BusFault) -> PreparedMessage {
        let route = try route(.command, service, as: system, context)
        try check(route) { contract throws(BusFault) in try contract.checkRequest(body, at: .consumerAgent) }
        let isRepeated = id != nil
        let id = id ?? newID()
        var header = route.header
        header.id = id
        // The time is the id's own: a repetition under the same id has the same bytes.
        header.created = id.unixMilliseconds
        header.expiry = expiry.map { id.unixMilliseconds + Int64(clamping: $0.microseconds / 1000) }
        header.orderKey = try orderKey(of: body, route)
        if let tag = sealer.repeatTag(header, body) { header.extensions.append(tag) }
        var message = PreparedMessage(
            .command, id, try sealer.seal(header, body, from: header.consumer, to: Names.system(of: service)))
        message.mayBeKnown = isRepeated
        return message
    }

    /// Where commands of one of this agent's systems stand. The broker does not know those that are missing in the answer.
    public func status(
        of commands: [String], as system: String? = nil, deadline: Duration? = nil
    ) async throws(BusFault) -> [CommandStatus] {
        let ids = commands.compactMap { MessageID($0) }
        guard ids.count == commands.count, ids.count <= Limits.queryRows else {
            throw BusFault(
                .badIdentifier, at: .consumerAgent, "up to \(Limits.queryRows) message ids are needed")
        }
        let consumer = try speaking(as: system)
        let answer = try await inquire(deadline) { .query(ids, consumer: consumer, $0) }
        guard case .state(let state) = answer else { throw BusFault(.badFrame, at: .broker) }
        return state.rows.map { CommandStatus($0) }
    }

    /// Waits until a command has come to its end, whoever sent it and whenever.
    /// - Returns: its state at that time; when `limit` is over, the state it has then.
    /// - Throws: 4041 when the broker does not know the command.
    public func outcome(
        of command: String, as system: String? = nil, within limit: Duration
    ) async throws(BusFault) -> CommandStatus {
        let end = ContinuousClock.now + limit
        var pause: Duration = .milliseconds(5)
        while true {
            let left = ContinuousClock.now.duration(to: end)
            let found: [CommandStatus]?
            do throws(BusFault) {
                found = try await status(of: [command], as: system, deadline: max(left, .seconds(1)))
            } catch {
                // Asked too much at once: again after the pause, as long as there is time.
                guard error.number == FaultCode.queueFull.number, ContinuousClock.now < end else { throw error }
                found = nil
            }
            guard let found else {
                do { try await Task.sleep(for: .milliseconds(100)) } catch {
                    throw BusFault(.deadlinePassed, at: .consumerAgent)
                }
                continue
            }
            guard let status = found.first else {
                throw BusFault(.noSuchMessage, at: .broker, "the broker knows no command \(command) of this system")
            }
            guard !status.isFinal, ContinuousClock.now < end else { return status }
            do { try await Task.sleep(for: min(pause, ContinuousClock.now.duration(to: end))) } catch { return status }
            pause = min(pause * 2, Self.statusInterval)
        }
    }

    /// Receives the outcomes of commands to a service. An outcome is acknowledged after the handler returned; it may come more
    /// than once. Without a handler outcomes are taken and dropped: `status` has them.
    public func onOutcome(_ service: String, _ handler: @escaping @Sendable (CommandOutcome) async throws -> Void) {
        register(service, .outcome(handler))
    }

    package func onOutcomeDeferred(
        _ service: String, _ handler: @escaping @Sendable (CommandOutcome, Settler) -> Void
    ) {
        register(service, .deferredOutcome(handler))
    }

    // MARK: - Provider

    /// Carries out commands: each is acknowledged after the handler returned and its outcome is durable, and delivered again,
    /// later and later, when it threw. So it may come more than once: make the effect depend on `BusCommand.id`.
    ///
    /// Of commands with the same order key the next one comes only after the one before it was acknowledged.
    public func perform(
        _ service: String, _ handler: @escaping @Sendable (BusCommand) async throws -> CommandResult
    ) {
        performDeferred(service) { [weak self] command, settler in
            Task { [weak self] in
                guard let agent = self else { return settler.settle(.failure(BusFault(.draining, at: .providerAgent))) }
                await agent.carryOut(command, settler, handler)
            }
        }
    }

    /// The outcome is durable before the command is acknowledged: a command whose agent dies in between comes again.
    @concurrent
    private func carryOut(
        _ command: BusCommand, _ settler: Settler, _ handler: @Sendable (BusCommand) async throws -> CommandResult
    ) async {
        do {
            try command.check()
            switch try await handler(command) {
            case .completed(let body): try await finish(command, .success(body))
            case .refused(let fault): try await finish(command, .failure(fault))
            case .taken: break
            }
            settler.settle(.success(()))
        } catch {
            settler.settle(.failure(error))
        }
    }

    private func finish(_ command: BusCommand, _ result: Result<[UInt8], BusFault>) async throws(BusFault) {
        let outcome = try prepareOutcome(
            of: command.messageID, command.delivery.digest, command.service, for: command.consumer, result)
        do throws(BusFault) { _ = try await submit(outcome) } catch {
            // An earlier delivery of it was concluded, and its acknowledgement was lost.
            guard error.number == FaultCode.idReused.number else { throw error }
        }
    }

    /// Carries out commands on threads of the handler's own, as adapters do. The handler settles; outcomes go by `submit`.
    package func performDeferred(_ service: String, _ handler: @escaping @Sendable (BusCommand, Settler) -> Void) {
        register(service, .deferredCommand(handler))
    }

    /// Says what became of a command that was taken earlier.
    /// - Parameter digest: `BusCommand.digest`, which the outcome is bound to; without it the outcome names the command by its id alone.
    /// - Throws: 5021 when the body violates the contract; 4005 when the broker knows no such command.
    public func conclude(
        _ command: String, of service: String, for consumer: String, _ result: Result<[UInt8], BusFault>,
        digest: [UInt8]? = nil, deadline: Duration? = nil
    ) async throws(BusFault) {
        guard let id = MessageID(command) else {
            throw BusFault(.badIdentifier, at: .providerAgent, "\"\(command)\" is no message id")
        }
        let leaf = digest.flatMap { Digest32($0) }
        guard (leaf == nil) == (digest == nil) else {
            throw BusFault(.badHeader, at: .providerAgent, "the digest of a command has \(RequestDigest.size) bytes")
        }
        let message = try prepareOutcome(of: id, leaf, service, for: consumer, result)
        _ = try await submit(message, within: deadline)
    }

    /// Makes an outcome's bytes, checked against the contract.
    /// - Parameter digest: the command's leaf, where it is known; carried where this agent signs.
    package func prepareOutcome(
        of command: MessageID, _ digest: Digest32?, _ service: String, for consumer: String,
        _ result: Result<[UInt8], BusFault>
    ) throws(BusFault) -> PreparedMessage {
        let contract = contract(of: service)
        let id = newID()
        var header = Header(kind: .outcome, id: id, created: id.unixMilliseconds)
        header.correlation = command
        header.target = service
        header.consumer = consumer
        header.provider = Names.system(of: service)
        header.contractDigest = contract?.digest
        if let digest, configuration.signsMessages { header.extensions = [RequestDigest.item(digest)] }
        let body: [UInt8]
        switch result {
        case .success(let answer):
            try contract?.checkReply(answer, at: .providerAgent)
            body = answer
        case .failure(let fault):
            header.outcome = fault.number
            body = fault.body()
        }
        return PreparedMessage(.outcome, id, try sealer.seal(header, body, from: header.provider, to: consumer))
    }

    // MARK: - Both

    /// Sends a message whose bytes are made; the same bytes may be sent again and again.
    /// - Parameter service: of a command whose outcome this agent will be asked for here, by its state.
    /// - Returns: when the broker has it durably.
    package func submit(
        _ message: PreparedMessage, ordering service: String? = nil, within deadline: Duration? = nil
    ) async throws(BusFault) -> Receipt {
        let within = (deadline ?? configuration.defaultDeadline).microseconds
        let call = newCall()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: PublishContinuation) in
                let order = SubmitOrder(
                    message: message, ordered: service, within: within, call: call, continuation: continuation)
                if !put(.submit(order)) {
                    continuation.resume(returning: .failure(closedFault))
                } else if Task.isCancelled {
                    _ = put(.cancel(call: call))
                }
            }
        } onCancel: {
            _ = put(.cancel(call: call))
        }
        return try result.get()
    }

    /// Moves this system's cursor in an event type; what it has seen comes again.
    /// - Returns: how many events it is owed again.
    public func replay(
        _ event: String, from start: ReplayStart, as system: String? = nil, deadline: Duration? = nil
    ) async throws(BusFault) -> Int {
        let receiver = try speaking(as: system)
        let answer = try await inquire(deadline) { .seek(event, start, system: receiver, $0) }
        guard case .done(let done) = answer else { throw BusFault(.badFrame, at: .broker) }
        guard done.code == 0 else {
            throw BusFault(number: done.code, at: .broker, FaultCode(rawValue: done.code)?.meaning ?? "")
        }
        return Int(clamping: done.count)
    }

    private func inquire(
        _ deadline: Duration?, _ order: (InquiryOrder) -> Order
    ) async throws(BusFault) -> InquiryAnswer {
        let within = (deadline ?? configuration.defaultDeadline).microseconds
        let result = await withUnsafeContinuation { (continuation: InquiryContinuation) in
            if !put(order(InquiryOrder(within: within, continuation: continuation))) {
                continuation.resume(returning: .failure(closedFault))
            }
        }
        return try result.get()
    }
}
