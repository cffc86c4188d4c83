import BusDirectory
import BusProtocol

/// What must come sealed, by the indices of one space: the rule itself is the directory's, which agents ask as well.
struct RequiredSeals: Sendable {
    private let systems: [Bool]
    private let events: [Bool]

    init(_ directory: Directory, systems: [String], events: [String]) {
        self.systems = systems.map { directory.isSealed($0) }
        self.events = events.map {
            directory.sealedReceivers(of: $0, publisher: Names.system(of: $0)) != nil
        }
    }

    /// What is for this system.
    func covers(system: Int) -> Bool { systems.indices.contains(system) && systems[system] }
    func covers(event: Int) -> Bool { events[event] }
}
