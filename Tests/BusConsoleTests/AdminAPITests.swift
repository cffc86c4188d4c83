import BusAgent
import BusConsole
import BusContracts
import Foundation
import Testing

@testable import kerege

@Suite("Admin API", .serialized, .timeLimit(.minutes(2)))
struct AdminAPITests {
    @Test("Every route and method stands in the OpenAPI document, and none besides")
    func routesAreDocumented() throws {
        let documented = try OpenAPI().operations
        #expect(Set(AdminRoutes.names) == documented)
        #expect(documented.count >= 18)
    }

    @Test("Without the token nothing but health is answered")
    func tokenIsRequired() async throws {
        try await SmallBus.run { bus async throws in
            #expect(try await bus.send("GET", "/v1/health", token: .some(nil)).status == 200)
            let right = try bus.token
            let almost = right.dropLast() + (right.last == "0" ? "1" : "0")
            let wrong: [String?] = [nil, "", "x", String(almost), right + "0", String(right.dropLast())]
            for route in AdminRoutes.names where route != "GET /v1/health" {
                let parts = route.split(separator: " ").map(String.init)
                for token in wrong {
                    let response = try await bus.send(
                        parts[0], parts[1], token: .some(token), body: parts[0] == "POST" ? "{}" : nil)
                    #expect(response.status == 401, "\(route) with \(token ?? "no token")")
                }
            }
            #expect(try await bus.send("GET", "/v1/status").status == 200)
        }
    }

    @Test("The token is 256 bits, its owner's alone, and stays the same")
    func tokenFile() throws {
        let folder = NSTemporaryDirectory() + "kerege-token-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try AdminToken.takeOrMake(in: folder)
        let path = AdminToken.path(in: folder)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        #expect(first.reveal().count == 64)
        #expect("\(first)" == "AdminToken(redacted)")
        #expect(try AdminToken.takeOrMake(in: folder).reveal() == first.reveal())
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: ConsoleError.self) { try AdminToken.takeOrMake(in: folder) }
    }

    @Test(
        "Only the loopback interface is listened on",
        arguments: ["0.0.0.0", "192.168.1.4", "::", "", "example.kz", "127.0.0.1.kz", "128.0.0.1"])
    func loopbackOnly(host: String) { #expect(LoopbackAddress(host) == nil) }

    @Test(
        "Loopback addresses",
        arguments: [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("::1", "::1"), ("127.1.2.3", "127.1.2.3")])
    func loopback(pair: (String, String)) { #expect(LoopbackAddress(pair.0)?.host == pair.1) }

    @Test("Every page is as the OpenAPI document says, member for member")
    func pagesFitTheirSchemas() async throws {
        let api = try OpenAPI()
        try await SmallBus.run { bus async throws in
            let provider = try await bus.provider()
            let asker = try await bus.asker()
            let answer = try await asker.ask(SmallBus.service, Array("{}".utf8), as: "portal")
            _ = try? await asker.ask(SmallBus.service, Array("{}".utf8), as: "register")
            try await eventually("both agents and the call are shown") {
                let page = try await bus.client.get(StatusPage.self, "/v1/status").page
                return page.broker.agents == 2 && page.findings.contains { $0.code == "attempted-without-approval" }
                    && page.matrix.count("approved", "implemented") == 1
            }
            let pages = [
                ("/v1/health", "HealthPage"), ("/v1/status", "StatusPage"), ("/v1/systems", "SystemsPage"),
                ("/v1/services", "ServicesPage"), ("/v1/integrations", "IntegrationsPage"),
                ("/v1/agents", "AgentsPage"),
                ("/v1/messages/\(answer.id)", "TracePage"), ("/v1/journal", "JournalPage"),
            ]
            for (path, schema) in pages {
                let response = try await bus.send("GET", path)
                #expect(response.status == 200, "\(path)")
                #expect(try api.checker(schema).check([UInt8](response.body)).map(\.description) == [], "\(path)")
            }
            let unknown = try await bus.send("GET", "/v1/nothing")
            #expect(unknown.status == 404)
            #expect(try api.checker("Error").check([UInt8](unknown.body)).isEmpty)
            #expect(try AdminJSON.decode(AdminError.self, from: unknown.body).routes == AdminRoutes.names)
            #expect(try await bus.send("POST", "/v1/status", body: "{}").status == 404)
            await asker.close()
            await provider.close()
        }
    }

    @Test("Integrations are filtered by state and stage; names that do not exist are refused")
    func filters() async throws {
        try await SmallBus.run { bus async throws in
            func ids(_ query: String) async throws -> [String] {
                try await bus.client.get(IntegrationsPage.self, "/v1/integrations?\(query)").page.integrations.map(\.id)
            }
            #expect(try await ids("stage=testing") == ["portal-changes"])
            #expect(try await ids("stage=approved&state=silent").sorted() == ["portal-orders", "portal-record"])
            #expect(try await ids("state=degraded").isEmpty)
            #expect(try await bus.send("GET", "/v1/integrations?state=broken").status == 400)
        }
    }

    @Test("A message is followed through the journal with its hop times")
    func trace() async throws {
        try await SmallBus.run { bus async throws in
            let provider = try await bus.provider()
            let asker = try await bus.asker()
            let body = Array(#"{"n":1}"#.utf8)
            let answer = try await asker.ask(SmallBus.service, body, as: "portal")
            #expect(answer.body == body)
            var page = try await bus.client.get(TracePage.self, "/v1/messages/\(answer.id)").page
            try await eventually("the end is in the journal") {
                page = try await bus.client.get(TracePage.self, "/v1/messages/\(answer.id)").page
                return page.finished != nil
            }
            #expect(page.state == "answered")
            #expect(page.message?.service == SmallBus.service)
            #expect(page.message?.consumer == "portal")
            #expect(page.message?.bodySize == body.count)
            #expect(page.answers.count == 1)
            let finished = try #require(page.finished)
            #expect(finished.integration == "portal-record")
            #expect(finished.stage == "approved")
            let times = [
                finished.times.requestInUs, finished.times.requestOutUs, finished.times.replyInUs,
                finished.times.replyOutUs,
            ]
            let known = times.compactMap(\.self)
            #expect(known.count == 4)
            #expect(known == known.sorted())
            let lines = TraceView(page: page, style: .plain).lines().joined(separator: "\n")
            for word in ["portal", "broker", "register", "request in", "request out", "reply in", "reply out"] {
                #expect(lines.contains(word), "\(word)")
            }
            #expect(try await bus.send("GET", "/v1/messages/nonsense").status == 400)
            #expect(try await bus.send("GET", "/v1/messages/00000000-0000-7000-8000-000000000000").status == 404)
            await asker.close()
            await provider.close()
        }
    }

    @Test("A broken space changes nothing and names the place; a sound one takes effect and keeps the keys")
    func applySpace() async throws {
        let api = try OpenAPI()
        try await SmallBus.run { bus async throws in
            let before = try await bus.client.get(StatusPage.self, "/v1/status").page.space
            let broken = SmallBus.space.replacing(
                "owner: ministry, status: operation, name: {en: Portal}", with: "owner: nobody, status: asleep")
            for path in ["/v1/space/apply", "/v1/space/diff"] {
                let response = try await bus.send(
                    "POST", path, body: String(decoding: AdminJSON.encode(SmallBus.files(broken)), as: UTF8.self))
                #expect(response.status == 422)
                #expect(try api.checker("Error").check([UInt8](response.body)).isEmpty)
                let error = try AdminJSON.decode(AdminError.self, from: response.body)
                #expect(
                    error.findings?.contains { $0.severity == "error" && $0.file == "s.yaml" && $0.line == 12 } == true)
            }
            #expect(try await bus.client.get(StatusPage.self, "/v1/status").page.space.digest == before.digest)

            let wanted = SmallBus.files(SmallBus.space.replacing("stage: testing", with: "stage: approved"))
            let check = try await bus.client.post(SpaceCheckPage.self, "/v1/space/check", wanted)
            #expect(check.page.valid)
            #expect(try api.checker("SpaceCheckPage").check([UInt8](check.raw)).isEmpty)
            let diff = try await bus.client.post(SpaceDiffPage.self, "/v1/space/diff", wanted)
            #expect(diff.page.changes.map(\.id) == ["portal-changes"])
            #expect(try api.checker("SpaceDiffPage").check([UInt8](diff.raw)).isEmpty)
            let applied = try await bus.client.post(SpaceApplyPage.self, "/v1/space/apply", wanted)
            #expect(applied.page.changed && applied.page.keysKept)
            #expect(applied.page.version == before.version + 1)
            #expect(try api.checker("SpaceApplyPage").check([UInt8](applied.raw)).isEmpty)
            try await eventually("the new space is shown") {
                try await bus.client.get(StatusPage.self, "/v1/status").page.space.digest == applied.page.digest
            }
            let space = try await bus.send("GET", "/v1/space")
            #expect(try api.checker("SpacePage").check([UInt8](space.body)).isEmpty)
            let again = try await bus.client.post(SpaceApplyPage.self, "/v1/space/apply", wanted).page
            #expect(!again.changed && again.version == applied.page.version)
            // The keys were kept: agents still get in.
            let provider = try await bus.provider()
            await provider.close()
        }
    }

    @Test("Bodies that cannot be read are refused in words")
    func badBodies() async throws {
        try await SmallBus.run { bus async throws in
            for body in ["", "{", "[]", #"{"files": 1}"#, #"{"files": [{"name": "a"}]}"#] {
                let response = try await bus.send("POST", "/v1/space/check", body: body)
                #expect(response.status == 400, "\(body)")
                #expect(try AdminJSON.decode(AdminError.self, from: response.body).error.next.contains("files"))
            }
            let large = String(repeating: "x", count: AdminRoutes.bodyLimit + 1)
            #expect(try await bus.send("POST", "/v1/space/check", body: large).status == 413)
        }
    }

    @Test("Draining ends when nothing is open, and new requests are refused")
    func drain() async throws {
        let api = try OpenAPI()
        try await SmallBus.run { bus async throws in
            let provider = try await bus.provider()
            let drained = try await bus.client.post(DrainPage.self, "/v1/drain", [String: String]())
            #expect(drained.page.drained)
            #expect(try api.checker("DrainPage").check([UInt8](drained.raw)).isEmpty)
            await provider.close()
        }
    }
}
