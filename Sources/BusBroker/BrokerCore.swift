package import BusDirectory
import BusEvidence
import BusJournal
package import BusProtocol
import DequeModule

/// What the core wants done. Every effect is one of these; the core itself touches no socket, disk or clock.
package enum BrokerAction: Sendable {
    case send(route: [UInt8], frame: [UInt8])
    case notice(BrokerNotice)
    /// Read these messages from the journal and call `loaded`.
    case load(ticket: UInt64, positions: [UInt64])
    /// Look up which events a seek means and call `sought`.
    case find(ticket: UInt64, Seek)
    /// Prove this from the journal and call `proven`.
    case prove(ticket: UInt64, LogQuestion)
    /// An operator's seek is durable; nil: the journal could not be read or written.
    case sought(order: UInt64, count: Int?)
    /// An operator's resend is durable; nil: the journal could not be written.
    case resent(order: UInt64, letters: [DeadLetter]?)
    /// Everything accepted has been answered; the broker may stop.
    case drained
}

/// Something an operator may want in the log: a static message, data beside it, never a payload.
package struct BrokerNotice: Sendable {
    package enum Level: Sendable { case debug, info, warning, error }
    package var level: Level
    package var message: String
    package var data: [String: String]
    package init(_ level: Level, _ message: String, _ data: [String: String] = [:]) {
        self.level = level
        self.message = message
        self.data = data
    }
}

/// Who a broker is.
package struct BrokerIdentity: Sendable {
    package var id: UInt128
    package var name: String
    package var software: String
    package init(id: UInt128, name: String, software: String) {
        self.id = id
        self.name = name
        self.software = software
    }
}

/// The broker as a state machine without I/O.
///
/// In: frames, ticks, results of commits, spaces. Out: `actions`, batches for the journal (`takeBatch`), and observations for
/// the read model. The way of one message stands in `Path/`, in order: Accept, Authorize, Commit, Deliver, Expire, Finish.
/// Sessions with agents are in `Session/`.
package struct BrokerCore: Sendable {
    package let identity: BrokerIdentity
    package let limits: BrokerLimits
    package internal(set) var actions: [BrokerAction] = []
    package internal(set) var observations: [Observation] = []
    package internal(set) var counters = BrokerCounters()

    var rights: Rights
    /// The authority's word for the space in force; zeros without one.
    var spaceSignature: [UInt8]
    var sessions = SessionTable()
    var calls = CallTable()
    var book: DeliveryBook
    /// Bytes and positions asked from the journal.
    var loads: [UInt64: LoadPurpose] = [:]
    var seeks: [UInt64: (Seek, SeekOrigin)] = [:]
    var provings: [UInt64: Proving] = [:]
    var nextLoad: UInt64 = 0
    var quotas: [QuotaHolder: QuotaBucket] = [:]
    /// By CURVE key.
    var burdens: [String: AgentBurden] = [:]
    var random: any RandomNumberGenerator & Sendable
    var gathering = Gathering()
    var committing: Gathering?
    var deadlines = DeadlineWheel()
    var refusals: [RefusalKey: UInt32] = [:]
    var ids: MessageIDSource
    var nextSession: UInt64
    var treeSize: UInt64
    var treeRoot: [UInt8]
    var receipts = Receipts()
    /// Remembers which signed roots are good.
    var proofs = ProofChecker()
    var leftUnread = LeftUnread()
    /// Agents whose outgoing envelopes or ACCEPT are to be sent at the end of this step.
    var dirty: [Int] = []
    var lastHeartbeat: Int64 = 0
    var lastValidityCheck: Int64 = 0
    var lastRefusalFlush: Int64 = 0
    /// Not before this monotonic time: the commit before it failed for want of space.
    var commitNotBefore: Int64 = 0
    /// Requests that wait for a provider's return after a restart, and their positions in the journal.
    var awaitingReturn: [(call: CallReference, position: UInt64)] = []
    /// Monotonic end of that waiting.
    var graceUntil: Int64 = .min
    var drainUntil: Int64?
    var drainAnnounced = false

    package init(
        identity: BrokerIdentity, limits: BrokerLimits = BrokerLimits(), space: SpaceSnapshot,
        signature: [UInt8] = SignedSpace.noSignature, treeSize: UInt64, treeRoot: [UInt8],
        random: any RandomNumberGenerator & Sendable
    ) {
        var random = random
        self.identity = identity
        self.limits = limits
        self.treeSize = treeSize
        self.treeRoot = treeRoot
        rights = Rights(space)
        spaceSignature = signature
        book = DeliveryBook(limits)
        book.retentions = rights.retentions
        nextSession = random.next() >> 1
        ids = MessageIDSource(random: random)
        self.random = random
    }

    package var isDraining: Bool { drainUntil != nil }
    package var liveSessions: Int { sessions.count }
    package var openCalls: Int { calls.count }
    package var spaceVersion: UInt64 { rights.snapshot.version }

    /// Whether more frames should be taken in, or the journal has to catch up first.
    package var wantsInput: Bool { gathering.batch.count < limits.gatheredRecords }

    /// Records that wait for the next batch.
    package var gathered: Int { gathering.batch.count }

    /// Nothing gathers and nothing is being written.
    package var isQuiet: Bool { gathering.batch.isEmpty && committing == nil }
    package var isCommitting: Bool { committing != nil }

    package mutating func takeActions() -> [BrokerAction] {
        // Swapped out, not copied: an array that somebody else holds as well is copied by its next change.
        var taken: [BrokerAction] = []
        swap(&taken, &actions)
        return taken
    }

    package mutating func takeObservations() -> [Observation] {
        var taken: [Observation] = []
        swap(&taken, &observations)
        return taken
    }

    /// Moves what was seen behind what `held` has. An empty `held` gives its room in exchange, so that neither grows anew each time.
    package mutating func takeObservations(into held: inout [Observation]) {
        if held.isEmpty {
            swap(&held, &observations)
        } else {
            held += observations
            observations.clear()
        }
    }

    mutating func notice(_ level: BrokerNotice.Level, _ message: String, _ data: [String: String] = [:]) {
        actions.append(.notice(BrokerNotice(level, message, data)))
    }
}

/// What went through, since the start. Shown by `kerege status` and the admin API.
package struct BrokerCounters: Sendable, Codable, Equatable {
    package var framesIn: UInt64 = 0
    package var framesOut: UInt64 = 0
    package var requestsAccepted: UInt64 = 0
    package var repliesAccepted: UInt64 = 0
    package var eventsAccepted: UInt64 = 0
    package var commandsAccepted: UInt64 = 0
    package var outcomesAccepted: UInt64 = 0
    package var deadLettered: UInt64 = 0
    package var requestsFinished: UInt64 = 0
    package var requestsFailed: UInt64 = 0
    package var duplicates: UInt64 = 0
    package var refused: UInt64 = 0
    package var badFrames: UInt64 = 0
    /// Messages refused because their sender's signature was missing or wrong.
    package var badProofs: UInt64 = 0
    package var commits: UInt64 = 0
    package var records: UInt64 = 0
    package init() {}
}
