import BusAgent
import BusBroker
import BusContracts
import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol
import Foundation
import Testing

@testable import kerege

/// A run of the real program.
struct CommandRun: Sendable {
    var code: Int32
    var output: String
    var errors: String

    static func run(_ arguments: [String], program name: String = "kerege") async throws -> CommandRun {
        let place = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(fileURLWithPath: place).deletingLastPathComponent().appendingPathComponent(name)
        let files = (0..<2).map { _ in URL(fileURLWithPath: NSTemporaryDirectory() + "kerege-run-\(UUID().uuidString)")
        }
        for file in files { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = OpenAPI.root
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        return CommandRun(
            code: process.terminationStatus, output: try String(contentsOf: files[0], encoding: .utf8),
            errors: try String(contentsOf: files[1], encoding: .utf8))
    }

    /// Names of the members of the printed object, sorted.
    var members: [String] {
        get throws { try JSONValue.parse(output).object?.map(\.name).sorted() ?? [] }
    }
}

@Suite("Command line", .serialized, .timeLimit(.minutes(3)))
struct CommandTests {
    /// Nothing listens on port 1 of the loopback interface.
    static let nowhere = ["--http", "127.0.0.1:1"]

    @Test(
        "Exit codes without a broker",
        arguments: [
            (["status"] + nowhere, 3), (["systems"] + nowhere, 3), (["drain"] + nowhere, 3),
            (["trace", "0199f3a2-0000-7000-8000-000000000000"] + nowhere, 3),
            (["status", "--http", "example.kz:80"], 2),
            (["status", "--no-such-option"], 2), (["nonsense"], 2), (["call"], 2), (["trace", "x"] + nowhere, 2),
            (["space", "check", "deploy/space"], 0), (["space", "check", "no/such/folder"], 2), (["--help"], 0),
            (["--version"], 0), (["journal", "verify", "no/such/folder"], 2),
            (["journal", "checkpoint", "no-such-file"] + nowhere, 3), (["journal", "checkpoint"] + nowhere, 2),
            (["journal", "verify", "--data", "no/such/folder"], 2), (["journal", "verify", "a", "--data", "b"], 2),
            (["doctor", "--data", "no/such/folder"] + nowhere, 1),
            (["queues"] + nowhere, 3), (["queues", "--dead"] + nowhere, 3), (["queues", "--service", "a.b.v1"], 2),
            (["resend"], 2), (["resend", "x"], 2), (["resend", "--failed"], 2),
            (["resend", "--failed", "--service", "a.b.v1", "--since", "soon"], 2),
            (["resend", "0199f3a2-0000-7000-8000-000000000000"] + nowhere, 3),
            (["evidence", "export", "x", "-o", "no/such/file"] + nowhere, 2),
            (["evidence", "export", "0199f3a2-0000-7000-8000-000000000000", "-o", "no/such/file"] + nowhere, 2),
            (["evidence", "export", "0199f3a2-0000-7000-8000-000000000000", "-o", "no-such-file"] + nowhere, 3),
            (["replay", "a.b.v1", "--as", "portal", "--from", "now"], 2),
            (["replay", "a.b.v1", "--as", "portal", "--from", "beginning"] + nowhere, 3),
            (["send", "a.b.v1", "{}", "--id", "x"], 2), (["send", "a.b.v1", "{}", "--wait", "x"], 2),
            (["send", "a.b.v1", "{}", "--data", "no/such/folder"], 2), (["send", "a.b.v1", "no json"], 2),
            (["subscribe", "a.b.v1", "--count", "0"], 2), (["subscribe"], 2),
            (["keys", "new", "a b"], 2), (["keys", "new", "a'b"], 2), (["keys", "new", "ключ"], 2),
            (["keys", "new", "a-1", "--system", "A"], 2),
            (["call", "a.b.v1", "{}", "--broker", "tcp://127.0.0.1:99999"], 2),
            (["call", "a.b.v1", "{}", "--broker", "bogus"], 2),
            (["call", "a.b.v1", "not json"], 2), (["call", "a.b.v1", "{}", "--data", "no/such/folder"], 2),
        ] as [([String], Int32)])
    func exitCodes(arguments: [String], code: Int32) async throws {
        let run = try await CommandRun.run(arguments)
        #expect(run.code == code, "\(arguments): \(run.output)\(run.errors)")
        if code == 3 { #expect(run.errors.contains("why:") && run.errors.contains("next:")) }
    }

    @Test("A broken schema is the answer where it is asked about, and wrong use where texts are")
    func brokenSchema() async throws {
        let schema = NSTemporaryDirectory() + "kerege-schema-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: schema) }
        try #"{"type": "nonsense"}"#.write(toFile: schema, atomically: true, encoding: .utf8)
        let alone = try await CommandRun.run(["contract", "check", schema])
        #expect(alone.code == 1 && alone.errors.contains("no usable JSON Schema"))
        #expect(try await CommandRun.run(["contract", "check", schema, schema]).code == 2)
    }

    @Test("kerege up names a data folder it cannot make")
    func upWithoutFolder() async throws {
        let run = try await CommandRun.run(["up", "--data", "/proc/nowhere", "--for", "1s"])
        #expect(run.code == 2 && run.errors.contains("cannot make the folder /proc/nowhere"), "\(run.errors)")
    }

    @Test(
        "Daemons tell wrong use by the same code",
        arguments: ["kerege-broker", "kerege-agent", "kerege-bench", "kerege-chaos"])
    func wrongUseOfDaemons(program: String) async throws {
        let run = try await CommandRun.run(["--no-such-option"], program: program)
        #expect(run.code == 2 && !run.errors.isEmpty && run.output.isEmpty)
        #expect(try await CommandRun.run(["--help"], program: program).code == 0)
    }

    @Test("A failure with --json is told as JSON as well")
    func failureAsJSON() async throws {
        let run = try await CommandRun.run(["status", "--json"] + Self.nowhere)
        let error = try #require(try JSONValue.parse(run.output)["error"])
        #expect(error["code"]?.string == "unreachable")
        #expect(error["number"]?.int == 3)
        #expect(error.object?.map(\.name).sorted() == ["code", "next", "number", "what", "why"])
    }

    @Test("Every command has help with examples")
    func help() async throws {
        for command in [
            ["status"], ["systems"], ["services"], ["integrations"], ["agents"], ["call"], ["send"], ["publish"],
            ["subscribe"], ["trace"], ["queues"], ["resend"], ["replay"],
            ["space", "check"], ["space", "diff"], ["space", "apply"], ["contract", "check"], ["contract", "diff"],
            ["journal", "verify"], ["journal", "checkpoint"], ["evidence", "export"], ["evidence", "verify"],
            ["keys", "new"], ["doctor"],
            ["drain"],
        ] {
            let run = try await CommandRun.run(command + ["--help"])
            #expect(run.code == 0)
            #expect(run.output.contains("EXAMPLES") && run.output.contains("kerege \(command.joined(separator: " "))"))
        }
    }

    @Test("Commands against a broker: shapes of --json, exit codes, no colours in a pipe")
    func againstBroker() async throws {
        try await SmallBus.run { bus async throws in
            let provider = try await bus.provider()
            let where_ = ["--data", bus.folder, "--http", "http://127.0.0.1:\(bus.port)"]
            let call = try await CommandRun.run([
                "call", SmallBus.service, #"{"n":1}"#, "--as", "portal", "--data", bus.folder, "--broker",
                bus.broker.endpoint,
                "--json",
            ])
            #expect(call.code == 0, "\(call.errors)")
            #expect(try call.members == ["answer", "consumer", "elapsed_us", "id", "service"])
            let answer = try JSONValue.parse(call.output)
            #expect(answer["answer"]?["n"]?.int == 1)
            let id = try #require(answer["id"]?.string)

            let golden: [([String], [String])] = [
                (
                    ["status"],
                    [
                        "broker", "changes", "counters", "findings", "matrix", "not_functioning", "now", "now_ms",
                        "queues", "space", "systems", "windows",
                    ]
                ),
                (["systems"], ["systems"]), (["services"], ["services"]), (["integrations"], ["integrations"]),
                (["agents"], ["absent", "agents", "refused_keys"]),
                (
                    ["trace", id],
                    [
                        "answers", "complete", "deliveries", "finished", "history", "id", "message", "settlements",
                        "sole", "state",
                    ]
                ),
            ]
            try await eventually("the end of the call is in the journal") {
                try await bus.send("GET", "/v1/messages/\(id)").body.range(of: Data("finished".utf8)) != nil
            }
            for (command, members) in golden {
                let run = try await CommandRun.run(command + where_ + ["--json"])
                #expect(run.code == 0, "\(command): \(run.errors)")
                #expect(try run.members == members, "\(command)")
                let text = try await CommandRun.run(command + where_)
                #expect(text.code == 0)
                #expect(!text.output.isEmpty && !text.output.contains("\u{1B}"))
            }
            let refused = try await CommandRun.run([
                "call", SmallBus.service, "{}", "--as", "register", "--data", bus.folder, "--broker",
                bus.broker.endpoint,
            ])
            #expect(refused.code == 1)
            #expect(refused.errors.contains("4030 no-integration") && refused.errors.contains("next:"))
            #expect(!refused.errors.contains("kerege trace"), "what was refused is in no journal")
            let failed = try await CommandRun.run(
                ["call", SmallBus.service, #"{"n":"none"}"#, "--data", bus.folder, "--broker", bus.broker.endpoint])
            #expect(failed.code == 1)
            let message = try #require(failed.errors.firstMatch(of: /, message ([0-9a-f-]{36})/)?.1)
            #expect(failed.errors.contains("kerege trace --data \(bus.folder) \(message)"))
            let wrongData = try await CommandRun.run([
                "status", "--data", "/nowhere", "--http", "127.0.0.1:\(bus.port)",
            ])
            #expect(wrongData.code == 2)
            #expect(wrongData.errors.contains("--data"))
            await provider.close()
        }
    }

    @Test("Applying a broken space exits with 1 and prints the place")
    func applyBroken() async throws {
        try await SmallBus.run { bus async throws in
            let file = bus.folder + "/broken.yaml"
            try SmallBus.space.replacing("status: operation", with: "status: asleep").write(
                toFile: file, atomically: true, encoding: .utf8)
            let run = try await CommandRun.run([
                "space", "apply", file, "--data", bus.folder, "--http", "127.0.0.1:\(bus.port)",
            ])
            #expect(run.code == 1)
            #expect(run.errors.contains("\(file):11:"))
            for command in ["apply", "diff"] {
                let asJSON = try await CommandRun.run([
                    "space", command, file, "--json", "--data", bus.folder, "--http", "127.0.0.1:\(bus.port)",
                ])
                let page = try JSONValue.parse(asJSON.output)
                #expect(asJSON.code == 1 && page["findings"]?[0]?["line"]?.int == 11)
                #expect(page["error"]?["code"]?.string != nil)
            }
        }
    }

    @Test("A space is signed after what is in force in a data folder, whether anybody signed that or not")
    func signedAfterAFolder() async throws {
        try await SmallBus.run { bus async throws in
            // Once an agent is answered, what the broker started with is durable.
            let provider = try await bus.provider()
            let keys = bus.folder + "/authority"
            let authority = try AuthorityFile.create(in: keys)
            let file = bus.folder + "/next.yaml"
            try SmallBus.space.replacing("For tests.", with: "Signed.").write(
                toFile: file, atomically: true, encoding: .utf8)
            let output = bus.folder + "/next.signed"
            func sign(after folder: String) async throws -> CommandRun {
                try await CommandRun.run([
                    "space", "sign", file, "--authority", keys + "/authority.key", "--after", folder, "-o", output,
                    "--contracts", "no/such/folder",
                ])
            }
            let none = try await sign(after: keys)
            #expect(none.code == 2 && none.errors.contains("no space is in force in \(keys)"), "\(none.errors)")
            let run = try await sign(after: bus.folder)
            #expect(run.code == 0 && run.output.hasPrefix("\(output): version 2, "), "\(run.output)\(run.errors)")
            let bytes = try #require(FileManager.default.contents(atPath: output))
            let signed = try SignedSpace(file: Array(bytes))
            #expect(signed.isSigned(by: authority.publicKey))
            #expect(signed.snapshot.succession(to: bus.broker.readModel.overview.snapshot) == .follows)
            #expect(!signed.snapshot.space.keys.isEmpty, "what the files leave out stays")
            await provider.close()
        }
    }

    @Test("A contract check lists violations with pointers, a diff names what breaks")
    func contracts() async throws {
        let folder = NSTemporaryDirectory() + "kerege-contract-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func file(_ name: String, _ text: String) throws -> String {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            return "\(folder)/\(name)"
        }
        let old = try file(
            "old.json", #"{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}"#)
        let new = try file(
            "new.json",
            #"{"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}"#)
        let good = try file("good.json", #"{"n": 1}"#)
        let bad = try file("bad.json", #"{"n": "one"}"#)
        #expect(try await CommandRun.run(["contract", "check", old, good]).code == 0)
        let check = try await CommandRun.run(["contract", "check", old, good, bad, "--json"])
        #expect(check.code == 1)
        let second = try JSONValue.parse(check.output)["instances"]?[1]
        #expect(second?["violations"]?[0]?["pointer"]?.string == "/n")
        let diff = try await CommandRun.run(["contract", "diff", old, new, "--json"])
        #expect(diff.code == 1)
        #expect(try diff.members == ["backward", "findings", "forward", "full", "level"])
        #expect(try JSONValue.parse(diff.output)["forward"]?.bool == true)
        #expect(try await CommandRun.run(["contract", "diff", old, old]).code == 0)
    }

    @Test("A key is made once, for its owner alone")
    func keys() async throws {
        let folder = NSTemporaryDirectory() + "kerege-keys-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try await CommandRun.run(["keys", "new", "portal-2", "--system", "portal", "--dir", folder])
        #expect(first.code == 0)
        #expect(first.output.contains("  - agent: portal-2\n    systems: [portal]\n    curve: '"))
        let mode =
            try FileManager.default.attributesOfItem(atPath: folder + "/portal-2.key")[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        let secret = try String(contentsOfFile: folder + "/portal-2.key", encoding: .utf8)
        let second = try await CommandRun.run(["keys", "new", "portal-2", "--dir", folder])
        #expect(second.code == 1)
        // What several keys print stands under one `keys:`.
        #expect(!first.output.contains("keys:"))
        #expect(try String(contentsOfFile: folder + "/portal-2.key", encoding: .utf8) == secret)
    }

    @Test("A journal is verified beside its running broker")
    func journal() async throws {
        try await SmallBus.run { bus async throws in
            let provider = try await bus.provider()
            let sound = try await CommandRun.run(["journal", "verify", bus.folder, "--json"])
            #expect(sound.code == 0)
            for place in [["--data", bus.folder], [bus.folder, "--data", bus.folder]] {
                let run = try await CommandRun.run(["journal", "verify"] + place)
                #expect(run.code == 0 && run.output.hasPrefix("sound: "), "\(run.output)\(run.errors)")
            }
            let two = try await CommandRun.run(["journal", "verify", bus.folder, "--data", "elsewhere"])
            #expect(two.code == 2 && two.errors.contains("two folders are named"))
            #expect(
                try sound.members == [
                    "authority_given", "batches", "bodies", "bodies_erased", "bodies_gone", "findings", "hash_seconds",
                    "hashes_per_second", "messages",
                    "proven_per_second",
                    "read_seconds", "records", "root", "signature_seconds", "signatures", "signatures_per_second",
                    "signatures_uncheckable", "signed_roots", "sound", "spaces", "spaces_signed", "tree_size",
                ])
            // Its space is of files, which nobody signed.
            let plain = try await CommandRun.run(["journal", "verify", bus.folder])
            #expect(plain.code == 0 && plain.output.contains("whether the authority signed them was not checked"))
            let authority = bus.folder + "/authority.pub"
            try "sign-public: \(SigningKey().publicKey.bytes.hex)\n".write(
                toFile: authority, atomically: true, encoding: .utf8)
            let held = try await CommandRun.run(["journal", "verify", bus.folder, "--authority", authority])
            #expect(held.code == 1 && held.output.contains(": space-not-signed: "), "\(held.output)")
            #expect(held.output.contains("1 space, 0 of them signed by the authority"), "\(held.output)")
            for (option, file) in [
                ("--authority", "no.pub"), ("--checkpoint", "no.checkpoint"), ("--checkpoint", authority),
            ] {
                let run = try await CommandRun.run(["journal", "verify", bus.folder, option, file])
                #expect(run.code == 2, "\(option) \(file): \(run.errors)")
            }
            await provider.close()
        }
    }

    @Test("What a verification did is told apart: hashes, and signatures")
    func ratesOfAVerification() {
        var report = JournalVerifier.Report()
        report.batches = 678
        report.records = 12_345
        report.messages = 9_000
        report.signatures = 8_000
        report.signedRoots = 1_234
        report.root = "ab"
        report.times = VerifierTimes(reading: .seconds(9), hashing: .milliseconds(50), signing: .milliseconds(100))
        #expect(
            JournalView(report: report).lines() == [
                "sound: 12345 records in 678 batches, 9000 messages, 0 kept bodies, 8000 messages proven by 1234 signatures",
                "root ab",
                "12,345 records: hashes 246,900/s · signatures 1,234: 12,340/s, of messages 8,000: 80,000/s · 9.2 s, reading 9.0 s of it",
            ])
        report.spaces = 2
        #expect(
            JournalView(report: report).lines()[2]
                == "2 spaces: whether the authority signed them was not checked; add --authority authority.pub")
        report.knowsAuthority = true
        report.spacesSigned = 1
        #expect(JournalView(report: report).lines()[2] == "2 spaces, 1 of them signed by the authority")
        report.bodiesGone = 3
        report.bodiesErased = 1
        report.signaturesUncheckable = 2
        report.findings = [.init(position: 0, what: "journal.sqlite: x"), .init(position: 7, what: "y")]
        #expect(
            JournalView(report: report).lines().prefix(3) == [
                "journal.sqlite: x", "position 7: y",
                "NOT sound: 12345 records in 678 batches, 9000 messages, 0 kept bodies, 1 bodies erased, 2 bodies lost, "
                    + "8000 messages proven by 1234 signatures, 2 of keys no space states",
            ])
        #expect(
            JournalView(report: .init()).lines().last
                == "0 records: hashes 0/s · signatures 0: 0/s, of messages 0: 0/s · 0.0 s, reading 0.0 s of it")
        #expect([0, 999, 1000, 1_234_567].map(JournalView.grouped) == ["0", "999", "1,000", "1,234,567"])
    }
}
