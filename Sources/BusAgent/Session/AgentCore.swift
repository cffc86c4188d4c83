package import BusDirectory
package import BusEvidence
package import BusProtocol
import DequeModule

/// The agent's side of the protocol as a state machine: no socket, no clock, no randomness of its own.
///
/// Inputs are submissions, frames and ticks; what is to be done is appended to the caller's `actions`. Rules:
/// - a submission's bytes never change; after a new session everything unanswered is sent again as it was;
/// - a row leaves `pending` in one place (`finish`), and only that emits `.completed`: a ticket ends exactly once;
/// - a frame is written only in `flush`, so everything that gathered since the last one leaves together.
package struct AgentCore: Sendable {
    /// Who this agent is.
    package struct Identity: Sendable {
        package var agent: String
        package var systems: [String]
        /// Made at random when the process starts.
        package var instance: UInt128
        package var bootCounter: UInt64
        package var software: String
        /// A tool that somebody waits for: it does not outlast a broker that drains.
        package var isGuest: Bool
        package init(
            agent: String, systems: [String], instance: UInt128, bootCounter: UInt64 = 0, software: String,
            isGuest: Bool = false
        ) {
            self.agent = agent
            self.systems = systems
            self.instance = instance
            self.bootCounter = bootCounter
            self.software = software
            self.isGuest = isGuest
        }
    }

    package enum State: Sendable, Equatable {
        /// Not started, or closed.
        case idle
        /// HELLO was sent.
        case greeting(until: UInt64)
        case open
        /// Waiting before the next connection.
        case waiting(until: UInt64)
        /// The broker said something that no retry mends; everything submitted fails with it.
        case refused(Fault)

        package static func == (a: State, b: State) -> Bool {
            switch (a, b) {
            case (.idle, .idle), (.open, .open): true
            case (.greeting(let a), .greeting(let b)), (.waiting(let a), .waiting(let b)): a == b
            case (.refused(let a), .refused(let b)): a == b
            default: false
            }
        }
    }

    package let identity: Identity
    package let timing: AgentTiming
    package internal(set) var state: State = .idle
    package internal(set) var counters = AgentCounters()
    /// The last state of the broker's log this agent was told; HELLO carries it.
    package internal(set) var receipt: LogReceipt
    package internal(set) var welcome: Welcome?
    /// Who may change the space, and the newest this agent has taken.
    package internal(set) var trust: SpaceTrust
    /// The keys of that space; nil until one was taken.
    @inline(__always)
    package var directory: Directory? { senders?.directory }
    /// WELCOME was taken, and the space it names is still to come.
    var welcomeInWaiting: (Welcome, FrameHead)?
    /// Health of the systems served; goes out with every REPORT.
    package var health: [AgentReport.SystemHealth] = []
    /// What this agent takes of its systems' work; nil: everything. A change goes out with a REPORT at once.
    package var takes: Takes?
    /// What the broker knows of that.
    var toldTakes: Takes?
    /// Last fault of the session as a whole: why there is no connection.
    package internal(set) var lastFault: Fault?

    /// Signs what leaves; an agent without a signing key has none.
    package var signer: BatchSigner?
    /// Holds what comes to its senders' signatures; `nil` while the directory is not known.
    package var senders: SenderCheck?
    /// Holds what comes from the broker to the plan of that directory.
    var plan: PlanCheck?
    /// Holds the broker's log to what it was.
    var log: LogWatch
    /// Requests that came in, so that none is answered twice.
    var answered = RequestMemory()

    // Sending.
    var pending = PendingTable()
    var waiting = Deque<PendingTable.Reference>()
    /// Of the references in `waiting`, those whose submission has not ended, and their bytes.
    var waitingCount = 0
    var waitingBytes = 0
    /// Sent in this session and not yet accepted; the first has the number `firstInFlight`.
    var inFlight = Deque<PendingTable.Reference>()
    var firstInFlight: UInt64 = 1
    var requests: [MessageID: PendingTable.Reference] = [:]
    var sentMessages: UInt64 = 0
    var sentBytes: UInt64 = 0
    var grantedMessages: UInt64 = 0
    var grantedBytes: UInt64 = 0
    var nextDeadline: UInt64 = .never
    var outgoing: [OutgoingEnvelope] = []

    // Receiving.
    var session: UInt64 = 0
    var deliveredMessages: UInt64 = 0
    var handledMessages: UInt64 = 0
    var handledBytes: UInt64 = 0
    var announcedMessages: UInt64 = 0
    var announcedBytes: UInt64 = 0
    /// Deliveries handed out and not yet settled, over all sessions.
    var atWork = 0
    /// Of these, what came in earlier sessions.
    var oldWork = 0
    var acknowledged: [Settlement.Row] = []
    var rejected: [Settlement.Row] = []
    var terminated: [Settlement.Row] = []

    // Life.
    let started: UInt64
    var lastHeard: UInt64 = 0
    var nextReport: UInt64 = .never
    var backoff: Backoff
    var random: any RandomNumberGenerator & Sendable
    var pong: UInt64?
    var reported: [ReportKey: UInt32] = [:]
    var isDraining = false
    var brokerDrains = false
    var saidDrained = false
    /// Monotonic microseconds: what is on its way when DRAIN is said still comes.
    var byeNotBefore: UInt64 = 0

    struct ReportKey: Hashable, Comparable, Sendable {
        let target: String
        let consumer: String
        let code: UInt16
        let hop: Hop

        static func < (a: ReportKey, b: ReportKey) -> Bool {
            (a.target, a.consumer, a.code, a.hop.rawValue) < (b.target, b.consumer, b.code, b.hop.rawValue)
        }
    }

    package init(
        _ identity: Identity, timing: AgentTiming = AgentTiming(), receipt: LogReceipt = .none,
        checkpoint: KnownCheckpoint? = nil,
        trust: SpaceTrust = SpaceTrust(authority: nil), started: UInt64,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.identity = identity
        self.timing = timing
        // Of both the one that has seen more: a receipt is kept less often.
        self.receipt = checkpoint.map { $0.head.size > receipt.treeSize ? LogReceipt($0.head) : receipt } ?? receipt
        log = LogWatch(checkpoint)
        self.trust = trust
        senders = trust.held.map { SenderCheck(Directory($0.snapshot)) }
        plan = trust.held.map { PlanCheck($0.snapshot) }
        self.started = started
        self.random = random
        backoff = Backoff(timing)
        outgoing.reserveCapacity(timing.signedTogether)
    }

    // The loop asks these for every message. Not inlined, a question to a class's stored struct copies the whole struct first.

    /// Whether submissions can leave now.
    @inline(__always)
    package var isOpen: Bool { if case .open = state { true } else { false } }

    /// Nothing is under way: no unanswered submission, no delivery in a handler.
    @inline(__always)
    package var isQuiet: Bool { pending.count == 0 && atWork == 0 }

    @inline(__always)
    package var pendingCount: Int { pending.count }

    /// When `tick` wants to be called next, monotonic microseconds.
    package var nextTimer: UInt64 {
        // Changes nothing, like `hasBurst`.
        mutating get {
            var next = nextDeadline
            switch state {
            case .greeting(let until), .waiting(let until): next = min(next, until)
            case .open: next = min(next, min(nextReport, min(silenceLimit, log.due)))
            case .idle, .refused: break
            }
            if isDraining, !saidDrained, isOpen, isQuiet { next = min(next, byeNotBefore) }
            return next
        }
    }

    /// Time passed: ends what is past its deadline, notices silence, sends reports, opens a new connection.
    package mutating func tick(_ clock: ClockReading, into actions: inout [AgentAction]) {
        if clock.now >= nextDeadline { expire(clock.now, into: &actions) }
        switch state {
        case .greeting(let until) where clock.now >= until:
            let missing = welcomeInWaiting == nil ? "did not answer HELLO" : "did not send the space that WELCOME names"
            let fault = lastFault ?? Fault(.brokerUnreachable, at: .consumerAgent, "the broker \(missing)")
            disconnect(fault, clock, into: &actions)
        case .waiting(let until) where clock.now >= until:
            actions.append(.reopen)
            greet(clock, into: &actions)
        case .open where clock.now >= silenceLimit:
            disconnect(
                Fault(.brokerUnreachable, at: .consumerAgent, "the broker was silent for too many heartbeats"), clock,
                into: &actions)
        case .open where clock.now >= nextReport:
            report(clock, into: &actions)
        default: break
        }
        if isOpen, clock.now >= log.due { askForCheckpoint(clock, into: &actions) }
        finishDraining(clock, into: &actions)
    }
}
