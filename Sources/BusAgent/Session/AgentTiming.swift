import BusProtocol

/// Times and limits of a session, seen from the agent. Microseconds where the name does not say otherwise.
package struct AgentTiming: Sendable {
    /// A HELLO without WELCOME for this long: the connection is made anew.
    package var greetingTimeout: UInt64 = 2_000_000
    /// First and largest upper bound of the wait before a new connection; the wait itself is drawn below the bound.
    package var backoffBase: UInt64 = 100_000
    package var backoffCap: UInt64 = 5_000_000
    /// No wait is shorter than this, so that a refusing peer is not called in a tight loop.
    package var backoffFloor: UInt64 = 10_000
    /// A request that has left waits this much longer than its deadline: the broker's own 408 names the hop that was slow.
    package var deadlineGrace: UInt64 = 100_000
    /// Between DRAIN and BYE at least, for an agent that serves: what was on its way to it when the broker heard of DRAIN is still done.
    package var drainGrace: UInt64 = 100_000
    /// Between two questions for a newer checkpoint of the broker's log, while there is traffic: one at the begin of a session, then no
    /// more than this.
    package var proofInterval: UInt64 = 60_000_000
    /// How long a sealed message waits for its key.
    package var keyPatience: UInt64 = 5_000_000
    /// Most messages signed under one root. They may leave in several frames.
    package var signedTogether = 256
    /// Messages that leave before the end of a round, when they are a third of what is under way.
    package var burst = 32
    /// Submissions that wait for credit or for a session.
    package var waitingMessages = 16_384
    /// The same in bytes of header and body.
    package var waitingBytes = 64 * 1024 * 1024
    /// Deliveries taken and not yet handled, and the same in bytes: the credit granted to the broker.
    package var windowMessages: UInt64 = Limits.creditMessages
    package var windowBytes: UInt64 = Limits.creditBytes

    package init() {}
}

/// Exponential back-off with full jitter: no two agents of a restarted broker come back in step.
package struct Backoff: Sendable {
    package private(set) var attempt = 0
    private let timing: AgentTiming

    package init(_ timing: AgentTiming) { self.timing = timing }

    /// The largest wait the next draw may give, microseconds.
    package var bound: UInt64 {
        let doubled = timing.backoffBase << UInt64(min(attempt, 20))
        return max(timing.backoffFloor, min(timing.backoffCap, doubled))
    }

    package mutating func next(_ random: inout some RandomNumberGenerator) -> UInt64 {
        let wait = UInt64.random(in: timing.backoffFloor...bound, using: &random)
        attempt += 1
        return wait
    }

    /// The longest wait from now on: for refusals that time alone does not mend.
    package mutating func slowDown() { attempt = max(attempt, 20) }
    package mutating func reset() { attempt = 0 }
}
