/// Refused traffic by pair of consumer and service, at most `Thresholds.refusalPairs` pairs.
///
/// Names come from outside and can be invented without end, so when the table is full a new pair is only counted
/// (`overflow`); pairs make room when they are older than `Thresholds.refusalRetention`.
struct RefusalTable: Sendable, Codable, Hashable {
    struct Pair: Sendable, Hashable {
        var consumer: String
        var service: String
    }

    struct Entry: Sendable, Codable, Hashable {
        var consumer: String
        var service: String
        /// The code of the last refusal.
        var code: UInt16
        var first: Int64
        var last: Int64
        var count: UInt64
    }

    private var byPair: [Pair: Entry] = [:]
    /// Refusals of pairs for which there was no room.
    private(set) var overflow: UInt64 = 0

    private enum CodingKeys: String, CodingKey {
        case entries, overflow
    }

    init() {}

    mutating func record(_ refusal: Refusal, at: Int64, limit: Int) {
        let pair = Pair(consumer: refusal.consumer, service: refusal.service)
        let count = UInt64(refusal.count)
        if byPair[pair] != nil {
            byPair[pair]?.code = refusal.code
            byPair[pair]?.last = at
            byPair[pair]?.count &+= count
        } else if byPair.count < limit {
            byPair[pair] = Entry(
                consumer: pair.consumer, service: pair.service, code: refusal.code, first: at, last: at, count: count)
        } else {
            overflow &+= count
        }
    }

    mutating func forget(before: Int64) {
        guard byPair.values.contains(where: { $0.last < before }) else { return }
        byPair = byPair.filter { $0.value.last >= before }
    }

    /// Ordered by consumer and service.
    var entries: [Entry] {
        byPair.values.sorted { ($0.consumer, $0.service) < ($1.consumer, $1.service) }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        for entry in try container.decode([Entry].self, forKey: .entries) {
            byPair[Pair(consumer: entry.consumer, service: entry.service)] = entry
        }
        overflow = try container.decode(UInt64.self, forKey: .overflow)
    }

    /// Ordered, so that the same state gives the same bytes.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(entries, forKey: .entries)
        try container.encode(overflow, forKey: .overflow)
    }
}
