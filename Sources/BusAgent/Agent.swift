package import BusProtocol
import Synchronization
import ZeroMQ

/// A system's place on the bus: asks services of other systems, answers its own, publishes and receives events.
///
/// ```swift
/// let agent = try await Agent.connect(configuration) { agent in
///     agent.answer("individuals.person-get.v1") { inquiry in try await register.person(inquiry.body) }
/// }
/// let answer = try await agent.ask("licensing.licence-check.v1", Array(#"{"bin":"…"}"#.utf8))
/// ```
///
/// One thread owns the connection; every method may be called from anywhere. The agent reconnects by itself, and repeats what
/// was not answered with the same bytes, so a call ends with an answer or with a `BusFault`, exactly once.
public final class Agent: Sendable {
    public let configuration: AgentConfiguration
    /// Runs tasks on the agent's own thread. A loop of asks started with `Task(executorPreference: agent.executor)` costs no
    /// thread switch, and all its asks of one batch leave together. Only for short work: it holds up the connection.
    public var executor: any TaskExecutor { shared.executor }

    private let shared: AgentShared
    private let thread: SocketThread
    private let calls = Atomic<UInt64>(1)
    private let ids = Mutex(MessageIDSource())
    private let routes = Mutex(KeptRoutes())
    /// Routes that are kept; a caller of ever new names cannot make them grow.
    static let keptRoutes = 1024

    /// Makes an agent that does nothing until `start`; register handlers in between, so that no message comes too early.
    /// - Throws: 5032 when the process is out of threads or descriptors.
    public init(_ configuration: AgentConfiguration) throws(BusFault) {
        self.configuration = configuration
        do throws(ZeroMQError) {
            let shared = try AgentShared(configuration)
            self.shared = shared
            thread = try SocketThread(name: configuration.name) { shared.runThread(configuration) }
        } catch {
            throw BusFault(.brokerUnreachable, at: .consumerAgent, "\(error)")
        }
        for subject in configuration.subjects {
            answerInline(AccessReference.service(of: subject.system)) { inquiry in
                try AccessReference.answer(inquiry, subject)
            }
        }
    }

    deinit { _ = shared.inbox.put(.close(nil)) }

    /// Connects an agent.
    /// - Parameter prepare: registers handlers; runs before the broker hears of the agent.
    /// - Throws: after `connectDeadline`, or at once when waiting would not help, the reason why there is no session.
    ///   With `connectsInBackground` it returns at once.
    public static func connect(
        _ configuration: AgentConfiguration, preparing prepare: (Agent) -> Void = { _ in }
    ) async throws(BusFault) -> Agent {
        let agent = try Agent(configuration)
        prepare(agent)
        do throws(BusFault) {
            try await agent.start()
            return agent
        } catch {
            await agent.close()
            throw error
        }
    }

    /// Opens the session; see `connect`.
    public func start() async throws(BusFault) {
        guard shared.inbox.put(.start) else { throw shared.closedFault }
        guard !configuration.connectsInBackground else { return }
        try await waitUntilConnected(within: configuration.connectDeadline)
    }

    /// Returns when there is a session.
    /// - Throws: the reason why there is none when the time is over.
    public func waitUntilConnected(within limit: Duration) async throws(BusFault) {
        let result = await withUnsafeContinuation { (continuation: OpenContinuation) in
            if !shared.inbox.put(.awaitOpen(within: limit.microseconds, continuation)) {
                continuation.resume(returning: .failure(shared.closedFault))
            }
        }
        try result.get()
    }

    // MARK: - Consumer

    /// Asks a service and waits for its answer.
    /// - Parameters:
    ///   - service: `system.name.vN`.
    ///   - body: JSON of the service's contract, at most 64 KiB.
    ///   - system: which of the agent's systems asks; the first unless named.
    ///   - deadline: at most five minutes; the configured default unless named.
    /// - Throws: 2040 nothing-found when the provider has no record; 4220 before anything is sent when the body violates the
    ///   contract; 4030 without an integration; 5030 at once when no provider lives; 4080 after the deadline, or when the task
    ///   is cancelled; 5032 without a broker; and what else the catalogue names.
    public func ask(
        _ service: String, _ body: [UInt8], as system: String? = nil, deadline: Duration? = nil,
        context: CallContext = CallContext()
    ) async throws(BusFault) -> Answer {
        var route = try route(.request, service, as: system, context)
        try check(route) { contract throws(BusFault) in try contract.checkRequest(body, at: .consumerAgent) }
        var limit = deadline ?? configuration.defaultDeadline
        if !knowsSpace {
            limit = try await awaitSpace(within: limit)
            route = try self.route(.request, service, as: system, context)
        }
        let reply = try await send(route, body, within: limit).get()
        guard reply.outcome == 0 else {
            throw BusFault(outcome: reply.outcome, body: reply.bytes[...]).about(reply.request)
        }
        let answer = Answer(
            body: reply.bytes, requestID: reply.request, annotations: reply.annotations)
        do throws(BusFault) {
            try check(route) { contract throws(BusFault) in try contract.checkReply(answer.body, at: .consumerAgent) }
        } catch { throw error.about(reply.request) }
        return answer
    }

    private func send(_ route: Route, _ body: [UInt8], within: Duration) async -> Result<ReceivedReply, BusFault> {
        let call = newCall()
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: AskContinuation) in
                let ask = AskOrder(
                    route: route, body: body, within: within.microseconds, call: call, continuation: continuation)
                if !shared.inbox.put(.ask(ask)) {
                    continuation.resume(returning: .failure(shared.closedFault))
                } else if Task.isCancelled {
                    // The handler below may have run before the order was there to be cancelled.
                    _ = shared.inbox.put(.cancel(call: call))
                }
            }
        } onCancel: {
            _ = shared.inbox.put(.cancel(call: call))
        }
    }

    // MARK: - Provider

    /// Answers a service: the handler gets the request's body and returns the answer's.
    ///
    /// Runs as a task of its own. A thrown `BusFault` goes to the consumer as it is; of any other error it learns only that
    /// the provider failed (5020). Requests and answers are checked against the contract when there is one.
    public func answer(_ service: String, _ handler: @escaping @Sendable (Inquiry) async throws -> [UInt8]) {
        register(service, .task(handler))
    }

    /// Answers a service on the agent's own thread: for handlers that take microseconds and never block.
    public func answerInline(_ service: String, _ handler: @escaping @Sendable (Inquiry) throws -> [UInt8]) {
        register(service, .inline(handler))
    }

    /// Answers a service from threads of the handler's own, as adapters do.
    package func answerDeferred(_ service: String, _ handler: @escaping @Sendable (Inquiry, Responder) -> Void) {
        register(service, .deferred(handler))
    }

    // MARK: - Events

    /// Publishes an event and waits until the broker has it durably.
    /// - Throws: 4221 before anything is sent when the body violates the contract; 4080 when the broker did not say in time
    ///   whether it has it: it may have.
    public func publish(
        _ event: String, _ body: [UInt8], as system: String? = nil, deadline: Duration? = nil
    ) async throws(BusFault) -> Receipt {
        try await publish(event, body, as: system, deadline: deadline, id: nil)
    }

    /// - Parameter id: of an earlier attempt to publish the same bytes, which is then repeated rather than made anew.
    package func publish(
        _ event: String, _ body: [UInt8], as system: String? = nil, deadline: Duration? = nil, id: MessageID?
    ) async throws(BusFault) -> Receipt {
        let limit = try await awaitSpace(within: deadline ?? configuration.defaultDeadline)
        return try await submit(try prepareEvent(event, body, as: system, id: id), within: limit)
    }

    /// Makes an event's bytes, checked against its contract.
    package func prepareEvent(
        _ event: String, _ body: [UInt8], as system: String? = nil, id: MessageID? = nil
    ) throws(BusFault) -> PreparedMessage {
        let route = try route(.event, event, as: system, CallContext())
        try check(route) { contract throws(BusFault) in try contract.checkEvent(body, at: .providerAgent) }
        let isRepeated = id != nil
        let id = id ?? newID()
        // The time is the id's own: a repetition under the same id has the same bytes.
        var header = route.header
        header.id = id
        header.created = id.unixMilliseconds
        header.orderKey = try orderKey(of: body, route)
        if let tag = shared.sealer.repeatTag(header, body) { header.extensions.append(tag) }
        var message = PreparedMessage(.event, id, try shared.sealer.seal(event: header, body))
        message.mayBeKnown = isRepeated
        return message
    }

    /// Receives an event. It is acknowledged after the handler returned, and delivered again, later and later, when it threw.
    /// So it may come more than once: make the handler's effect depend on `BusEvent.id`.
    public func subscribe(_ event: String, _ handler: @escaping @Sendable (BusEvent) async throws -> Void) {
        register(event, .event(handler))
    }

    package func subscribeDeferred(_ event: String, _ handler: @escaping @Sendable (BusEvent, Settler) -> Void) {
        register(event, .deferredEvent(handler))
    }

    // MARK: - The end

    /// Takes no new work, waits until what is under way has ended or `drainDeadline` is over, and says BYE.
    public func drain() async {
        await withUnsafeContinuation { (continuation: VoidContinuation) in
            if !shared.inbox.put(.drain(within: configuration.drainDeadline.microseconds, continuation)) {
                continuation.resume()
            }
        }
    }

    /// Ends at once: waiting calls fail with 5031, the connection and its thread end.
    public func close() async {
        await withUnsafeContinuation { (continuation: VoidContinuation) in
            if !shared.inbox.put(.close(continuation)) { continuation.resume() }
        }
    }

    // MARK: - For tools

    public var isConnected: Bool { shared.status.withLock { $0.isConnected } }

    /// Version of the space this agent holds; 0 while it has taken none since its start.
    package var spaceVersion: UInt64 { shared.status.withLock { $0.spaceVersion } }

    /// Counts since the start, refreshed every ten seconds and at the end.
    package var counters: AgentCounters { shared.status.withLock { $0.counters } }

    /// Tells the broker how a system's data is; goes out with the next REPORT.
    package func report(_ health: [AgentReport.SystemHealth]) { _ = shared.inbox.put(.health(health)) }

    // MARK: - Routes and contracts

    func put(_ order: Order) -> Bool { shared.inbox.put(order) }
    var sealer: Sealer { shared.sealer }
    var closedFault: BusFault { shared.closedFault }
    var accessWatcher: AccessWatcher { shared.accesses }
    var statedTerms: StatedTerms { shared.terms }
    func newCall() -> UInt64 { calls.wrappingAdd(1, ordering: .relaxed).oldValue }
    func newID() -> MessageID { ids.withLock { $0.next(unixMilliseconds: ClockReading.current().wall) } }

    /// The system this agent speaks as: the one named, or its first.
    func speaking(as system: String?) throws(BusFault) -> String {
        guard let system = system ?? configuration.systems.first else {
            throw BusFault(.keyNotForSystem, at: .consumerAgent, "agent \(configuration.name) speaks for no system")
        }
        return system
    }

    func register(_ name: String, _ work: Handler.Work) {
        let contract = contract(of: name)
        let subjects = SubjectWatch(name, contract, configuration.subjects, shared.accesses)
        if subjects == nil { tellUnmarked(name, contract) }
        _ = shared.inbox.put(
            .register(
                Handler(name, contract: contract, bindsRequest: configuration.signsMessages, subjects: subjects, work)))
    }

    func contract(of name: String) -> BoundContract? {
        configuration.isOpaque ? nil : configuration.contracts?.contract(of: name)
    }

    func route(
        _ kind: MessageKind, _ name: String, as system: String?, _ context: CallContext
    ) throws(BusFault) -> Route {
        let system = try speaking(as: system)
        let generation = shared.terms.generation
        if context.isEmpty, let known = routes.withLock({ $0.find(name) }), known.system == system,
            known.kind == kind, known.generation == generation
        {
            return known
        }
        try context.check()
        var stated = context
        if stated.purpose.isEmpty { stated.purpose = shared.terms.purpose(of: system, asking: name) }
        let made = Route(
            kind, try checked(name), as: system, contract: contract(of: name), stated, generation: generation)
        guard context.isEmpty else { return made }
        routes.withLock { $0.keep(made) }
        return made
    }

    private func checked(_ name: String) throws(BusFault) -> String {
        guard Names.isService(Array(name.utf8)) else {
            throw BusFault(.noSuchService, at: .consumerAgent, "\"\(name)\" is no name of the form system.name.vN")
        }
        return name
    }

    /// Runs a check at this edge; what it finds is counted for the broker, which cannot see it.
    func check(
        _ route: Route, _ body: (BoundContract) throws(BusFault) -> Void
    ) throws(BusFault) {
        guard let contract = route.contract else { return }
        do throws(BusFault) { try body(contract) } catch {
            _ = shared.inbox.put(.count(error.wire, target: route.name, consumer: route.system))
            throw error
        }
    }
}
