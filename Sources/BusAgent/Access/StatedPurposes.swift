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

extension Agent {
    /// Between two looks whether the first space has come.
    private static let purposeInterval: Duration = .milliseconds(20)

    /// Before the first space nobody knows what the plan states. A message could not leave yet anyway, so it is made when it can.
    /// - Returns: what is left of the time; nil when nothing was waited for.
    /// - Throws: why there is no session when the time is over.
    func awaitPurposes(within limit: Duration) async throws(BusFault) -> Duration? {
        guard !knowsPurposes else { return nil }
        let end = ContinuousClock.now + limit
        while !knowsPurposes {
            guard ContinuousClock.now < end else {
                try await waitUntilConnected(within: .zero)
                break
            }
            do { try await Task.sleep(for: Self.purposeInterval) } catch {
                throw BusFault(.deadlinePassed, at: .consumerAgent, "the call was cancelled")
            }
        }
        return max(.zero, ContinuousClock.now.duration(to: end))
    }

    /// An agent that believes its broker, and one whose broker sends no space, waits for none.
    private var knowsPurposes: Bool { statedPurposes.generation > 0 || configuration.authority == nil || isConnected }
}
