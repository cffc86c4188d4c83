import BusAgent
import BusConsole
import BusContracts
import Foundation
import Testing

@testable import kerege

@Suite("Evidence on the command line", .serialized, .timeLimit(.minutes(2)))
struct EvidenceCommandTests {
    private static let vectors = "Schemas/vectors/evidence"

    /// Files of the public keys that the vectors need: the authority's and the log's.
    private func withKeys(_ body: (_ authority: String, _ log: String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "kerege-evidence-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let data = try Data(contentsOf: OpenAPI.root.appendingPathComponent("\(Self.vectors)/cases.json"))
        let cases = try JSONValue.parse(String(decoding: data, as: UTF8.self))
        let authority = try #require(cases["authority"]?.string)
        let given = cases["files"]?.array?.first { $0["file"]?.string == "log-key-given.json" }
        let log = try #require(given?["log"]?.string)
        for (name, key) in [("authority", authority), ("broker", log)] {
            try "sign-public: \(key)\n".write(toFile: "\(folder)/\(name).pub", atomically: true, encoding: .utf8)
        }
        try await body(folder + "/authority.pub", folder + "/broker.pub")
    }

    @Test("Exit code 0 when it holds, 1 when not, 2 without a file or a key")
    func exitCodes() async throws {
        try await withKeys { authority, log in
            func verify(_ name: String, _ words: String...) async throws -> CommandRun {
                try await CommandRun.run(["evidence", "verify", "\(Self.vectors)/\(name).json"] + words)
            }
            let holds = try await verify("exchange", "--authority", authority)
            #expect(holds.code == 0 && holds.output.hasSuffix("the evidence holds\n"), "\(holds.output)\(holds.errors)")
            #expect(try await verify("log-key-given", "--authority", authority, "--log", log).code == 0)
            let silent = try await verify("log-key-given", "--authority", authority)
            #expect(silent.code == 1 && silent.output.contains("no-log-key"), "\(silent.output)")
            #expect(
                silent.errors.contains(
                    "evidence verify \(Self.vectors)/log-key-given.json --authority \(authority) --log")
                    && silent.errors.contains("--log ./data/keys/broker.pub"), "\(silent.errors)")
            let other = try await verify("exchange", "--authority", log)
            #expect(other.code == 1 && other.output.contains("wrong-signature"), "\(other.output)")
            let unbound = try await verify("exchange-other-digest", "--authority", authority)
            #expect(unbound.code == 1 && unbound.output.contains("FAIL binding messages/1"), "\(unbound.output)")
            #expect(unbound.output.contains("other-request-digest: the reply was made for another request"))
            let none = try await verify("nothing", "--authority", authority)
            #expect(none.code == 2 && none.errors.contains("there is no file"), "\(none.errors)")
            let cases = try await verify("cases", "--authority", authority)
            #expect(cases.code == 2 && cases.errors.contains("is no file of evidence"), "\(cases.errors)")
            let keyless = try await verify("exchange", "--data", "no/such/folder", "--json")
            #expect(keyless.code == 2)
            #expect(try JSONValue.parse(keyless.output)["error"]?["code"]?.string == "no-key")
        }
    }

    @Test("Every step is in the JSON, with its word")
    func steps() async throws {
        try await withKeys { authority, _ in
            let run = try await CommandRun.run(
                ["evidence", "verify", "\(Self.vectors)/log-key-not-given.json", "--authority", authority, "--json"])
            let page = try JSONValue.parse(run.output)
            #expect(run.code == 1 && page["holds"]?.bool == false)
            let words = page["steps"]?.array?.prefix(3).compactMap { $0["word"]?.string }
            #expect(words == ["ok", "no-log-key", "skipped"])
        }
    }

    @Test("A broker without an authority or a key of its log says what is missing")
    func whatIsMissing() async throws {
        try await SmallBus.run { bus async throws in
            let provider = try await bus.provider()
            let asker = try await bus.asker()
            let answer = try await asker.ask(SmallBus.service, Array("{}".utf8), as: "portal")
            for path in ["/v1/messages/\(answer.id)/evidence", "/v1/checkpoint", "/v1/checkpoint/consistency?from=1"] {
                let response = try await bus.send("GET", path)
                let error = try AdminJSON.decode(AdminError.self, from: response.body).error
                #expect(response.status == 409 && error.code == "unsigned-log" && error.next.contains("kerege keys"))
            }
            await asker.close()
            await provider.close()
        }
    }
}
