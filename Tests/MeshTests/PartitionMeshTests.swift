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
        let port = try #require(mesh.brokerAddress.split(separator: ":").last)
        let address = "tcp://\(far.near):\(port)"
        let broker = mesh.broker.moved(arguments: replace("--listen", address, in: mesh.broker.arguments))
        let agent = try #require(mesh.agent("bravo-1"))
        let bravo = agent.moved(
            executable: "/usr/bin/env",
            arguments: ["ip", "netns", "exec", far.name, agent.executable]
                + replace("--broker", address, in: agent.arguments))
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

    private func replace(_ option: String, _ value: String, in arguments: [String]) -> [String] {
        var arguments = arguments
        if let index = arguments.firstIndex(of: option) { arguments[index + 1] = value }
        return arguments
    }

    private func connect(_ mesh: Mesh, _ address: String) async throws -> Agent {
        var configuration = AgentConfiguration(broker: address, name: MeshFolder.operatorName, systems: [])
        configuration.brokerKey = try mesh.folder.key("broker").publicKey
        configuration.keys = try mesh.folder.key(MeshFolder.operatorName)
        return try await Agent.connect(configuration)
    }
}

/// Another host, as far as the network knows: a namespace with one cable to this one.
struct FarHost {
    let name: String
    private let cable: String
    /// This host's address on the cable.
    let near: String

    init?() {
        let number = Int.random(in: 1...250)
        name = "kerege-\(number)"
        cable = "krg\(number)"
        near = "10.231.\(number).1"
        let steps = [
            ["netns", "add", name], ["link", "add", cable, "type", "veth", "peer", "name", "far0", "netns", name],
            ["addr", "add", "\(near)/30", "dev", cable], ["link", "set", cable, "up"],
            ["-n", name, "addr", "add", "10.231.\(number).2/30", "dev", "far0"],
            ["-n", name, "link", "set", "far0", "up"],
            ["-n", name, "link", "set", "lo", "up"],
        ]
        for step in steps where !Self.ip(step) {
            remove()
            return nil
        }
    }

    func pull() { _ = Self.ip(["-n", name, "link", "set", "far0", "down"]) }
    func plug() { _ = Self.ip(["-n", name, "link", "set", "far0", "up"]) }
    func remove() {
        _ = Self.ip(["link", "del", cable])
        _ = Self.ip(["netns", "del", name])
    }

    private static func ip(_ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ip"] + arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
