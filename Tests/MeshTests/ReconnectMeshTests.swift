import BusTesting
import Testing

/// Many agents at once: a broker that comes back is met by all of them in the same moment.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ReconnectMeshTests {
    @Test("agents that all lose their broker at once all come back, and each is served")
    func storm() async throws {
        let agents = Environment.number("KEREGE_AGENTS") ?? 60
        try await expectClean(ReconnectCampaign(agents: agents), runs: 1)
    }
}
