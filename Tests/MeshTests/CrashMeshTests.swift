import BusTesting
import Foundation
import Testing

/// The promise, with real processes: what was accepted survives every crash and has one effect.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CrashMeshTests {
    @Test("a broker killed at every step of its journal loses nothing, repeats nothing, keeps every key's order")
    func brokerKilledAgainAndAgain() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["KEREGE_SEED"].flatMap(UInt64.init) ?? .random(in: 0 ... .max)
        let kills = environment["KEREGE_KILLS"].flatMap(Int.init) ?? 30
        print("seed \(seed)")
        let result = try await BrokerCrashCampaign(kills: kills, seed: seed).run()
        print(result.line)
        #expect(
            result.isClean,
            "lost \(result.lost.prefix(5)), twice \(result.duplicated.prefix(5)), out of order \(result.outOfOrder.prefix(5))"
        )
        #expect(result.faults.values.reduce(0, +) == kills)
        #expect(result.accepted > kills && result.published > kills)
    }
}
