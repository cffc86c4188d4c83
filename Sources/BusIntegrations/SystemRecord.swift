/// What the ledger remembers of one agent that serves a system. Times are Unix milliseconds.
package struct AgentLife: Sendable, Codable, Hashable {
    package internal(set) var name: String
    package internal(set) var lastHeartbeat: Int64
    package internal(set) var uptimeMs: UInt64
    /// Whether it reached its system at the last heartbeat.
    package internal(set) var up: Bool
    /// Since when it is not connected, though it did not say goodbye; a heartbeat ends it.
    package internal(set) var lostSince: Int64?
    /// Times it came back with a shorter uptime.
    package internal(set) var restarts: UInt32 = 0
}

/// What the ledger remembers of one system. Times are Unix milliseconds.
struct SystemRecord: Sendable, Codable, Hashable {
    /// Agents of one system that are told apart; a further one takes the place of the one longest unheard.
    static let agentLimit = 64

    /// In the order in which they were first heard.
    private(set) var agents: [AgentLife] = []
    private(set) var lastHeartbeat: Int64?
    private(set) var dataUpdatedAt: Int64?
    /// Said to be down by the bus itself; a heartbeat that reaches the system ends it.
    private(set) var downSince: Int64?
    private(set) var downReason: String?

    var health = SystemHealth.unknown
    var cause: SystemCause?
    var since: Int64?
    var recovery = Recovery()
    /// Milliseconds of each calendar year in which it was shown non-functional, in order of years.
    var nonFunctionalTime: [YearAmount] = []

    mutating func record(_ beat: Heartbeat, at: Int64) {
        lastHeartbeat = at
        if let updated = beat.dataUpdatedAt.map(UnixTime.clamped) {
            dataUpdatedAt = max(updated, dataUpdatedAt ?? updated)
        }
        if beat.up { markUp() }
        guard let index = agents.firstIndex(where: { $0.name == beat.agent }) else { return add(beat, at: at) }
        // A greeting does not say how long the agent runs; its first report does.
        if beat.uptimeMs > 0 {
            if beat.uptimeMs < agents[index].uptimeMs { agents[index].restarts &+= 1 }
            agents[index].uptimeMs = beat.uptimeMs
        }
        agents[index].lastHeartbeat = at
        agents[index].up = beat.up
        agents[index].lostSince = nil
    }

    private mutating func markUp() {
        downSince = nil
        downReason = nil
    }

    private mutating func add(_ beat: Heartbeat, at: Int64) {
        if agents.count >= Self.agentLimit, let oldest = agents.indices.min(by: unheardLonger) {
            agents.remove(at: oldest)
        }
        agents.append(AgentLife(name: beat.agent, lastHeartbeat: at, uptimeMs: beat.uptimeMs, up: beat.up))
    }

    private func unheardLonger(_ left: Int, _ right: Int) -> Bool {
        agents[left].lastHeartbeat < agents[right].lastHeartbeat
    }

    mutating func left(agent: String) {
        agents.removeAll { $0.name == agent }
    }

    mutating func lost(agent: String, at: Int64) {
        guard let index = agents.firstIndex(where: { $0.name == agent }) else { return }
        agents[index].lostSince = agents[index].lostSince ?? at
    }

    mutating func down(reason: String, at: Int64) {
        downSince = downSince ?? at
        downReason = reason
        lastHeartbeat = lastHeartbeat ?? at
    }

    /// Every time lies within `UnixTime`; false only for a damaged saved state.
    var isPlausible: Bool {
        let times = agents.map(\.lastHeartbeat) + agents.compactMap(\.lostSince)
        let others = [lastHeartbeat, dataUpdatedAt, downSince, since].compactMap(\.self)
        return (times + others + nonFunctionalTime.map(\.amount)).allSatisfy { $0 == UnixTime.clamped($0) }
            && agents.count <= Self.agentLimit
    }
}

/// An amount that belongs to a calendar year.
package struct YearAmount: Sendable, Codable, Hashable {
    package var year: Int
    package var amount: Int64

    private enum CodingKeys: String, CodingKey {
        case year = "y"
        case amount = "n"
    }
}

extension [YearAmount] {
    func amount(of year: Int) -> Int64? {
        first { $0.year == year }?.amount
    }

    /// Adds the milliseconds from `start` to `end` to the years they fall in.
    mutating func accrue(from start: Int64, to end: Int64, offset: Int64) {
        guard start < end else { return }
        let years = UnixTime.year(of: start, offset: offset)...UnixTime.year(of: end - 1, offset: offset)
        for year in years {
            let from = Swift.max(start, UnixTime.start(ofYear: year, offset: offset))
            let to = Swift.min(end, UnixTime.start(ofYear: year + 1, offset: offset))
            if let index = firstIndex(where: { $0.year == year }) {
                self[index].amount += to - from
            } else {
                append(YearAmount(year: year, amount: to - from))
            }
        }
    }
}
