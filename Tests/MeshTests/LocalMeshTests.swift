import BusAgent
import BusTesting
import Foundation
import Testing

/// The mesh that users put into their own tests.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LocalMeshTests {
    private static let ways = [TestSpace.Way(consumer: "alpha", provider: "bravo")]

    @Test("a broker and two agents inside the test: asked, answered, checked against the contract, and counted")
    func askInProcess() async throws {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: Self.ways)
        defer { space.remove() }
        let mesh = try await LocalMesh.start(
            space: space.root + "/deploy/space", agents: ["alpha-1": ["alpha"], "bravo-1": ["bravo"]],
            contracts: space.root + "/Schemas/contracts")
        let bravo = try await mesh.agent("bravo-1") { agent in
            agent.answer("bravo.ping.v1") { inquiry in
                // A token of 13 brings an answer that breaks the contract.
                String(decoding: inquiry.body, as: UTF8.self).contains("13")
                    ? bytes(#"{"from":13}"#) : bytes(#"{"from":"bravo","token":1}"#)
            }
        }
        let alpha = try await mesh.agent("alpha-1")
        let answer = try await alpha.ask("bravo.ping.v1", bytes(#"{"token":1}"#))
        #expect(answer.body == bytes(#"{"from":"bravo","token":1}"#))
        await expectFault(5021) { _ = try await alpha.ask("bravo.ping.v1", bytes(#"{"token":13}"#)) }
        await expectFault(4220) { _ = try await alpha.ask("bravo.ping.v1", bytes(#"{"token":"x"}"#)) }
        let admin = mesh.admin
        let isCounted = await eventually(within: .seconds(10)) {
            (try? await admin.observedStates())?["alpha-to-bravo"] == "implemented"
        }
        #expect(isCounted)
        await alpha.close()
        await bravo.close()
        await mesh.stop()
    }

    @Test("two agents of one system share its load")
    func loadIsShared() async throws {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: Self.ways)
        defer { space.remove() }
        let mesh = try await LocalMesh.start(
            space: space.root + "/deploy/space", agents: ["bravo-1": ["bravo"], "bravo-2": ["bravo"]])
        let counts = [Counter(), Counter()]
        var agents: [Agent] = []
        for (index, count) in counts.enumerated() {
            agents.append(
                try await mesh.agent("bravo-\(index + 1)") { agent in
                    agent.answer("bravo.ping.v1") { inquiry in
                        count.add()
                        return inquiry.body
                    }
                })
        }
        let caller = try await mesh.caller()
        for token in 1...40 { _ = try await caller.ask("bravo.ping.v1", bytes(#"{"token":\#(token)}"#), as: "alpha") }
        #expect(counts[0].value + counts[1].value == 40)
        #expect(counts.allSatisfy { $0.value >= 10 }, "\(counts.map(\.value))")
        for agent in agents + [caller] { await agent.close() }
        await mesh.stop()
    }

    @Test("a slow line delays an agent's answers, and cutting it parts the agent from the bus")
    func slowLine() async throws {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: Self.ways)
        defer { space.remove() }
        var options = Mesh.Options(root: space.root)
        options.delays = ["bravo-1": .milliseconds(150)]
        let mesh = try await Mesh.start(options)
        let agent = try await mesh.connect()
        let answer = try await agent.ask("bravo.ping.v1", bytes(#"{"token":1}"#), as: "alpha", deadline: .seconds(20))
        // Two pieces at least, request and reply, each held back: the broker measured it.
        #expect(answer.hops.replyIn - answer.hops.requestOut >= 300_000, "\(answer.hops)")
        mesh.lines["bravo-1"]?.cut()
        let admin = mesh.admin
        let isParted = await eventually(within: .seconds(20)) {
            (try? await admin.connectedAgents())?.contains("bravo-1") == false
        }
        #expect(isParted)
        await agent.close()
        await mesh.stop()
    }
}

final class Counter: Sendable {
    private let lock = NSLock()
    // Guarded by `lock`.
    nonisolated(unsafe) private var count = 0
    func add() { lock.withLock { count += 1 } }
    var value: Int { lock.withLock { count } }
}
