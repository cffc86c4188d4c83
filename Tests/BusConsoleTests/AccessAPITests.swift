import BusAgent
import BusConsole
import BusContracts
import BusEvidence
import Foundation
import Testing

@testable import kerege

/// Who asked about somebody, as the admin API and the command line tell it.
@Suite("Accesses", .serialized, .timeLimit(.minutes(2)))
struct AccessAPITests {
    private static let iin = "990101500016"

    @Test("A person's accesses are listed with purpose and user, page by page, and nobody else's")
    func listed() async throws {
        let api = try OpenAPI()
        try await SmallBus.run { bus async throws in
            let file = SubjectFile(system: "register", key: SubjectKey())
            let provider = try await bus.provider(marking: file)
            let asker = try await bus.asker()
            var asked: [String] = []
            for number in 0..<5 {
                let context = CallContext(purpose: "complaint \(number)", user: number == 0 ? "" : "clerk-\(number)")
                let own = Array(#"{"iin":"\#(Self.iin)"}"#.utf8)
                asked.append(try await asker.ask(SmallBus.service, own, as: "portal", context: context).id)
                _ = try await asker.ask(SmallBus.service, Array(#"{"iin":"080540000011"}"#.utf8), as: "portal")
            }
            let reference = AccessReference.text(file.key.reference(to: Self.iin.utf8, at: "register"))
            let path = "/v1/access?reference=\(reference)"
            let all = try await bus.send("GET", path)
            #expect(try api.checker("AccessesPage").check([UInt8](all.body)).map(\.description) == [])
            let page = try AdminJSON.decode(AccessesPage.self, from: all.body)
            #expect(page.accesses.map(\.request) == asked && page.next == nil)
            #expect(page.accesses.map(\.purpose) == (0..<5).map { "complaint \($0)" })
            #expect(page.accesses.map(\.user) == [nil, "clerk-1", "clerk-2", "clerk-3", "clerk-4"])
            #expect(page.accesses.allSatisfy { $0.consumer == "portal" && $0.outcome.number == 0 })
            let first = try await bus.client.get(AccessesPage.self, path + "&limit=2").page
            #expect(first.accesses.count == 2)
            let next = try #require(first.next)
            let rest = try await bus.client.get(AccessesPage.self, path + "&from=\(next)").page
            #expect((first.accesses + rest.accesses).map(\.request) == asked)
            let foreign = AccessReference.text(SubjectKey().reference(to: Self.iin.utf8, at: "register"))
            #expect(
                try await bus.client.get(AccessesPage.self, "/v1/access?reference=\(foreign)").page.accesses.isEmpty)
            let later = Int64(Date.now.timeIntervalSince1970 * 1000) + 60_000
            #expect(try await bus.client.get(AccessesPage.self, path + "&since_ms=\(later)").page.accesses.isEmpty)
            await asker.close()
            await provider.close()
        }
    }

    @Test("What names no reference is refused in words")
    func refused() async throws {
        try await SmallBus.run { bus async throws in
            let one = String(repeating: "a", count: 32)
            let nine = Array(repeating: one, count: 9).joined(separator: ",")
            for query in [
                "", "?reference=", "?reference=831015358396", "?reference=\(one),", "?reference=\(nine)",
                "?reference=\(one)&limit=0", "?reference=\(one)&limit=501", "?reference=\(one)&since_ms=x",
                "?reference=\(one)&from=-1",
            ] {
                let response = try await bus.send("GET", "/v1/access" + query)
                #expect(response.status == 400, "\(query)")
                #expect(!String(decoding: response.body, as: UTF8.self).contains("831015358396"))
            }
            #expect(
                try await bus.send("GET", "/v1/access?reference=\(one)&since_ms=9223372036854775807&from=1").status
                    == 200)
        }
    }

    @Test(
        "Wrong use of the command line",
        arguments: [
            ["access"], ["access", "831015358396", "--since", "soon"], ["access", "-"],
            ["access", "831015358396", "--http", "example.kz:80"],
            ["access", "831015358396", "--data", "no/such/folder"], ["access", "123"], ["access", "831015358397"],
            ["access", "83101535839x"],
        ])
    func wrongUse(_ arguments: [String]) async throws {
        let run = try await CommandRun.run(arguments)
        #expect(run.code == 2 && !(run.output + run.errors).contains("831015358396"), "\(run.output)\(run.errors)")
    }

    @Test("What is no IIN and no BIN is told as that, and not repeated")
    func noNumber() async throws {
        for number in ["123", "831015358397", "8310 1535 8396"] {
            let run = try await CommandRun.run(["access", number, "--json"])
            #expect(run.code == 2 && run.errors.contains("no IIN and no BIN"), "\(run.output)\(run.errors)")
            #expect(run.errors.contains("12 digits") && !run.errors.contains(number))
            #expect(try JSONValue.parse(run.output)["error"]?["code"]?.string == "wrong-use")
        }
    }

    @Test("Keys are made with the key for references, and a contract tells whom it is about")
    func keysAndContracts() async throws {
        let folder = NSTemporaryDirectory() + "kerege-subject-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try await CommandRun.run(
            ["keys", "new", "register-1", "--system", "register", "--dir", folder, "--json"])
        #expect(made.code == 0 && made.output.contains("register.subject"), "\(made.output)\(made.errors)")
        let first = try SubjectFile.load(system: "register", in: folder).key.bytes
        let second = try await CommandRun.run(["keys", "new", "register-2", "--system", "register", "--dir", folder])
        #expect(second.code == 0 && !second.errors.contains("register.subject"))
        #expect(try SubjectFile.load(system: "register", in: folder).key.bytes == first, "shared, never overwritten")
        let completed = try await CommandRun.run(
            ["keys", "complete", folder + "/register-1.key", "--system", "register", "--system", "portal"])
        #expect(completed.code == 0 && completed.errors.contains("portal.subject"), "\(completed.errors)")
        let file = "Schemas/contracts/individuals.person-get.v1.json"
        let plain = try await CommandRun.run(["contract", "check", file])
        #expect(plain.code == 0 && plain.output.contains("about the person at /iin"), "\(plain.output)")
        let page = try await CommandRun.run(["contract", "check", file, "--json"])
        #expect(try JSONValue.parse(page.output)["subject"]?.string == "/iin")
        let number = try await CommandRun.run(
            ["call", "a.b.v1", "{}", "--user", "990101500016", "--data", "no/such/folder"])
        #expect(number.code == 2)
    }
}
