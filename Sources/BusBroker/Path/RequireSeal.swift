import BusDirectory
import BusProtocol

/// Which systems have a key to seal to: what is for them must come sealed.
struct SealedSystems: Sendable {
    /// By the system's index.
    private let validities: [[KeyValidity]]

    init(_ space: Space, _ index: [String: Int]) {
        var validities = [[KeyValidity]](repeating: [], count: index.count)
        for entry in space.seals where entry.revoked == nil && entry.sealingKey != nil {
            if let system = index[entry.system] { validities[system].append(entry.validity) }
        }
        self.validities = validities
    }

    /// - Parameter now: Unix milliseconds.
    func has(_ system: Int, at now: Int64) -> Bool {
        validities.indices.contains(system) && validities[system].contains { $0.isValid(at: now) }
    }
}

extension Rights {
    func seals(_ system: Int, _ now: Moment) -> Bool { sealKeys.has(system, at: now.wallMilliseconds) }

    /// An event is sealed where its publisher and all its subscribers can open it: one of them without a key keeps it open for all.
    func seals(event: Int, of publisher: String, _ now: Moment) -> Bool {
        guard let system = system(publisher), seals(system, now) else { return false }
        return subscriptions[event].allSatisfy { seals($0.subscriber, now) }
    }
}
