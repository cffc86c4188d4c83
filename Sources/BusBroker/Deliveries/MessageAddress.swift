import BusProtocol

/// Who is owed a durable message, and until when: by the space in force when it was accepted.
///
/// Settled at acceptance and not at its commit: a space that takes effect in between stands behind the message in the journal,
/// and a broker that reads it there after a restart must come to the same.
struct MessageAddress: Sendable {
    let receivers: [QueueName]
    /// Unix milliseconds by the broker's clock; `.max`: never.
    let expiry: Int64

    init(of header: Header, acceptedAt: Int64, _ rights: Rights) {
        receivers = Self.receivers(of: header, rights)
        expiry = rights.expiry(of: header, acceptedAt: acceptedAt)
    }

    private static func receivers(of header: Header, _ rights: Rights) -> [QueueName] {
        switch header.kind {
        case .command: return [.commands(of: Names.system(of: header.target))]
        case .outcome: return [.outcomes(for: header.consumer)]
        case .event:
            guard let type = rights.event(header.target) else { return [] }
            return rights.subscriptions[type].map {
                .events(header.target, for: rights.systems[$0.subscriber])
            }
        case .request, .reply, .keyEpoch, .keyWrap: return []
        }
    }
}
