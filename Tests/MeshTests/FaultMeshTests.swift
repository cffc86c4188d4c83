import BusAgent
import BusTesting
import Foundation
import Testing

/// What befalls real processes: the sender always learns what happened, and nothing accepted is lost.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FaultMeshTests {
    private static let pair = [TestSpace.Way(consumer: "alpha", provider: "bravo")]

    @Test("a provider killed in mid-request: the consumer is told it was lost, long before its deadline")
    func providerKilled() async throws {
        try await withMesh(delay: ["bravo": 20_000]) { mesh, agent in
            let asked = Task {
                await expectFault(5022) {
                    _ = try await agent.ask(
                        "bravo.ping.v1", bytes(#"{"token":1}"#), as: "alpha", deadline: .seconds(60))
                }
            }
            try await waitForOpenCall(mesh)
            mesh.agent("bravo-1")?.kill()
            await asked.value
        }
    }

    @Test("a broker killed in mid-request: the agents come back and the request is answered once")
    func brokerKilled() async throws {
        try await withMesh(delay: ["bravo": 1_500]) { mesh, agent in
            let asked = Task {
                try await agent.ask("bravo.ping.v1", bytes(#"{"token":7}"#), as: "alpha", deadline: .seconds(60))
            }
            try await waitForOpenCall(mesh)
            mesh.broker.kill()
            await mesh.broker.waitForExit(within: .seconds(5))
            try mesh.broker.start()
            let answer = try await asked.value
            #expect(String(decoding: answer.body, as: UTF8.self).contains(#""token":7"#))
        }
    }

    @Test("a silent provider (SIGSTOP) is given up after its heartbeats, and taken back when it speaks")
    func providerPaused() async throws {
        try await withMesh { mesh, agent in
            mesh.agent("bravo-1")?.pause()
            let isGone = await eventually(within: .seconds(20)) {
                (try? await mesh.admin.connectedAgents())?.contains("bravo-1") == false
            }
            #expect(isGone)
            await expectFault(5030) {
                _ = try await agent.ask("bravo.ping.v1", bytes(#"{"token":1}"#), as: "alpha")
            }
            mesh.agent("bravo-1")?.resume()
            try await mesh.waitForAgents(["bravo-1"], within: .seconds(30))
            _ = try await agent.ask("bravo.ping.v1", bytes(#"{"token":2}"#), as: "alpha")
        }
    }

    @Test("a second process with the same key is refused while the first lives")
    func sameKeyTwice() async throws {
        try await withMesh { mesh, agent in
            var configuration = agent.configuration
            configuration.connectDeadline = .seconds(5)
            await expectFault(4091) {
                let second = try await Agent.connect(configuration)
                await second.close()
            }
            _ = try await agent.ask("bravo.ping.v1", bytes(#"{"token":3}"#), as: "alpha")
        }
    }

    @Test("an unknown key gets no session")
    func unknownKey() async throws {
        try await withMesh { mesh, agent in
            var configuration = agent.configuration
            configuration.keys = try KeyFile.create(name: "stranger", in: mesh.folder.keys)
            configuration.connectDeadline = .seconds(2)
            // The handshake itself fails, so the stranger never learns more than that there is no broker for it.
            await expectFault(5032) {
                let stranger = try await Agent.connect(configuration)
                await stranger.close()
            }
            let refused = try await mesh.admin.get("/v1/agents")
            #expect(!refused["refused_keys"].array.isEmpty, "the refused key is not shown to operators")
        }
    }

    @Test("SIGTERM ends the broker with code 0, and a second run goes on in the same journal")
    func stopAndGoOn() async throws {
        try await withMesh { mesh, agent in
            _ = try await agent.ask("bravo.ping.v1", bytes(#"{"token":1}"#), as: "alpha")
            let before = try await treeSize(mesh)
            await mesh.broker.stop()
            #expect(mesh.broker.exitCode == 0, "\(mesh.broker.logTail())")
            try mesh.broker.start()
            try await mesh.waitUntilHealthy(within: .seconds(30))
            let after = try await treeSize(mesh)
            #expect(after >= before)
            try await mesh.waitForAgents(["bravo-1"], within: .seconds(30))
            _ = try await agent.ask("bravo.ping.v1", bytes(#"{"token":2}"#), as: "alpha", deadline: .seconds(20))
        }
    }

    // MARK: - A broker that cannot start says why

    @Test(
        "a taken port, a held folder, a foreign file, a file in place of the folder: each a clear error and exit code 2"
    )
    func startErrors() async throws {
        try await withMesh { mesh, _ in
            let port = mesh.brokerAddress
            try await expectRefusedStart(mesh, data: nil, listen: port, says: "taken")
            try await expectRefusedStart(
                mesh, data: prepared(mesh, "console"), listen: "tcp://127.0.0.1:*", http: mesh.httpAddress,
                says: "taken")
            try await expectRefusedStart(
                mesh, data: mesh.folder.path, listen: "tcp://127.0.0.1:*", says: "another broker")
            let foreign = try prepared(mesh, "foreign")
            let path = foreign + "/journal.sqlite"
            try FileManager.default.copyItem(atPath: mesh.folder.registers + "/bravo.sqlite", toPath: path)
            let digest = try Data(contentsOf: URL(fileURLWithPath: path))
            try await expectRefusedStart(mesh, data: foreign, listen: "tcp://127.0.0.1:*", says: "another program")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == digest, "the foreign file was changed")
            let text = try prepared(mesh, "text")
            try Data("no database\n".utf8).write(to: URL(fileURLWithPath: text + "/journal.sqlite"))
            try await expectRefusedStart(mesh, data: text, listen: "tcp://127.0.0.1:*", says: "SQLite")
        }
    }

    @Test("a clock set back by a day: requests go on, and journal times never run back")
    func clockSetBack() async throws {
        let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
        guard FileManager.default.fileExists(atPath: library) else {
            print("NOT RUN: libfaketime is missing")
            return
        }
        try await withMesh { mesh, agent in
            let first = try await agent.ask("bravo.ping.v1", bytes(#"{"token":1}"#), as: "alpha")
            let before = try await mesh.admin.get("/v1/messages/\(first.id)")["message"]["committed_us"].int ?? .max
            await mesh.broker.stop()
            let late = ChildProcess(
                name: "broker", executable: "/usr/bin/env",
                // `nice` only passes it on: the library moves the environment of the first program it is loaded into, and
                // with it the place where a Swift program looks for its arguments.
                arguments: [
                    "LD_PRELOAD=\(library)", "FAKETIME=-1d", "FAKETIME_DONT_FAKE_MONOTONIC=1", "nice", "-n", "0",
                    mesh.broker.executable,
                ] + mesh.broker.arguments, log: mesh.broker.log)
            try late.start()
            do {
                try await mesh.waitUntilAnswering(within: .seconds(30))
                try await mesh.waitForAgents(["bravo-1"], within: .seconds(30))
                let answer = try await agent.ask(
                    "bravo.ping.v1", bytes(#"{"token":2}"#), as: "alpha", deadline: .seconds(20))
                #expect(!answer.body.isEmpty)
                // The journal's clock stands still rather than running back.
                let times = try await mesh.admin.get("/v1/messages/\(answer.id)")["message"]
                #expect((times["committed_us"].int ?? 0) >= before, "committed before what was committed earlier")
            } catch {
                await late.stop()
                throw error
            }
            await late.stop()
        }
    }

    // MARK: - Steps

    private func withMesh(
        delay: [String: Int] = [:], _ body: (Mesh, Agent) async throws -> Void
    ) async throws {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: Self.pair, delayMilliseconds: delay)
        defer { space.remove() }
        let mesh = try await Mesh.start(.init(root: space.root))
        let agent = try await mesh.connect()
        do { try await body(mesh, agent) } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await agent.close()
        await mesh.stop()
    }

    private func waitForOpenCall(_ mesh: Mesh) async throws {
        let admin = mesh.admin
        let isOpen = await eventually(within: .seconds(10)) {
            ((try? await admin.get("/v1/status"))?["broker"]["open_calls"].int ?? 0) > 0
        }
        #expect(isOpen, "the request is not under way")
    }

    private func treeSize(_ mesh: Mesh) async throws -> Int {
        try await mesh.admin.get("/v1/journal")["tree_size"].int ?? -1
    }

    /// A data folder with the mesh's keys and nothing else.
    private func prepared(_ mesh: Mesh, _ name: String) throws -> String {
        let folder = mesh.folder.path + "/" + name
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: mesh.folder.keys, toPath: folder + "/keys")
        return folder
    }

    private func expectRefusedStart(
        _ mesh: Mesh, data: String?, listen: String, http: String = "127.0.0.1:0", says: String
    ) async throws {
        let data = try data ?? prepared(mesh, "other")
        var arguments = mesh.broker.arguments
        for (option, value) in [("--data", data), ("--listen", listen), ("--http", http)] {
            if let index = arguments.firstIndex(of: option) { arguments[index + 1] = value }
        }
        let log = mesh.folder.logs + "/refused-\(UUID().uuidString.prefix(4)).log"
        let broker = ChildProcess(name: "refused", executable: mesh.broker.executable, arguments: arguments, log: log)
        try broker.start()
        #expect(await broker.waitForExit(within: .seconds(20)), "it runs on")
        #expect(broker.exitCode == 2, "exit code \(broker.exitCode ?? -1)")
        #expect(broker.logTail().contains(says), "\(broker.logTail())")
        broker.kill()
    }
}
