import BusTesting

/// What the demonstration does to the space while it runs. Nothing else is staged: every state on the screen comes from the
/// traffic the agents make.
enum Scenario: String, CaseIterable {
    /// Stops the licensing system half way and starts it again.
    case firstLight = "first-light"
    /// Leaves everything alone.
    case calm

    struct Step: Sendable {
        let after: Duration
        let agent: String
        let action: Action
        enum Action: Sendable { case stop, start }
    }

    /// The steps of a run of a given length; without one, of a run that goes on.
    func steps(for length: Duration?) -> [Step] {
        switch self {
        case .calm: return []
        case .firstLight:
            let whole = length ?? .seconds(100)
            return [
                Step(after: whole * 2 / 5, agent: "e-licensing-1", action: .stop),
                Step(after: whole * 13 / 20, agent: "e-licensing-1", action: .start),
            ]
        }
    }

    func play(_ mesh: Mesh, for length: Duration?, say: @Sendable (String) -> Void) async throws {
        var passed = Duration.zero
        for step in steps(for: length) {
            try await Task.sleep(for: step.after - passed)
            passed = step.after
            guard let agent = mesh.agent(step.agent) else { continue }
            switch step.action {
            case .stop:
                say("the demonstration stops \(step.agent); watch what depends on it")
                await agent.stop()
            case .start:
                say("the demonstration starts \(step.agent) again")
                try agent.start()
            }
        }
    }
}
