import BusAgent
import BusEvidence
import BusJournal
import BusProtocol
import BusSystems
import BusTesting
import Foundation
import Testing

/// Who asked about a person, with real processes: the register marks, the journal keeps, the command line lists, the person is told.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct AccessMeshTests {
    private static let service = "individuals.person-get.v1"

    private func withMesh(_ body: (Mesh, Agent) async throws -> Void) async throws {
        let mesh = try await Mesh.start(.init(root: projectRoot, agents: ["individuals", "portal"]))
        do {
            let agent = try await mesh.connect(contracts: ContractLibrary.load(projectRoot + "/Schemas/contracts"))
            try await body(mesh, agent)
            await agent.close()
        } catch {
            await mesh.stop()
            throw error
        }
        await mesh.stop()
    }

    @Test("an access is listed with who, what, why and for whom; what nobody asked is not")
    func listed() async throws {
        try await withMesh { mesh, agent in
            let iin = mesh.exampleIIN
            let body = bytes(#"{"iin":"\#(iin)"}"#)
            let context = CallContext(purpose: "complaint 17/2026", user: "clerk-204")
            let first = try await agent.ask(Self.service, body, as: "e-licensing", context: context)
            // Who names no purpose asks for what the plan states.
            let second = try await agent.ask(Self.service, body, as: "portal")
            await expectFault(2040) {
                _ = try await agent.ask(Self.service, bytes(#"{"iin":"990101500016"}"#), as: "portal")
            }
            // The operator's key is the command line's too, and only one may hold it.
            await agent.drain()
            await agent.close()
            let page = try await kerege(mesh, ["access", iin, "--json"])
            #expect(page.code == 0, "\(page.output)")
            let accesses = try JSON(page.output)["accesses"].array
            try #require(accesses.count == 2)
            #expect(accesses.map { $0["request"].string } == [first.id, second.id])
            #expect(accesses.map { $0["consumer"].string } == ["e-licensing", "portal"])
            #expect(accesses.allSatisfy { $0["service"].string == Self.service })
            #expect(accesses[0]["purpose"].string == "complaint 17/2026" && accesses[0]["user"].string == "clerk-204")
            #expect(
                accesses[1]["purpose"].string
                    == "Forms filled with what the register knows of the citizen who is signed in")
            #expect(accesses[1]["user"].isNull)

            let table = try await kerege(mesh, ["access", iin])
            for word in ["e-licensing", "complaint 17/2026", "clerk-204", "2 accesses"] {
                #expect(table.output.contains(word), "\(table.output)")
            }
            // Somebody who is not in the register was asked about all the same.
            let missing = try await kerege(mesh, ["access", "990101500016"])
            #expect(missing.code == 0 && missing.output.contains("nothing-found"), "\(missing.output)")
            try await expectRefusals(mesh, iin)
            let audits = try await kerege(mesh, ["access", iin, "--audits", "--json"])
            #expect(
                try JSON(audits.output)["accesses"].array.count == 5, "asked twice above, and now\n\(audits.output)")
        }
    }

    private func expectRefusals(_ mesh: Mesh, _ iin: String) async throws {
        let other = MeshFolder.exampleIIN(seed: 1, oneIn: 100, index: 7)
        let nobody = try await kerege(mesh, ["access", other])
        #expect(nobody.code == 1 && nobody.output.contains("nobody asked individuals"), "\(nobody.output)")
        let foreign = try await kerege(mesh, ["access", other, "--as", "chatbots"])
        #expect(foreign.code == 1 && foreign.output.contains("may not ask who asked"), "\(foreign.output)")
        let without = try await kerege(mesh, ["access", other, "--system", "payments"])
        #expect(without.code == 1 && without.output.contains("keeps no account"), "\(without.output)")
        let away = try await kerege(mesh, ["access", other, "--system", "real-estate"])
        #expect(away.code == 1 && away.output.contains("no-live-provider"), "\(away.output)")
        let unreachable = try await kerege(mesh, ["access", other], broker: "tcp://127.0.0.1:1")
        #expect(unreachable.code == 3, "\(unreachable.output)")
        for run in [nobody, foreign, without, away, unreachable] { #expect(!run.output.contains(other)) }
    }

    @Test("neither the journal nor another key finds a person by trying every number")
    func numbersCannotBeTried() async throws {
        try await withMesh { mesh, agent in
            try await askAtOnce(mesh)
            await mesh.broker.stop()
            var references: [UInt128] = []
            var headers: [Header] = []
            try JournalReader(folder: mesh.folder.path).forEach(from: 1) { _, _, type, payload throws(Fault) in
                guard type == RecordType.message.rawValue else { return }
                let header = try Header(decoding: MessageRecord(&payload).header)
                headers.append(header)
                if header.kind == .reply, let reference = header.subjectReference { references.append(reference) }
            }
            // It asked before it had ever seen a space, and for what the plan states all the same.
            let request = try #require(headers.first { $0.kind == .request })
            #expect(request.purpose == "Identity of the person responsible for a licensed activity")
            let reference = try #require(references.first)
            #expect(references.count == 1)
            // Nothing of the number stands in any header the broker keeps.
            #expect(!headers.contains { "\($0)".contains(mesh.exampleIIN) })
            let population = Population(seed: 1, scale: Scale(oneIn: 100))
            let everybody = (0..<population.scale.people).map { population.iin($0) }
            func found(by key: SubjectFile) -> [String] {
                everybody.filter { key.key.reference(to: $0.utf8, at: "individuals") == reference }
            }
            let own = try SubjectFile.load(system: "individuals", in: mesh.folder.keys)
            #expect(found(by: own) == [mesh.exampleIIN])
            let other = try SubjectFile.load(system: "real-estate", in: mesh.folder.keys)
            #expect(found(by: other).isEmpty && other.key.bytes != own.key.bytes)
        }
    }

    @Test("a person is told of an access by somebody else, once")
    func told() async throws {
        try await withMesh { mesh, agent in
            let iin = mesh.exampleIIN
            let body = bytes(#"{"iin":"\#(iin)"}"#)
            _ = try await agent.ask(Self.service, body, as: "portal")
            let context = CallContext(purpose: "complaint 17/2026")
            let access = try await agent.ask(Self.service, body, as: "e-licensing", context: context)
            try await mesh.until("SELECT count(*) FROM access_notice", is: "1", in: "portal")
            let told = try mesh.value(
                "SELECT iin || ' ' || system || ' ' || service || ' ' || purpose || ' ' || request FROM access_notice",
                in: "portal")
            #expect(told == "\(iin) e-licensing \(Self.service) complaint 17/2026 \(access.id)")
            // What was told leaves the register with the next notice.
            _ = try await agent.ask(Self.service, body, as: "e-notary")
            try await mesh.until("SELECT count(*) FROM access_notice", is: "2", in: "portal")
            #expect(try mesh.value("SELECT count(*) FROM kerege_notice", in: "individuals") == "1")
        }
    }

    // MARK: - Steps

    /// A new agent that asks as soon as it is made.
    private func askAtOnce(_ mesh: Mesh) async throws {
        var configuration = AgentConfiguration(
            broker: mesh.brokerAddress, name: "e-licensing-1", systems: ["e-licensing"])
        configuration.brokerKey = try mesh.folder.key("broker").publicKey
        configuration.keys = try mesh.folder.key("e-licensing-1")
        try configuration.pinAuthority(mesh.folder.authority)
        try configuration.loadSeals(from: mesh.folder.keys)
        configuration.connectsInBackground = true
        let agent = try await Agent.connect(configuration)
        _ = try await agent.ask(Self.service, bytes(#"{"iin":"\#(mesh.exampleIIN)"}"#))
        await agent.close()
    }

    private func kerege(
        _ mesh: Mesh, _ words: [String], broker: String? = nil
    ) async throws -> (code: Int32?, output: String) {
        let log = "\(mesh.folder.logs)/kerege-\(UUID().uuidString.prefix(8)).log"
        let process = ChildProcess(
            name: "kerege", executable: (mesh.broker.executable as NSString).deletingLastPathComponent + "/kerege",
            arguments: words + [
                "--data", mesh.folder.path, "--http", mesh.httpAddress, "--broker", broker ?? mesh.brokerAddress,
                "--contracts", projectRoot + "/Schemas/contracts",
            ], log: log)
        try process.start()
        await process.waitForExit(within: .seconds(60))
        return (process.exitCode, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
    }
}

extension JSON {
    /// Of the last line that is an object: what a command says besides comes before or after it.
    fileprivate init(_ output: String) throws {
        let line = output.split(separator: "\n").last { $0.hasPrefix("{") } ?? ""
        try self.init(Data(line.utf8))
    }
}
