import BusAgent
import BusTesting
import Foundation
import Testing

/// A broker and a provider on two hosts (network namespaces), and a cable between them that is pulled.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct PartitionMeshTests {
    private static let pair = [TestSpace.Way(consumer: "alpha", provider: "bravo")]

    @Test("a cable that is pulled: the provider is given up by its silence, and taken back when the cable is in again")
    func partition() async throws {
        guard let far = FarHost() else { return print("NOT RUN: network namespaces cannot be made here") }
        defer { far.remove() }
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: Self.pair)
        defer { space.remove() }
        let mesh = try Mesh(.init(root: space.root, agents: ["bravo"]))
        let address = far.address(of: mesh)
        let broker = mesh.broker.moved(arguments: mesh.broker.arguments.replacing(option: "--listen", by: address))
        let agent = try #require(mesh.agent("bravo-1"))
        let bravo = far.moved(agent.moved(arguments: agent.arguments.replacing(option: "--broker", by: address)))
        try broker.start()
        try await mesh.waitUntilAnswering(within: .seconds(30))
        try bravo.start()
        let alpha = try await connect(mesh, address)
        @Sendable func ask(_ token: Int, _ deadline: Duration) async throws {
            _ = try await alpha.ask("bravo.ping.v1", bytes(#"{"token":\#(token)}"#), as: "alpha", deadline: deadline)
        }
        #expect(
            await eventually(within: .seconds(30)) { (try? await ask(1, .seconds(2))) != nil }, "\(bravo.logTail())")
        far.pull()
        // The connection stays open on both sides: only silence tells.
        let isGone = await eventually(within: .seconds(30)) {
            do {
                try await ask(2, .seconds(20))
                return false
            } catch { return (error as? BusFault)?.number == 5030 }
        }
        #expect(isGone, "\(broker.logTail())")
        far.plug()
        #expect(
            await eventually(within: .seconds(60)) { (try? await ask(3, .seconds(2))) != nil }, "\(bravo.logTail())")
        await alpha.close()
        await bravo.stop()
        await broker.stop()
        await mesh.stop()
    }

    private func connect(_ mesh: Mesh, _ address: String) async throws -> Agent {
        var configuration = AgentConfiguration(broker: address, name: MeshFolder.operatorName, systems: [])
        configuration.brokerKey = try mesh.folder.key("broker").publicKey
        configuration.keys = try mesh.folder.key(MeshFolder.operatorName)
        configuration.loadEverySeal(from: mesh.folder.keys)
        return try await Agent.connect(configuration)
    }
}
