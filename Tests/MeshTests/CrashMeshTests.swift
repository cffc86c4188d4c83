import BusTesting
import Foundation
import Testing

/// The promise, with real processes: what was accepted survives every fault and has one effect.
///
/// Short forms of `kerege-chaos campaign`, each with another seed every time.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CrashMeshTests {
    @Test("a broker killed at every step of its journal loses nothing, repeats nothing, keeps every key's order")
    func brokerKilledAgainAndAgain() async throws {
        let kills = Environment.number("KEREGE_KILLS") ?? 30
        let result = try await expectClean(BrokerKillCampaign(), runs: kills)
        #expect(result.runs == kills)
    }

    @Test("agents killed at every step of outbox and inbox: one row an order in the register, one outcome, one event")
    func agentsKilledAgainAndAgain() async throws {
        let result = try await expectClean(AgentKillCampaign(), runs: 8)
        #expect(result.runs >= 8 && result.recovery != nil)
    }

    @Test("processes that stand still, shortly and long, lose nothing and repeat nothing")
    func pausedAgainAndAgain() async throws {
        let result = try await expectClean(PauseCampaign(), runs: 4)
        #expect(result.runs == 4)
    }
}

/// Runs a campaign in its short form.
@discardableResult
func expectClean(
    _ campaign: some Campaign, runs: Int, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> CampaignResult {
    let seed = Environment.number("KEREGE_SEED").map { UInt64($0) } ?? .random(in: 0...UInt64(UInt32.max))
    print("\(campaign.name): seed \(seed)")
    let result = try await campaign.run(CampaignOrder(runs: runs, seed: seed))
    print(result.line)
    #expect(result.isClean, "\(result.findings.joined(separator: "\n"))", sourceLocation: sourceLocation)
    #expect(result.notRun != nil || result.runs > 0, sourceLocation: sourceLocation)
    return result
}

enum Environment {
    static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap(Int.init) }
}
