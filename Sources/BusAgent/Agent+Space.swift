import BusProtocol

/// Before the first space nobody knows what the plan states and what must be sealed. A message could not leave yet anyway, so it is made
/// when it can.
extension Agent {
    /// Between two looks whether it has come.
    private static let spaceInterval: Duration = .milliseconds(20)

    /// An agent that believes its broker, and one whose broker sends no space, waits for none.
    var knowsSpace: Bool { statedTerms.generation > 0 || configuration.authority == nil || isConnected }

    /// - Returns: what is left of the time.
    /// - Throws: why there is no session when the time is over.
    func awaitSpace(within limit: Duration) async throws(BusFault) -> Duration {
        guard !knowsSpace else { return limit }
        let end = ContinuousClock.now + limit
        while !knowsSpace {
            guard ContinuousClock.now < end else {
                try await waitUntilConnected(within: .zero)
                break
            }
            do { try await Task.sleep(for: Self.spaceInterval) } catch {
                throw BusFault(.deadlinePassed, at: .consumerAgent, "the call was cancelled")
            }
        }
        return max(.zero, ContinuousClock.now.duration(to: end))
    }

    /// What the space says of a system and of this agent's key.
    /// - Returns: nil when no space came within the time.
    package func standing(of system: String, within limit: Duration) async -> SystemStanding? {
        let end = ContinuousClock.now + limit
        while statedTerms.generation == 0 {
            guard ContinuousClock.now < end else { return nil }
            do { try await Task.sleep(for: Self.spaceInterval) } catch { return nil }
        }
        return statedTerms.standing(of: system, key: configuration.keys?.publicKey)
    }
}
