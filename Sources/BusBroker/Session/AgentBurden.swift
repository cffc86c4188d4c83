import BusDirectory
import BusProtocol

/// What the agent of one key has the broker do beside its messages, over all its sessions: a HELLO is free, and must not make free again
/// what the last session has asked for.
struct AgentBurden: Sendable {
    /// QUERYs, WANTs and SEEKs whose answers are being read from the journal.
    var answering = 0
    /// PROVEs whose answers are being made.
    var proving = 0
    /// Records of epochs it may still bring or ask for.
    var keyShare: QuotaBucket
    /// Blocks of the log it may still have read for proofs.
    var proofShare: QuotaBucket

    init(_ limits: BrokerLimits, at now: Int64) {
        keyShare = QuotaBucket(TrafficQuota(messagesPerSecond: limits.keysPerSecond), at: now)
        proofShare = QuotaBucket(TrafficQuota(bytesPerSecond: limits.proofBlocksPerSecond), at: now)
    }

    /// Nothing is being done for it.
    var isIdle: Bool { answering == 0 && proving == 0 }
}

extension BrokerCore {
    /// Of the agent in a slot.
    subscript(burdenOf slot: Int, now: Moment) -> AgentBurden {
        get { burdens[sessions[slot].key] ?? AgentBurden(limits, at: now.monotonic) }
        _modify {
            let fresh = AgentBurden(limits, at: now.monotonic)
            yield &burdens[sessions[slot].key, default: fresh]
        }
    }

    /// An answer was read, whether its session is still there or not.
    mutating func answered(key: String) { burdens[key]?.answering -= 1 }
    mutating func proved(key: String) { burdens[key]?.proving -= 1 }

    /// Keys that the space no longer has need no memory, once nothing is being read for them.
    mutating func forgetBurdens() {
        burdens = burdens.filter { !$0.value.isIdle || rights.agent(key: $0.key) != nil }
    }
}
