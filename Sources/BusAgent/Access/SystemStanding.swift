import BusDirectory

/// What the space says of a system's name and of an agent's key. Whoever was refused (4011) is told by it which of them is the wrong
/// one.
package struct SystemStanding: Sendable, Equatable {
    /// Whether the space has a system of this name.
    package let isInSpace: Bool
    /// The systems that the key may speak as.
    package let own: [String]
}

/// Who may speak as which system.
struct Speakers: Sendable {
    private let systems: Set<String>
    /// By the public key of the connection.
    private let byKey: [String: [String]]

    init() { (systems, byKey) = ([], [:]) }

    init(_ space: Space) {
        systems = Set(space.systems.map(\.id))
        byKey = Dictionary(space.keys.map { ($0.curve, $0.systems) }, uniquingKeysWith: { $0 + $1 })
    }

    func standing(of system: String, key: String?) -> SystemStanding {
        let own = key.flatMap { byKey[$0] } ?? []
        return SystemStanding(isInSpace: systems.contains(system), own: Set(own).sorted())
    }
}
