import BusAgent
import BusEvidence
import BusProtocol
import BusTesting
import Foundation
import Testing

/// The proof of a call over real processes, verified where there is nothing but the authority's public key.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct EvidenceMeshTests {
    private struct Run {
        var code: Int32?
        var output: String
    }

    @Test("a call is exported, holds for a stranger, and does not with a byte changed")
    func exportedAndVerified() async throws {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: [.init(consumer: "alpha", provider: "bravo")])
        defer { space.remove() }
        let mesh = try await Mesh.start(.init(root: space.root, agents: ["bravo"]))
        let elsewhere = NSTemporaryDirectory() + "kerege-stranger-" + UUID().uuidString.prefix(8).lowercased()
        defer { try? FileManager.default.removeItem(atPath: elsewhere) }
        do {
            try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
            let (id, checkpoint) = try await call(mesh)
            try await export(id, mesh, elsewhere)
            try FileManager.default.copyItem(atPath: mesh.folder.authority, toPath: elsewhere + "/authority.pub")
            // The request, the reply, and the records of what both were sealed with.
            let journal = try await kerege(mesh, ["journal", "verify", mesh.folder.path], elsewhere)
            #expect(
                journal.code == 0 && journal.output.contains("4 messages proven by "), "\(journal.output)")
            try await holdLog(mesh, elsewhere)
            let proof = try await mesh.admin.get("/v1/checkpoint/consistency?from=\(checkpoint)")
            #expect(proof["from"].int == checkpoint && (proof["to"].int ?? 0) >= checkpoint)
        } catch {
            await mesh.stop()
            throw error
        }
        // Nothing of the bus is left when it is verified.
        await mesh.stop()
        try await verify(elsewhere, mesh)
    }

    @Test("a call of an older version of the space is proven by that version")
    func olderSpace() async throws {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: [.init(consumer: "alpha", provider: "bravo")])
        defer { space.remove() }
        let mesh = try await Mesh.start(.init(root: space.root, agents: ["bravo"]))
        do {
            let old = try await call(mesh).id
            let key = try KeyFile.create(name: "extra-1", in: mesh.folder.path + "/keys-more")
            let list = try String(contentsOfFile: mesh.folder.keyList, encoding: .utf8)
            let entry = "  - agent: extra-1\n    systems: [alpha]\n    curve: '\(key.publicKey)'\n"
            try (list + entry).write(toFile: mesh.folder.keyList, atomically: true, encoding: .utf8)
            let broker = ["--data", mesh.folder.path, "--http", mesh.httpAddress]
            let places = [space.root + "/deploy/space", mesh.folder.keyList]
            let applied = try await kerege(mesh, ["space", "apply"] + places + broker, mesh.folder.logs)
            #expect(applied.code == 0, "\(applied.output)")
            let new = try await call(mesh).id
            for (id, version) in [(old, 1), (new, 2), (old, 1)] {
                let file = mesh.folder.path + "/\(UUID().uuidString).json"
                let made = try await kerege(mesh, ["evidence", "export", id, "-o", file] + broker, mesh.folder.logs)
                #expect(made.code == 0, "\(made.output)")
                let words = ["evidence", "verify", file, "--data", mesh.folder.path]
                let holds = try await kerege(mesh, words, mesh.folder.logs)
                #expect(holds.code == 0 && holds.output.contains("space test, version \(version),"), "\(holds.output)")
            }
        } catch {
            await mesh.stop()
            throw error
        }
        await mesh.stop()
    }

    @Test("a command with its outcome, and an event, have their bodies in the evidence")
    func durable() async throws {
        let mesh = try await LocalMesh.start(
            space: projectRoot + "/deploy/space",
            agents: ["real-estate-1": ["real-estate"], "e-notary-1": ["e-notary"], "individuals-1": ["individuals"]])
        let register = try await mesh.agent("real-estate-1") { agent in
            agent.perform("real-estate.encumbrance-impose.v1") { _ in .completed(bytes("{}")) }
        }
        let notary = try await mesh.agent("e-notary-1")
        let people = try await mesh.agent("individuals-1")
        let command = try await notary.send("real-estate.encumbrance-impose.v1", bytes("{}"))
        let event = try await people.publish("individuals.person-born.v1", bytes("{}"))
        let admin = mesh.admin
        for (id, count) in [(command.id, 2), (event.id, 1)] {
            let isThere = await eventually(within: .seconds(20)) {
                guard let page = try? await admin.get("/v1/messages/\(id)/evidence") else { return false }
                let messages = page["messages"].array
                return messages.count == count && messages[0]["body"].string != nil
                    && messages.allSatisfy { $0["proof"].string != nil }
            }
            #expect(isThere, "\(id)")
        }
        // The outcome says in its signed header which command it was made for.
        let messages = try await admin.get("/v1/messages/\(command.id)/evidence")["messages"].array
        let headers = messages.compactMap { $0["header"].string.flatMap { Data(base64Encoded: $0) } }
        let digest = try RequestDigest.value(in: Header(decoding: Array(headers[1])))
        let body = try #require(messages[0]["body"].string.flatMap { Data(base64Encoded: $0) })
        #expect(digest == LogHash.messageLeaf(header: headers[0], body: body).bytes)
        for agent in [register, notary, people] { await agent.close() }
        await mesh.stop()
    }

    /// - Returns: the call's id, and how many records the log had before it.
    private func call(_ mesh: Mesh) async throws -> (id: String, size: Int) {
        let size = try await mesh.admin.get("/v1/journal")["tree_size"].int ?? 0
        let agent = try await mesh.connect()
        let answer = try await agent.ask("bravo.ping.v1", bytes(#"{"token":7}"#), as: "alpha")
        await agent.close()
        return ("\(answer.id)", size)
    }

    private func export(_ id: String, _ mesh: Mesh, _ folder: String) async throws {
        let words = ["evidence", "export", id, "-o", folder + "/case.json"]
        let broker = ["--data", mesh.folder.path, "--http", mesh.httpAddress]
        let made = try await kerege(mesh, words + broker, folder)
        #expect(made.code == 0 && made.output.contains("2 messages"), "\(made.output)")
        let mode = try FileManager.default.attributesOfItem(atPath: folder + "/case.json")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let again = try await kerege(mesh, words + broker, folder)
        #expect(again.code == 2 && again.output.contains("--force"), "\(again.output)")
        #expect(try await kerege(mesh, words + ["--force"] + broker, folder).code == 0)
        let other = try await kerege(
            mesh, ["evidence", "export", "0199f3a2-0000-7000-8000-000000000000", "-o", folder + "/none"] + broker,
            folder)
        #expect(other.code == 1 && other.output.contains("no message"), "\(other.output)")
    }

    /// What an auditor keeps of the log; the journal held to it, and to the authority.
    private func holdLog(_ mesh: Mesh, _ folder: String) async throws {
        let broker = ["--data", mesh.folder.path, "--http", mesh.httpAddress]
        let seen = folder + "/seen.checkpoint"
        for says in ["seen for the first time", "it goes on from the "] {
            let kept = try await kerege(mesh, ["journal", "checkpoint", seen] + broker, folder)
            #expect(kept.code == 0 && kept.output.contains(says), "\(kept.output)")
        }
        let outside = ["--authority", folder + "/authority.pub", "--checkpoint", seen]
        let journal = try await kerege(mesh, ["journal", "verify", mesh.folder.path] + outside, folder)
        #expect(journal.code == 0, "\(journal.output)")
        #expect(journal.output.contains(" of them signed by the authority"), "\(journal.output)")
        let doctor = try await kerege(mesh, ["doctor"] + broker, folder)
        #expect(doctor.output.contains("ok   log: "), "\(doctor.output)")
        #expect(FileManager.default.fileExists(atPath: mesh.folder.path + "/seen.checkpoint"))
    }

    private func verify(_ folder: String, _ mesh: Mesh) async throws {
        let words = ["evidence", "verify", folder + "/case.json", "--authority", folder + "/authority.pub"]
        let holds = try await kerege(mesh, words, folder)
        #expect(holds.code == 0, "\(holds.output)")
        for line in [
            "signed by agent operator for alpha", "signed by agent bravo-1 for bravo",
            "the request and its answers, in order", "it was made for this very request", "the evidence holds",
        ] { #expect(holds.output.contains(line), "\(holds.output)") }
        let page = try await kerege(mesh, words + ["--json"], folder)
        #expect(page.code == 0 && page.output.contains(#""holds":true"#) && !page.output.contains(#""ok":false"#))

        let whole = try String(contentsOfFile: folder + "/case.json", encoding: .utf8)
        for (member, step) in [
            ("header", "header"), ("signature", "space"), ("snapshot", "space"), ("proof", "signature"),
        ] {
            let changed = try #require(Self.changed(whole, member))
            try changed.write(toFile: folder + "/case.json", atomically: true, encoding: .utf8)
            let fails = try await kerege(mesh, words, folder)
            #expect(fails.code == 1 && fails.output.contains("does NOT hold"), "\(member): \(fails.output)")
            #expect(fails.output.contains("FAIL \(step)") || member == "header", "\(member): \(fails.output)")
        }
        try String(whole.dropLast(100)).write(toFile: folder + "/case.json", atomically: true, encoding: .utf8)
        let cut = try await kerege(mesh, words, folder)
        #expect(cut.code == 2 && cut.output.contains("malformed-json"), "\(cut.output)")
    }

    /// One character in the middle of the first value of a member replaced by another of Base64.
    private static func changed(_ text: String, _ member: String) -> String? {
        guard let start = text.range(of: "\"\(member)\": \"")?.upperBound,
            let end = text[start...].firstIndex(of: "\"")
        else { return nil }
        let middle = text.index(start, offsetBy: text.distance(from: start, to: end) / 2)
        return text[..<middle] + (text[middle] == "A" ? "B" : "A") + text[text.index(after: middle)...]
    }

    private func kerege(_ mesh: Mesh, _ words: [String], _ folder: String) async throws -> Run {
        let log = "\(folder)/kerege-\(UUID().uuidString.prefix(8)).log"
        let process = ChildProcess(
            name: "kerege", executable: (mesh.broker.executable as NSString).deletingLastPathComponent + "/kerege",
            arguments: words, log: log)
        try process.start()
        await process.waitForExit(within: .seconds(60))
        return Run(code: process.exitCode, output: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
    }
}
