import BusProtocol

/// What came sealed with a key that is not here yet, and when the broker is asked for it again. Bounded by the credit for deliveries and by
/// the questions this agent has open.
struct WaitingForKeys {
    /// First and longest pause between two times of asking, microseconds.
    static let firstPause: UInt64 = 50_000
    static let longestPause: UInt64 = 2_000_000
    /// How long a message waits for its key, microseconds.
    let patience: UInt64

    enum Item {
        case delivery(Delivery)
        case reply(ticket: UInt64, ReceivedReply)
        case state(token: UInt64, StateAnswer)
    }

    private struct Want {
        /// The system that opens.
        let system: String
        var items: [(item: Item, until: UInt64)] = []
        var askAt: UInt64
        var pause: UInt64 = WaitingForKeys.firstPause
        /// Wanted for its own sake, to be wrapped for others.
        var until: UInt64
    }

    private var wants: [EpochName: Want] = [:]

    init(patience: UInt64) { self.patience = patience }

    var isEmpty: Bool { wants.isEmpty }

    /// When there is something to do next, monotonic microseconds.
    /// - Parameter canAsk: there is a session to ask in.
    func nextTime(canAsk: Bool) -> UInt64 {
        wants.values.reduce(.never) {
            min($0, min(canAsk ? $1.askAt : .never, $1.items.first?.until ?? $1.until))
        }
    }

    /// Keys that are wanted at most for their own sake; beyond it others may ask again later.
    static let mostWanted = 1024

    /// What one sending system may keep waiting here, messages and epochs: who sends what nobody can open must not hold the credit of all.
    static let mostOfOneSender = 1024
    static let epochsOfOneSender = 64

    func hasRoom(for epoch: EpochName) -> Bool {
        let others = wants.filter { $0.key.sender == epoch.sender }
        return others.values.reduce(0) { $0 + $1.items.count } < Self.mostOfOneSender
            && (others[epoch] != nil || others.count < Self.epochsOfOneSender)
    }

    /// - Parameter item: `nil`: the key alone is wanted. Who asks for it again meanwhile does not make it wait longer: two agents that ask
    ///   each other must come to an end.
    mutating func add(_ item: Item?, _ epoch: EpochName, for system: String, at now: UInt64) {
        if item == nil, wants[epoch] != nil || wants.count >= Self.mostWanted { return }
        var want = wants[epoch] ?? Want(system: system, askAt: now, until: 0)
        want.until = now.saturating(adding: patience)
        if let item { want.items.append((item, want.until)) }
        wants[epoch] = want
    }

    func wants(_ epoch: EpochName) -> Bool { wants[epoch] != nil }

    /// The key is here, or will never be.
    mutating func take(_ epoch: EpochName) -> [Item] { wants.removeValue(forKey: epoch)?.items.map(\.item) ?? [] }

    /// Who is to be asked for now, by the system that opens.
    mutating func due(at now: UInt64) -> [(system: String, epochs: [EpochName])] {
        var due: [String: [EpochName]] = [:]
        for (epoch, want) in wants where want.askAt <= now && due[want.system, default: []].count < Limits.wantedEpochs
        {
            due[want.system, default: []].append(epoch)
            wants[epoch]?.askAt = now.saturating(adding: want.pause)
            wants[epoch]?.pause = min(want.pause * 2, Self.longestPause)
        }
        return due.map { ($0.key, $0.value.sorted { ($0.sender, $0.epoch) < ($1.sender, $1.epoch) }) }
    }

    /// What waited too long.
    mutating func expired(at now: UInt64) -> [(item: Item, epoch: EpochName)] {
        var expired: [(item: Item, epoch: EpochName)] = []
        for (epoch, want) in wants where want.until <= now || (want.items.first?.until ?? .never) <= now {
            expired += want.items.filter { $0.until <= now }.map { ($0.item, epoch) }
            wants[epoch]?.items.removeAll { $0.until <= now }
            if want.until <= now { wants[epoch] = nil }
        }
        return expired
    }

    /// Everything, at the end.
    mutating func takeAll() -> [Item] {
        defer { wants = [:] }
        return wants.values.flatMap { $0.items.map(\.item) }
    }
}
