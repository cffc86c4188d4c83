import BusProtocol
import DequeModule

/// One agent's connection as the broker sees it, from HELLO to BYE or silence.
struct Session: Sendable {
    let id: UInt64
    let route: [UInt8]
    /// The transport key in Z85: who this is, whatever the frames say.
    let key: String
    /// Index of the key's entry in `Rights`.
    var agentIndex: Int
    let agent: String
    let systems: [String]
    let instance: UInt128
    /// Of the protocol, as WELCOME says.
    let version: UInt8
    let connectedAt: Int64
    /// Nil: everything.
    var takes: TakenWork? { didSet { lastFit = nil } }
    /// The last work it was asked for, and the answer: mostly it is asked for the same again.
    var lastFit: (work: Work, fit: TakenWork.Fit)?
    var lastHeard: Int64
    var uptime: UInt64 = 0

    // From the agent to the broker.
    var received: UInt64 = 0
    var receivedBytes: UInt64 = 0
    /// Everything up to here is decided: durable or refused.
    var decided: UInt64 = 0
    var decidedBytes: UInt64 = 0
    var acceptSent: UInt64 = 0
    var acceptSentBytes: UInt64 = 0
    var refused: [Acceptance.Refused] = []
    /// A command or event waits for its ACCEPT: send it with the commit, not later.
    var acceptUrgent = false
    /// Monotonic time since when an ACCEPT is owed; 0 when none is.
    var acceptOwedSince: Int64 = 0
    /// Already noted in the gathering batch as having messages in it.
    var isTouched = false
    /// It has been said that this agent signs wrongly.
    var isUnproven = false

    // From the broker to the agent.
    var delivered: UInt64 = 0
    var deliveredBytes: UInt64 = 0
    var messageLimit: UInt64
    var byteLimit: UInt64
    var unread: UnreadFrames
    let mostUnsettled: Int
    var waiting: Deque<Waiting> = []
    var waitingBytes = 0
    var outgoing: [OutgoingEnvelope] = []
    var outgoingBytes = 0
    /// Requests delivered and not yet answered.
    var outstanding = 0
    /// Commands, outcomes and events delivered and not yet settled: position, and the queues it came from.
    var unsettled: [UInt64: [Int]] = [:]
    var isDirty = false
    var isDraining = false

    /// A delivery that waits for credit.
    struct Waiting: Sendable {
        var envelope: OutgoingEnvelope
        /// The request it belongs to, when it is one; a request that ended meanwhile is not delivered.
        var call: CallReference?
    }

    func fit(_ work: Work) -> TakenWork.Fit {
        if let lastFit, lastFit.work == work { return lastFit.fit }
        return takes?.fit(work) ?? .general
    }

    /// Whether it may be given this work, be there room for it or not.
    mutating func isTaking(_ work: Work) -> Bool {
        guard !isDraining else { return false }
        let fit = fit(work)
        lastFit = (work, fit)
        return fit != .none
    }

    // What a step does to a session it does in one call: each look into the table costs more than most of what is done there.

    /// A frame came.
    /// - Returns: whether it grants more than before.
    mutating func hear(_ head: FrameHead, _ now: Moment) -> Bool {
        lastHeard = now.monotonic
        // Limits only rise; a frame that was overtaken must not take credit back.
        let more = head.messageLimit > messageLimit || head.byteLimit > byteLimit
        messageLimit = max(messageLimit, head.messageLimit)
        byteLimit = max(byteLimit, head.byteLimit)
        return more
    }

    /// Another message came.
    /// - Returns: whether it is the first in the gathering batch, and whether it is within the credit.
    mutating func receive(_ cost: Int) -> (isFirst: Bool, isWithinCredit: Bool) {
        received += 1
        receivedBytes += UInt64(cost)
        let isFirst = !isTouched
        isTouched = true
        let fits = received <= decided + Limits.creditMessages && receivedBytes <= decidedBytes + Limits.creditBytes
        return (isFirst, fits)
    }

    /// Puts an envelope into the frame that is being gathered.
    /// - Returns: whether nothing was to be sent before, and whether the frame has to leave now.
    mutating func put(_ envelope: consuming OutgoingEnvelope) -> (isFirst: Bool, isFull: Bool) {
        let envelope = envelope
        let cost = envelope.cost
        let isFirst = !isDirty
        isDirty = true
        delivered += 1
        deliveredBytes += UInt64(cost)
        outgoing.append(envelope)
        outgoingBytes += cost
        return (isFirst, outgoingBytes >= Limits.frameTarget || outgoing.count >= Limits.envelopesPerFrame)
    }

    func hasCredit(for cost: Int) -> Bool {
        delivered < messageLimit && deliveredBytes + UInt64(cost) <= byteLimit && unread.hasRoom(for: cost)
    }

    /// Whether it may be given work of this size: within its credit and within what this broker lets one agent have.
    func hasRoom(for cost: Int) -> Bool { !isFull && hasCredit(for: cost) }

    /// It has as much work as this broker lets one agent have.
    var isFull: Bool { outstanding + unsettled.count >= mostUnsettled }
}

/// Live sessions in slots, found by route, key or slot. A slot's number is reused; `Session.id` never is.
struct SessionTable: Sendable {
    private(set) var slots: [Session?] = []
    /// The ids of the sessions in them: who is there is asked often, and a session is large to look at.
    private var ids: [UInt64?] = []
    private var free: [Int] = []
    private var byRoute: [[UInt8]: Int] = [:]
    private var byKey: [String: Int] = [:]

    var count: Int { byKey.count }
    var indices: [Int] { ids.indices.filter { ids[$0] != nil } }

    func slot(route: [UInt8]) -> Int? { byRoute[route] }
    func slot(key: String) -> Int? { byKey[key] }

    subscript(slot: Int) -> Session {
        _read { yield slots[slot]! }
        _modify { yield &slots[slot]! }
    }

    /// Whether `slot` holds a session.
    func isLive(_ slot: Int) -> Bool { ids.indices.contains(slot) && ids[slot] != nil }

    /// Whether `slot` still holds the session of that id.
    func isLive(_ slot: Int, _ id: UInt64) -> Bool { ids.indices.contains(slot) && ids[slot] == id }

    mutating func insert(_ session: Session) -> Int {
        let slot = free.popLast() ?? slots.count
        if slot == slots.count {
            slots.append(session)
            ids.append(session.id)
        } else {
            slots[slot] = session
            ids[slot] = session.id
        }
        byRoute[session.route] = slot
        byKey[session.key] = slot
        return slot
    }

    @discardableResult
    mutating func remove(_ slot: Int) -> Session? {
        guard slots.indices.contains(slot), let session = slots[slot] else { return nil }
        slots[slot] = nil
        ids[slot] = nil
        free.append(slot)
        if byRoute[session.route] == slot { byRoute[session.route] = nil }
        if byKey[session.key] == slot { byKey[session.key] = nil }
        return session
    }
}
