import BusDirectory
import BusEvidence
import BusProtocol
import DequeModule
import Logging
import ZeroMQ

/// The socket thread: owns the socket and the core. One round: receive, take orders, run tasks, tick, write.
///
/// Confined to its thread: made, used and dropped there.
final class SocketLoop {
    /// Frames taken in one round, so that orders and timers get their turn under load.
    static let framesPerRound = 64
    /// Rounds of tasks and the orders they give before the answers are written.
    static let taskRounds = 16
    /// Longest sleep, so that a clock that jumps cannot hold the thread for ever.
    static let longestSleep: UInt64 = 1_000_000
    /// Frames that wait for the connection to take them. Credit bounds envelopes; this bounds the rest.
    static let unsentFrames = 4096

    let configuration: AgentConfiguration
    let shared: AgentShared
    let context: Context
    var core: AgentCore
    var ids = MessageIDSource()
    var clock = ClockReading.current()
    var actions: [AgentAction] = []
    var waiters = WaiterTable()
    var handlers: [Handler] = []
    var lastHandler = 0
    var inquiries: [UInt64: (until: UInt64, continuation: InquiryContinuation)] = [:]
    var proofs: [UInt64: (until: UInt64, receipt: Receipt, continuation: ProofContinuation)] = [:]
    var nextToken: UInt64 = 0
    var openWaiters: [(until: UInt64, continuation: OpenContinuation)] = []
    var drainWaiters: [VoidContinuation] = []
    var drainUntil = UInt64.never
    var closeWaiters: [VoidContinuation] = []
    var isClosing = false
    var memory: AgentMemory
    let spaceMemory: SpaceMemory
    var nextSave: UInt64 = 0
    var faultLog = FaultLog()

    // Seals.
    var sealer: Sealer { shared.sealer }
    var opener: SealOpener
    var waiting: WaitingForKeys
    /// Records that the broker has not taken yet.
    var onTheirWay: Set<RecordName> = []
    /// Records brought to the broker by this process.
    var announced: Set<RecordName> = []
    var announcedEpochs: Set<UInt64> = []
    /// One of them: messages come in runs of one epoch.
    var lastAnnounced: UInt64?
    var untaken: [(at: UInt64, key: KeyMessage)] = []
    var orderWaits: [(provider: String, until: UInt64, continuation: OpenContinuation)] = []

    private var socket: Socket
    private var poller: Poller
    private var socketEntry: Poller.Entry
    private var wakeupEntry: Poller.Entry
    /// Services commands were sent to from here, of which nobody here handles the outcome.
    var orderedHere: Set<String> = []
    private var unsent = Deque<[UInt8]>()
    private var orders: [Order] = []
    private var jobs: [UnownedJob] = []
    private var working: [AgentAction] = []

    init(_ configuration: AgentConfiguration, _ shared: AgentShared, _ context: Context) throws(ZeroMQError) {
        self.configuration = configuration
        self.shared = shared
        self.context = context
        waiting = WaitingForKeys(patience: configuration.timing.keyPatience)
        opener = SealOpener(configuration.seals.map(\.secret))
        memory = AgentMemory(directory: configuration.dataDirectory, agent: configuration.name, configuration.logger)
        spaceMemory = SpaceMemory(
            directory: configuration.dataDirectory, agent: configuration.name, configuration.logger)
        let identity = AgentCore.Identity(
            agent: configuration.name, systems: configuration.systems,
            instance: UInt128(UInt64.random(in: 1 ... .max)) << 64 | UInt128(UInt64.random(in: 0 ... .max)),
            bootCounter: memory.bootCounter, software: "kerege-agent/1 swift",
            isGuest: configuration.isGuest)
        core = AgentCore(
            identity, timing: configuration.timing, receipt: memory.receipt, checkpoint: memory.checkpoint,
            trust: spaceMemory.read(configuration.authority), started: clock.now)
        core.health = configuration.systems.map { .init(system: $0, dataUpdatedAt: -1, healthy: true) }
        core.signer = configuration.keys?.signing.map { BatchSigner($0) }
        if let held = core.trust.held { shared.terms.take(held.snapshot.space) }
        let opened = try Self.open(configuration, context)
        socket = opened
        poller = Poller()
        socketEntry = poller.add(socket)
        wakeupEntry = poller.add(shared.wakeup)
        core.takes = taken()
        if core.directory != nil { sealer.use(core.directory) }
    }

    private static func open(_ configuration: AgentConfiguration, _ context: Context) throws(ZeroMQError) -> Socket {
        var options = SocketOptions()
        options.maxMessageSize = Limits.frame
        // A high-water mark above the credit: what the core lets go always fits.
        options.sendHighWater = Int(Limits.creditMessages) + 64
        options.receiveHighWater = Int(Limits.creditMessages) + 64
        options.curve = try curve(configuration)
        var socket = try Socket(context, .dealer, options: options)
        try socket.connect(configuration.broker)
        return socket
    }

    /// Both keys or none: half a pair must not end in a connection without encryption.
    private static func curve(_ configuration: AgentConfiguration) throws(ZeroMQError) -> CurveRole? {
        switch (configuration.keys, configuration.brokerKey) {
        case (nil, nil): return nil
        case (let keys?, let text?):
            guard let broker = CurveKey(z85: text) else {
                throw ZeroMQError(
                    number: 0, operation: "read the broker's key", message: "it is not 40 characters of Z85",
                    hint: "Copy it from the broker's broker.pub")
            }
            return .client(server: broker, public: keys.curvePublic, secret: keys.curveSecret)
        case (_?, nil), (nil, _?):
            throw ZeroMQError(
                number: 0, operation: "open the connection",
                message: "only one of the agent's and the broker's key is given",
                hint: "Give both: AGENT.key and broker.pub")
        }
    }

    // MARK: - The loop

    func run() {
        while !isClosing {
            do throws(ZeroMQError) {
                try sleep()
                try round()
            } catch {
                if !error.isShutdown {
                    configuration.logger.error("socket failed", metadata: ["error": "\(error)"])
                }
                isClosing = true
            }
        }
        finish()
    }

    /// Waits for something to do. Looks at the queues first: what this thread put there itself gave no signal.
    private func sleep() throws(ZeroMQError) {
        let now = ClockReading.current().now
        var wait: UInt64 = 0
        if shared.inbox.isEmpty, shared.executor.isEmpty {
            let due = min(core.nextTimer, min(drainUntil, nextWaitEnd))
            wait = due <= now ? 0 : min(due - now, Self.longestSleep)
        }
        poller.wait(on: socketEntry, for: unsent.isEmpty ? .readable : [.readable, .writable])
        // Rounded up: waking a moment before a timer would only spin.
        try poller.wait(atMost: wait == 0 ? .zero : .microseconds(Int64(wait + 999)))
        if poller.found(wakeupEntry).contains(.readable) { shared.wakeup.drain() }
    }

    /// When the first of those who wait for something other than the core's own timers is to be looked at. Runs once a round: no arrays.
    private var nextWaitEnd: UInt64 {
        var next = waiting.nextTime(canAsk: core.isOpen)
        for waiter in openWaiters { next = min(next, waiter.until) }
        for inquiry in inquiries.values { next = min(next, inquiry.until) }
        for proof in proofs.values { next = min(next, proof.until) }
        for item in untaken { next = min(next, item.at) }
        for wait in orderWaits { next = min(next, wait.until) }
        return next
    }

    private func round() throws(ZeroMQError) {
        clock = ClockReading.current()
        try sendUnsent()
        var taken = 0
        while taken < Self.framesPerRound, let received = try socket.receive() {
            taken += 1
            guard received.isWellFormed else {
                core.counters.badFrames += 1
                continue
            }
            core.receive(received.payload, clock, into: &actions)
            try execute()
            try work()
        }
        try work()
        tendKeys()
        bringUntaken()
        expireOrderWaits(at: clock.now)
        if clock.now >= core.nextTimer { core.tick(clock, into: &actions) }
        core.flush(clock, into: &actions)
        try execute()
        expireWaits()
        saveReceipt()
    }

    /// Orders and tasks in turn until both are done: what tasks ask for leaves with this round.
    private func work() throws(ZeroMQError) {
        for _ in 0..<Self.taskRounds {
            shared.inbox.take(into: &orders)
            for order in orders {
                execute(order)
                try sendBurst()
            }
            let hadOrders = !orders.isEmpty
            orders.removeAll(keepingCapacity: true)
            if !actions.isEmpty { try execute() }
            let hadJobs = !shared.executor.isEmpty
            if hadJobs { shared.executor.run(&jobs) }
            if !hadOrders && !hadJobs { break }
        }
    }

    /// Executes the core's last actions, as far as the socket still takes them.
    func endPending() {
        for action in actions { try? execute(action) }
        actions.removeAll()
    }

    // MARK: - Actions

    /// Executes what the core asked for; what handlers do may ask for more.
    private func execute() throws(ZeroMQError) {
        while !actions.isEmpty {
            swap(&actions, &working)
            for action in working {
                try execute(action)
                try sendBurst()
            }
            working.removeAll(keepingCapacity: true)
        }
    }

    /// What has gathered leaves while the rest of the round is still being worked on.
    private func sendBurst() throws(ZeroMQError) {
        guard core.hasBurst else { return }
        var frames: [AgentAction] = []
        core.flush(clock, into: &frames)
        for frame in frames { try execute(frame) }
    }

    private func execute(_ action: AgentAction) throws(ZeroMQError) {
        switch action {
        case .send(let frame): try send(frame)
        case .reopen: try reopen()
        case .completed(let ticket, let completion): complete(ticket, completion)
        case .deliver(let delivery): deliver(delivery)
        case .welcomed(let welcome): opened(welcome)
        case .remember(let space): remember(space)
        case .keepCheckpoint(let checkpoint): memory.save(checkpoint, with: core.receipt)
        case .keepFork(let note): memory.save(fork: note)
        case .disconnected(let fault): disconnected(fault)
        case .notice(let fault): configuration.logger.warning("notice", metadata: fault.metadata)
        case .inquired(let token, let answer): inquired(token, answer)
        case .keys(let answer): took(answer)
        case .wanted(let wish): wanted(wish)
        case .inquiriesRefused(let fault): endInquiries(BusFault(fault))
        case .drained: drained()
        }
    }

    private func send(_ frame: [UInt8]) throws(ZeroMQError) {
        if unsent.isEmpty, try socket.send(frame) == .sent { return }
        guard unsent.count < Self.unsentFrames else { return }
        unsent.append(frame)
    }

    private func sendUnsent() throws(ZeroMQError) {
        while let frame = unsent.first, try socket.send(frame) == .sent { unsent.removeFirst() }
    }

    private func reopen() throws(ZeroMQError) {
        unsent.removeAll()
        do throws(ZeroMQError) { socket = try Self.open(configuration, context) } catch {
            guard !error.isShutdown else { throw error }
            // Descriptors may be short for a while: one more attempt that failed.
            let fault = Fault(.brokerUnreachable, at: .consumerAgent, "no socket: \(error)")
            actions.append(.notice(fault))
            return core.disconnect(fault, clock, into: &actions)
        }
        poller = Poller()
        socketEntry = poller.add(socket)
        wakeupEntry = poller.add(shared.wakeup)
    }
}
