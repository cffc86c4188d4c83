import BusDirectory
import BusProtocol

/// What the space in force says of durable messages: who receives, until when, how often.
extension Rights {
    /// An integration by the names of both ends; nil where none permits traffic.
    func way(from consumer: String, to target: String) -> Right? {
        guard case .success(let way) = routes.way(from: consumer, to: target) else { return nil }
        return Right(
            integration: UInt32(way.index), stage: way.stage.number, provider: system(way.service.provider) ?? -1,
            consumer: system(consumer) ?? -1)
    }

    /// The integration a queued message belongs to: of its sender, or of its subscriber.
    func integration(of message: QueuedMessage, in queue: QueueName) -> Right? {
        switch queue.kind {
        case .commands, .outcomes: way(from: message.consumer, to: message.target)
        case .events: way(from: queue.system, to: message.target)
        }
    }

    /// Whether a queue may be delivered from. A command was admitted when it was accepted; a subscription must still stand.
    func mayReceive(_ queue: QueueName) -> Bool {
        switch queue.kind {
        case .commands, .outcomes: return true
        case .events:
            guard let type = event(queue.event), let subscriber = system(queue.system) else { return false }
            return subscriptions[type].contains { $0.subscriber == subscriber }
        }
    }

    /// An outcome nobody takes within this time, milliseconds, becomes a dead letter: as long as registers remember what they took.
    /// The state of its command can be asked for all the same.
    static let outcomeExpiry: Int64 = 30 * 86_400_000

    /// Until when a message may be delivered, Unix milliseconds by the broker's clock: what its sender wants, at most what the
    /// service allows.
    func expiry(of header: Header, acceptedAt: Int64) -> Int64 {
        let wanted = header.expiry ?? .max
        switch header.kind {
        case .command: return min(wanted, service(header.target)?.deadline.map { acceptedAt / 1000 + $0.count } ?? .max)
        case .outcome: return min(wanted, acceptedAt / 1000 + Self.outcomeExpiry)
        default: return wanted
        }
    }

    /// Whether two systems have anything to say to each other by the plan, in whatever stage: then one may need keys of the other.
    func mayHaveKeys(_ system: String, of sender: String) -> Bool {
        snapshot.space.integrations.contains { integration in
            let provider = Names.system(of: integration.service)
            return (integration.consumer == system && provider == sender)
                || (integration.consumer == sender && provider == system)
        }
    }

    /// How long bodies are kept after the end, milliseconds, where a service says so.
    var retentions: [String: Int64] {
        var found: [String: Int64] = [:]
        for service in snapshot.space.services { found[service.name] = service.retention?.count }
        return found
    }

    func retryPolicy(of target: String, _ limits: BrokerLimits) -> RetryPolicy {
        RetryPolicy(service(target)?.retry ?? limits.retry)
    }
}

/// When a delivery that did not succeed is tried again.
struct RetryPolicy: Sendable {
    let attempts: Int
    /// Microseconds.
    private let first: Int64
    private let longest: Int64

    init(_ terms: RetryTerms) {
        attempts = terms.attempts
        first = terms.first.count * 1000
        longest = terms.longest.count * 1000
    }

    /// Doubles with every attempt; half of it is drawn, so that what failed together does not come back together.
    func wait(after attempt: UInt16, _ random: inout any RandomNumberGenerator & Sendable) -> Int64 {
        let doublings = min(Int64(max(attempt, 1)) - 1, 20)
        let bound = min(longest, first << doublings)
        return Int64.random(in: bound / 2...max(bound, 1), using: &random)
    }
}
