import Foundation

/// What was promised and what happened in a campaign, kept outside of what is being killed.
///
/// It stands in for a register whose inbox is durable: an effect is counted by the message's id, so a repetition is seen as one.
actor CampaignRecord {
    struct Message: Hashable, Sendable {
        var key: Int
        var count: Int
    }

    private(set) var accepted: [String: Message] = [:]
    private var applied: [String: Int] = [:]
    private var lastOfKey: [Int: Int] = [:]
    private(set) var outOfOrder: [String] = []
    private(set) var repeated = 0
    private var heard: [String: Int] = [:]
    private(set) var published: [String: Message] = [:]
    private var recoveries: [Duration] = []

    func accept(_ id: String, _ message: Message) { accepted[id] = message }
    func publish(_ id: String, _ message: Message) { published[id] = message }

    /// The provider's transaction: the first delivery of an id has the effect, every other none.
    func apply(_ id: String, _ message: Message) {
        if applied[id] != nil {
            repeated += 1
            return
        }
        applied[id] = message.count
        if let last = lastOfKey[message.key], last >= message.count { outOfOrder.append(id) }
        lastOfKey[message.key] = max(lastOfKey[message.key] ?? 0, message.count)
    }

    func hear(_ id: String) {
        if heard.updateValue(1, forKey: id) != nil { repeated += 1 }
    }

    func recovered(after time: Duration) { recoveries.append(time) }

    /// Accepted commands without an effect.
    var unapplied: [String] { accepted.keys.filter { applied[$0] == nil } }
    /// Published events the subscriber has not heard of.
    var unheard: [String] { published.keys.filter { heard[$0] == nil } }
    var recoveryTimes: [Duration] { recoveries.sorted() }
}

/// What came of a campaign.
public struct CampaignResult: Sendable {
    public var faults: [String: Int] = [:]
    public var accepted = 0
    public var published = 0
    /// Accepted, and without effect or outcome when everything had healed.
    public var lost: [String] = []
    /// Delivered more than once (one effect each); no fault, but worth knowing.
    public var repeated = 0
    public var duplicated: [String] = []
    public var outOfOrder: [String] = []
    public var recoveries: [Duration] = []

    public var isClean: Bool { lost.isEmpty && duplicated.isEmpty && outOfOrder.isEmpty }

    /// One line for a table.
    public var line: String {
        let middle = recoveries.isEmpty ? Duration.zero : recoveries[recoveries.count / 2]
        let kinds = faults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return
            "\(accepted) commands, \(published) events; lost \(lost.count), duplicate effects \(duplicated.count), "
            + "out of order \(outOfOrder.count), delivered again \(repeated); recovery p50 \(Self.text(middle)), "
            + "max \(Self.text(recoveries.last ?? .zero)); \(kinds)"
    }

    private static func text(_ time: Duration) -> String {
        "\(time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000) ms"
    }
}
