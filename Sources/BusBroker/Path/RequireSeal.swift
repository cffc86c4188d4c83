import BusDirectory
import BusProtocol

/// Which systems have a key to seal to: what is for them must come sealed, also on a day on which none of their keys is valid.
struct SealedSystems: Sendable {
    /// By the system's index.
    private let systems: Set<Int>

    init(_ space: Space, _ index: [String: Int]) { systems = Set(space.seals.compactMap { index[$0.system] }) }

    func has(_ system: Int) -> Bool { systems.contains(system) }
}

extension Rights {
    func seals(_ system: Int) -> Bool { sealKeys.has(system) }

    /// An event is sealed where its publisher and all its subscribers can open it: one of them without a key keeps it open for all.
    func seals(event: Int, of publisher: String) -> Bool {
        guard let system = system(publisher), seals(system) else { return false }
        return subscriptions[event].allSatisfy { seals($0.subscriber) }
    }
}
