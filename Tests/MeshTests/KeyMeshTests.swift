import BusAgent
import BusDirectory
import BusEvidence
import BusTesting
import Foundation
import Synchronization
import Testing

/// Keys and the signed space with real processes: everything on by itself, revoked at once, changed without a break, never rolled back.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct KeyMeshTests {
    private static let pair = [TestSpace.Way(consumer: "alpha", provider: "bravo")]

    /// alpha and bravo; only bravo's agent runs as a process.
    private func withMesh(_ body: (Mesh, TestSpace) async throws -> Void) async throws {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: Self.pair)
        defer { space.remove() }
        let mesh = try await Mesh.start(.init(root: space.root, agents: ["bravo"]))
        do { try await body(mesh, space) } catch {
            await mesh.stop()
            throw error
        }
        await mesh.stop()
    }

    @Test("nothing is to be typed: keys, seals, an authority, a signed space, and all of it pinned")
    func everythingIsOn() async throws {
        try await withMesh { mesh, space in
            let admin = try await mesh.admin.get("/v1/space")
            let authority = try AuthorityFile.publicKey(mesh.folder.authority)
            #expect(admin["authority"].string == "\(authority)")
            let entries = admin["snapshot"]["space"]["keys"].array
            #expect(entries.count == 3 && entries.allSatisfy { $0["sign"].string?.count == 64 })
            #expect(admin["snapshot"]["space"]["seals"].array.compactMap { $0["system"].string } == ["alpha", "bravo"])
            #expect(
                admin["snapshot"]["space"]["broker"]["sign"].string == (try mesh.folder.key("broker")).signPublicKey)
            for file in ["authority.key", "broker.key", "bravo-1.key", "bravo.seal", "bravo.subject"] {
                let path = "\(mesh.folder.keys)/\(file)"
                let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                #expect(mode == 0o600, "\(file)")
            }
            // The broker knows an agent before the agent has its space and has put it on the disk.
            let copy = mesh.folder.path + "/agents/bravo-1.space"
            #expect(await eventually(within: .seconds(20)) { FileManager.default.fileExists(atPath: copy) })
            let kept = try #require(FileManager.default.contents(atPath: copy))
            #expect(
                try SignedSpace(file: Array(kept)).isSigned(by: authority), "the agent's own copy is the authority's")
            let doctor = try await mesh.kerege(["doctor", "--json", "--contracts", space.root + "/Schemas/contracts"])
            #expect(doctor.output.contains(#"{"found":"4 key pairs and 2 seals"#), "\(doctor.output)")
            #expect(doctor.output.contains(#"{"found":"pinned","name":"authority","ok":true}"#), "\(doctor.output)")
        }
    }

    @Test("a secret that others may read: the daemon does not start")
    func openSecret() async throws {
        try await withMesh { mesh, _ in
            let agent = try #require(mesh.agent("bravo-1"))
            for file in ["bravo.seal", "bravo.subject", "bravo-1.key"] {
                let path = "\(mesh.folder.keys)/\(file)"
                await agent.stop()
                try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
                try agent.start()
                #expect(await agent.waitForExit(within: .seconds(20)))
                #expect(agent.exitCode == 2 && agent.logTail().contains("chmod 600 \(path)"), "\(agent.logTail())")
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            }
        }
    }

    @Test("an agent whose key is revoked while it sends is cut off within a second")
    func revoked() async throws {
        try await withMesh { mesh, space in
            let alpha = try await Agent.connect(mesh.configuration("alpha-1", ["alpha"]))
            let answered = LastAnswer()
            let sending = Task {
                for token in 0..<Int.max {
                    if Task.isCancelled { return }
                    let answer = try? await alpha.ask(
                        "bravo.ping.v1", bytes(#"{"token":\#(token)}"#), deadline: .milliseconds(500))
                    if answer != nil { answered.note() }
                }
            }
            #expect(await eventually(within: .seconds(10)) { answered.count > 20 })
            try mesh.edit {
                $0.replacing("  - agent: alpha-1\n", with: "  - agent: alpha-1\n    revoked: 2026-11-27\n")
            }
            #expect(try await mesh.apply(space) == 0)
            let applied = ContinuousClock.now
            #expect(
                await eventually(within: .seconds(20)) {
                    !alpha.isConnected && !answered.isLater(than: applied + .seconds(1))
                })
            let isGone = await eventually(within: .seconds(10)) {
                (try? await mesh.admin.connectedAgents()) == ["bravo-1"]
            }
            #expect(isGone)
            // It goes on trying, and nothing of it is taken any more.
            let count = answered.count
            let refused = await eventually(within: .seconds(10)) {
                (try? await mesh.admin.get("/v1/agents"))?["refused_keys"].array.isEmpty == false
            }
            #expect(refused, "the door is closed to it")
            #expect(answered.count == count && !answered.isLater(than: applied + .seconds(1)))
            sending.cancel()
            await sending.value
            await alpha.close()
            // Also with a connection of its own.
            await expectFault(5032) {
                let again = try await Agent.connect(mesh.configuration("alpha-1", ["alpha"], within: .seconds(2)))
                await again.close()
            }
        }
    }

    @Test("a key is changed while requests run: none is lost, and the old key is refused in the end")
    func rotated() async throws {
        try await withMesh { mesh, space in
            let alpha = try await Agent.connect(mesh.configuration("alpha-1", ["alpha"]))
            let results = Results()
            let sending = Task {
                for token in 0..<Int.max {
                    if results.isOver { return }
                    do {
                        _ = try await alpha.ask("bravo.ping.v1", bytes(#"{"token":\#(token)}"#), deadline: .seconds(20))
                        results.answered()
                    } catch { results.failed("\(error)") }
                }
            }
            let old = try #require(mesh.agent("bravo-1"))
            // The new key beside the old one.
            let next = mesh.folder.path + "/keys-next"
            let made = try KeyFile.create(name: "bravo-1", in: next)
            for file in ["broker.pub", "authority.pub", "bravo.seal"] {
                try FileManager.default.copyItem(atPath: "\(mesh.folder.keys)/\(file)", toPath: "\(next)/\(file)")
            }
            try mesh.edit { text in
                text + "  - agent: bravo-1\n    systems: [bravo]\n    curve: '\(made.publicKey)'\n"
                    + "    sign: \(made.signPublicKey ?? "")\n    from: 2026-01-01\n"
            }
            #expect(try await mesh.apply(space) == 0)
            // The agent starts with it, then the one with the old key drains.
            let new = old.moved(arguments: old.arguments.map { $0 == mesh.folder.keys ? next : $0 })
            try new.start()
            defer { new.kill() }
            let areBoth = await eventually(within: .seconds(20)) {
                let agents = try? await mesh.admin.get("/v1/agents")["agents"].array
                return agents?.filter { $0["agent"].string == "bravo-1" }.count == 2
            }
            #expect(areBoth, "\(new.logTail())")
            await old.stop()
            #expect(old.exitCode == 0)
            let oldKey = try mesh.folder.key("bravo-1").publicKey
            try mesh.edit {
                $0.replacing("    curve: '\(oldKey)'\n", with: "    curve: '\(oldKey)'\n    revoked: 2026-11-27\n")
            }
            #expect(try await mesh.apply(space) == 0)
            let before = results.count
            #expect(await eventually(within: .seconds(20)) { results.count > before + 20 })
            results.end()
            await sending.value
            #expect(results.failures == [], "of \(results.count)")
            // Who still has the old key does not get in.
            try old.start()
            #expect(
                await eventually(within: .seconds(20)) {
                    (try? await mesh.admin.get("/v1/agents"))?["refused_keys"].array.isEmpty == false
                })
            await alpha.close()
            await new.stop()
        }
    }

    @Test("an agent that has seen a newer space, or knows another authority, refuses the broker")
    func rolledBack() async throws {
        try await withMesh { mesh, space in
            let first = mesh.folder.path + "/first.signed"
            try FileManager.default.copyItem(atPath: mesh.folder.signedSpace, toPath: first)
            let own = mesh.folder.path + "/own"
            try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
            let alpha = try await Agent.connect(mesh.configuration("alpha-1", ["alpha"], data: own))
            try mesh.edit {
                $0.replacing("  - agent: operator\n", with: "  - agent: operator\n    until: 2199-12-31\n")
            }
            #expect(try await mesh.apply(space) == 0)
            #expect(
                await eventually(within: .seconds(10)) { alpha.spaceVersion == 2 },
                "a live session is sent the new space")
            await alpha.close()
            let foreign = try AuthorityFile.create(in: mesh.folder.path + "/foreign")
            let newest = try SignedSpace(file: Array(try #require(FileManager.default.contents(atPath: first))))
                .snapshot
            let forged = try SignedSpace(
                SpaceSnapshot(newest.space, after: SpaceSnapshot(newest.space, after: newest)), by: foreign.secret)
            try Data(forged.file).write(to: URL(fileURLWithPath: mesh.folder.path + "/forged.signed"))
            let refused = try await mesh.kerege(["space", "apply", mesh.folder.path + "/forged.signed"])
            #expect(refused.code == 1 && refused.output.contains("not signed by the authority"), "\(refused.output)")
            #expect(refused.output.contains("the secret half of this broker's authority"), "\(refused.output)")
            await mesh.broker.stop()
            // Without the receipt and the checkpoint of the log: only the space is left to tell.
            try FileManager.default.removeItem(atPath: own + "/agents/alpha-1.memory")
            try? FileManager.default.removeItem(atPath: own + "/agents/alpha-1.checkpoint")

            try await withBroker(mesh, space: first, authority: mesh.folder.authority, name: "older") {
                await expectFault(4094) {
                    let agent = try await Agent.connect(mesh.configuration("alpha-1", ["alpha"], data: own))
                    await agent.close()
                }
            }
            try await withBroker(
                mesh, space: mesh.folder.path + "/forged.signed",
                authority: mesh.folder.path + "/foreign/authority.pub",
                name: "foreign"
            ) {
                await expectFault(4094) {
                    let agent = try await Agent.connect(mesh.configuration("alpha-1", ["alpha"]))
                    await agent.close()
                }
            }
        }
    }

    @Test(
        "an unsigned space does not go over a signed one; where one did, the next signed version brings the agents back"
    )
    func unsignedOverSigned() async throws {
        try await withMesh { mesh, space in
            let places = [space.root + "/deploy/space", mesh.folder.keyList]
            let contracts = ["--contracts", space.root + "/Schemas/contracts"]
            var words = ["--listen", mesh.brokerAddress, "--http", mesh.httpAddress, "--data", mesh.folder.path]
            words += contracts + ["--stop-with-parent"]
            for place in places { words += ["--space", place] }
            let unsigned = mesh.broker.moved(arguments: words)
            await mesh.broker.stop()
            try unsigned.start()
            #expect(await unsigned.waitForExit(within: .seconds(20)))
            let options = "--authority \(mesh.folder.authority) --signed-space \(mesh.folder.path)/space.signed"
            #expect(unsigned.exitCode == 2 && unsigned.logTail().contains(options), "\(unsigned.logTail())")

            // As a broker of before has left it: it looked at no signed space, and at no signature.
            let kept = ["space.signed", SpaceSignatures.fileName].map {
                URL(fileURLWithPath: mesh.folder.path + "/" + $0)
            }
            let signed = try kept.map { try Data(contentsOf: $0) }
            for file in kept { try FileManager.default.removeItem(at: file) }
            try unsigned.start()
            try await mesh.waitUntilAnswering(within: .seconds(30))
            await unsigned.stop()
            for (file, bytes) in zip(kept, signed) { try bytes.write(to: file) }
            let doctor = try await mesh.kerege(["doctor", "--json"] + contracts)
            #expect(doctor.output.contains("version 2 of the space is in force over version 1"), "\(doctor.output)")

            // What kerege up does before it starts anything.
            #expect(try mesh.folder.signSpace(places).snapshot.version == 3)
            try mesh.broker.start()
            try await mesh.waitUntilHealthy(within: .seconds(30))
            try await mesh.waitForAgents(["bravo-1"], within: .seconds(60))
            #expect(try await mesh.admin.get("/v1/space")["snapshot"]["version"].int == 3)
            let mended = try await mesh.kerege(["doctor", "--json"] + contracts)
            #expect(mended.output.contains(#"{"found":"pinned","name":"authority","ok":true}"#), "\(mended.output)")
        }
    }

    // MARK: - Steps

    /// A broker with the keys of this mesh on its port, and a journal of its own.
    private func withBroker(
        _ mesh: Mesh, space: String, authority: String, name: String, _ body: () async throws -> Void
    ) async throws {
        let data = "\(mesh.folder.path)/\(name)"
        let broker = ChildProcess(
            name: name, executable: mesh.broker.executable,
            arguments: [
                "--listen", mesh.brokerAddress, "--http", mesh.httpAddress, "--data", data, "--key",
                mesh.folder.keys + "/broker.key", "--authority", authority, "--signed-space", space,
                "--stop-with-parent",
            ], log: "\(mesh.folder.logs)/\(name).log")
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        try broker.start()
        let admin = MeshAdmin(address: mesh.httpAddress, tokenFile: data + "/admin.token")
        let isUp = await eventually(within: .seconds(20)) { (try? await admin.get("/v1/status")) != nil }
        #expect(isUp, "\(broker.logTail())")
        do { try await body() } catch {
            await broker.stop()
            throw error
        }
        await broker.stop()
    }
}

/// When the last answer came.
private final class LastAnswer: Sendable {
    private let state = Mutex<(count: Int, last: ContinuousClock.Instant?)>((0, nil))
    func note() {
        state.withLock { state in
            state.count += 1
            state.last = .now
        }
    }
    var count: Int { state.withLock { $0.count } }
    func isLater(than instant: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.last.map { $0 > instant } ?? false }
    }
}

private final class Results: Sendable {
    private let state = Mutex<(count: Int, failures: [String])>((0, []))
    private let over = Mutex(false)
    func end() { over.withLock { $0 = true } }
    var isOver: Bool { over.withLock { $0 } }
    func answered() { state.withLock { $0.count += 1 } }
    func failed(_ why: String) { state.withLock { $0.failures.append(why) } }
    var count: Int { state.withLock { $0.count } }
    var failures: [String] { state.withLock { $0.failures } }
}
