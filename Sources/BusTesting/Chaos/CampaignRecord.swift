import Foundation

/// What was promised and what happened in a campaign, kept outside of what is being killed.
actor CampaignRecord {
    struct Message: Hashable, Sendable {
        var key: Int
        var count: Int
    }

    private(set) var commands: [String: Message] = [:]
    private(set) var events: [String: Message] = [:]
    private var effects: Set<String> = []
    private var heard: Set<String> = []
    private var lastOfKey: [Int: Int] = [:]
    private(set) var duplicated: [String] = []
    private(set) var outOfOrder: [String] = []
    private(set) var deliveredAgain = 0
    private var refusals: [UInt16: Int] = [:]
    private(set) var recoveries: [Duration] = []

    // MARK: - Promises

    func promiseCommand(_ id: String, _ message: Message) { commands[id] = message }
    func promiseEvent(_ id: String, _ message: Message) { events[id] = message }
    func refuse(_ code: UInt16) { refusals[code, default: 0] += 1 }
    func refusals(of code: UInt16) -> Int { refusals[code] ?? 0 }

    // MARK: - Deliveries to a handler: the record stands in for its durable inbox

    func deliverCommand(_ id: String, _ message: Message) {
        if effects.contains(id) { deliveredAgain += 1 } else { takeEffect(id, message) }
    }

    func deliverEvent(_ id: String) {
        if !heard.insert(id).inserted { deliveredAgain += 1 }
    }

    // MARK: - Effects, in the order in which a register has them: each must be the only one

    func takeEffect(_ id: String, _ message: Message) {
        guard effects.insert(id).inserted else { return duplicated.append(id) }
        if let last = lastOfKey[message.key], last >= message.count { outOfOrder.append(id) }
        lastOfKey[message.key] = max(lastOfKey[message.key] ?? 0, message.count)
    }

    func hear(_ id: String) {
        if !heard.insert(id).inserted { duplicated.append(id) }
    }

    func recovered(after time: Duration) { recoveries.append(time) }

    // MARK: - The count

    /// Commands without an effect, and events nobody heard of.
    var missing: [String] {
        commands.keys.filter { !effects.contains($0) } + events.keys.filter { !heard.contains($0) }
    }
}

extension CampaignResult {
    /// All that the record knows, but for what was lost.
    mutating func take(_ record: CampaignRecord) async {
        commands += await record.commands.count
        events += await record.events.count
        load = "\(CampaignTable.grouped(commands)) commands, \(CampaignTable.grouped(events)) events"
        duplicate(await record.duplicated)
        disorder(await record.outOfOrder)
        deliveredAgain += await record.deliveredAgain
        recovered(await record.recoveries)
    }
}
