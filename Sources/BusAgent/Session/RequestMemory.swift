import BusEvidence
import BusProtocol

/// Requests that came in, each by what was signed and by the signature. A broker has no reason to deliver one twice to the same
/// agent: what its sender asks again, after a reconnect, is signed again.
///
/// Of bounded size: two sets, of which the elder is dropped when the younger is full. What was forgotten is still held to the time of
/// its signature (`Freshness`).
struct RequestMemory: Sendable {
    /// Requests remembered at most, 8 bytes each; at least the newest half.
    static let limit = 262_144

    private let half: Int
    private var younger: Set<UInt64> = []
    private var elder: Set<UInt64> = []

    init(limit: Int = limit) { half = max(1, limit / 2) }

    /// - Parameter signature: the last 64 bytes of the signed root.
    /// - Returns: false when it came before.
    mutating func note(_ leaf: Digest32, signature: some Collection<UInt8>) -> Bool {
        let name = signature.prefix(8).reduce(leaf.a) { ($0 << 8 | $0 >> 56) ^ UInt64($1) }
        guard !elder.contains(name), younger.insert(name).inserted else { return false }
        if younger.count >= half {
            // Both keep their room: it is needed again.
            swap(&elder, &younger)
            younger.removeAll(keepingCapacity: true)
        }
        return true
    }
}
