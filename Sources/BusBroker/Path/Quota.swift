import BusDirectory
import BusProtocol

/// A bucket that fills with time: a second's share of messages and bytes fits in it.
struct QuotaBucket: Sendable {
    /// Milliseconds.
    private static let longestWait = 3_600_000.0

    private let messages: Double
    private let bytes: Double
    private var messagesLeft: Double
    private var bytesLeft: Double
    /// Monotonic microseconds of the last filling.
    private var filledAt: Int64

    init(_ quota: TrafficQuota, at now: Int64) {
        messages = quota.messagesPerSecond.map(Double.init) ?? .infinity
        bytes = quota.bytesPerSecond.map(Double.init) ?? .infinity
        messagesLeft = messages
        bytesLeft = bytes
        filledAt = now
    }

    /// Nil, and the share is used; or milliseconds until there is enough again.
    mutating func take(_ cost: Int, at now: Int64) -> UInt32? {
        let seconds = Double(max(0, now - filledAt)) / 1_000_000
        filledAt = now
        messagesLeft = min(messages, messagesLeft + seconds * messages)
        bytesLeft = min(bytes, bytesLeft + seconds * bytes)
        // A message larger than a second's share passes when the bucket is full, and leaves a debt.
        let needed = min(Double(cost), bytes)
        if messagesLeft >= 1, bytesLeft >= needed {
            messagesLeft -= 1
            bytesLeft -= Double(cost)
            return nil
        }
        // Only of what is limited: a share without a limit is infinite, and infinity over infinity is no time.
        var wait = 0.0
        if messages.isFinite { wait = max(wait, (1 - messagesLeft) / messages) }
        if bytes.isFinite { wait = max(wait, (needed - bytesLeft) / bytes) }
        return UInt32(exactly: min(wait * 1000, Self.longestWait).rounded(.up)) ?? UInt32(Self.longestWait)
    }
}

extension BrokerCore {
    /// Whether agent or integration used up its share; the sender is told when to come again.
    mutating func exceedsQuota(_ slot: Int, _ integration: UInt32, _ cost: Int, _ now: Moment) -> Bool {
        guard rights.hasQuotas else { return false }
        let agent = rights.agents[sessions[slot].agentIndex]
        if let quota = agent.quota, let wait = take(.agent(agent.key), quota, cost, now) {
            refuse(slot, .quotaExceeded, retryAfter: wait)
            return true
        }
        let integrations = rights.snapshot.space.integrations
        guard integrations.indices.contains(Int(integration)), let quota = integrations[Int(integration)].quota,
            let wait = take(.integration(integrations[Int(integration)].id), quota, cost, now)
        else { return false }
        refuse(slot, .quotaExceeded, retryAfter: wait)
        return true
    }

    enum QuotaHolder: Hashable, Sendable { case agent(String), integration(String) }

    private mutating func take(
        _ holder: QuotaHolder, _ quota: TrafficQuota, _ cost: Int, _ now: Moment
    ) -> UInt32? {
        var bucket = quotas[holder] ?? QuotaBucket(quota, at: now.monotonic)
        defer { quotas[holder] = bucket }
        return bucket.take(cost, at: now.monotonic)
    }
}
