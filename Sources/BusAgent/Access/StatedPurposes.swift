import BusDirectory
import BusProtocol
import Synchronization

/// Why systems ask services, as the integrations of the space say: the purpose of a call whose caller names none.
final class StatedPurposes: Sendable {
    private let byWay = Mutex<[String: String]>([:])
    private let changes = Atomic<UInt64>(0)

    /// Counts the spaces taken: what was made of an earlier one is stale.
    var generation: UInt64 { changes.load(ordering: .acquiring) }

    func take(_ space: Space) {
        let stated = space.integrations.compactMap { integration in
            integration.purpose.map { (Self.way(integration.consumer, integration.service), $0) }
        }
        byWay.withLock { $0 = Dictionary(stated) { first, _ in first } }
        changes.add(1, ordering: .releasing)
    }

    /// Empty where the plan states none.
    func purpose(of consumer: String, asking service: String) -> String {
        byWay.withLock { $0[Self.way(consumer, service)] } ?? ""
    }

    private static func way(_ consumer: String, _ service: String) -> String { "\(consumer) \(service)" }
}
