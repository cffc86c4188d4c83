import BusAgent
import BusSystems
import BusTesting
import Foundation
import Testing

/// An event from one register's database to another's: nobody asks, and yet the second one knows.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct EventMeshTests {
    private static let scale = 100

    @Test("a death in individuals marks the director in legal-entities, also when that agent was away")
    func deathMarksDirector() async throws {
        let mesh = try await Mesh.start(.init(root: projectRoot, agents: ["individuals", "legal-entities"]))
        let agent = try await mesh.connect()
        do {
            let population = Population(seed: 1, scale: Scale(oneIn: Self.scale))
            let companies = [population.company(0), population.company(1)]
            try await expectMark(companies[0].bin, agent, isMarked: false)
            try die(population.iin(companies[0].director), mesh)
            try await expectMark(companies[0].bin, agent, isMarked: true)

            // The second death happens while the subscriber is dead itself; the journal keeps the event for it.
            mesh.agent("legal-entities-1")?.kill()
            await mesh.agent("legal-entities-1")?.waitForExit(within: .seconds(5))
            try die(population.iin(companies[1].director), mesh)
            let admin = mesh.admin
            let isAccepted = await eventually(within: .seconds(20)) {
                ((try? await admin.get("/v1/status"))?["counters"]["events_accepted"].int ?? 0) >= 2
            }
            #expect(isAccepted, "the second event was not published")
            mesh.broker.kill()
            await mesh.broker.waitForExit(within: .seconds(5))
            try mesh.broker.start()
            try mesh.agent("legal-entities-1")?.start()
            try await mesh.waitForAgents(["legal-entities-1"], within: .seconds(30))
            try await expectMark(companies[1].bin, agent, isMarked: true)
        } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await agent.close()
        await mesh.stop()
    }

    private func die(_ iin: String, _ mesh: Mesh) throws {
        let registry = try CivilRegistry(path: mesh.folder.registers + "/individuals.sqlite")
        let isNew = try registry.recordDeath(iin: iin, at: Int64(Date().timeIntervalSince1970 * 1000))
        #expect(isNew, "\(iin) was dead before")
    }

    private func expectMark(_ bin: String, _ agent: Agent, isMarked: Bool) async throws {
        let isAsExpected = await eventually(within: .seconds(20)) {
            guard
                let answer = try? await agent.ask(
                    "legal-entities.entity-get.v1", bytes(#"{"bin":"\#(bin)"}"#), as: "e-notary", deadline: .seconds(5))
            else { return false }
            let isUnmarked = String(decoding: answer.body, as: UTF8.self).contains(#""directorDeceasedSince":null"#)
            return isUnmarked != isMarked
        }
        #expect(isAsExpected, "the director of \(bin) is \(isMarked ? "not" : "already") marked")
    }
}
