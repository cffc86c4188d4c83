import BusDirectory
import BusProtocol
import Synchronization

/// What the space says of calls that do not say it themselves: why systems ask services, how long a command may wait, and who may
/// speak as whom.
final class StatedTerms: Sendable {
    private let purposes = Mutex<[String: String]>([:])
    private let expiries = Mutex<[String: Duration]>([:])
    private let speakers = Mutex(Speakers())
    private let changes = Atomic<UInt64>(0)

    /// Counts the spaces taken: what was made of an earlier one is stale.
    var generation: UInt64 { changes.load(ordering: .acquiring) }

    func take(_ space: Space) {
        let stated = space.integrations.compactMap { integration in
            integration.purpose.map { (Self.way(integration.consumer, integration.service), $0) }
        }
        purposes.withLock { $0 = Dictionary(stated) { first, _ in first } }
        let allowed = space.services.compactMap { service in
            service.kind == .command ? service.deadline.map { (service.name, Duration.milliseconds($0.count)) } : nil
        }
        expiries.withLock { $0 = Dictionary(allowed) { first, _ in first } }
        speakers.withLock { $0 = Speakers(space) }
        changes.add(1, ordering: .releasing)
    }

    /// Empty where the plan states none.
    func purpose(of consumer: String, asking service: String) -> String {
        purposes.withLock { $0[Self.way(consumer, service)] } ?? ""
    }

    /// The longest time a command may wait to be carried out; nil where the space says nothing.
    func longestExpiry(of command: String) -> Duration? { expiries.withLock { $0[command] } }

    func standing(of system: String, key: String?) -> SystemStanding {
        speakers.withLock { $0.standing(of: system, key: key) }
    }

    private static func way(_ consumer: String, _ service: String) -> String { "\(consumer) \(service)" }
}
