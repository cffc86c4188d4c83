import BusAgent
import BusTesting
import Foundation
import Testing

/// The three registers and two consumers as real processes, asked through a real broker.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RegisterMeshTests {
    @Test("a person is found, the journal traces the way, and every register answers")
    func registersAnswer() async throws {
        let mesh = try await Mesh.start(
            .init(root: projectRoot, agents: ["individuals", "legal-entities", "real-estate"]))
        do {
            let agent = try await mesh.connect(contracts: ContractLibrary.load(projectRoot + "/Schemas/contracts"))
            let answer = try await agent.ask(
                "individuals.person-get.v1", bytes(#"{"iin":"\#(mesh.exampleIIN)"}"#), as: "portal")
            #expect(String(decoding: answer.body, as: UTF8.self).contains(mesh.exampleIIN))

            let participation = try await agent.ask(
                "legal-entities.participation-list.v1", bytes(#"{"iin":"\#(mesh.exampleIIN)"}"#), as: "portal")
            #expect(!participation.body.isEmpty)

            try await expectTrace(of: "\(answer.id)", mesh)
            await agent.close()
        } catch {
            await mesh.stop()
            throw error
        }
        await mesh.stop()
    }

    private func expectTrace(of id: String, _ mesh: Mesh) async throws {
        let admin = mesh.admin
        // The end of a request is written with the next commit.
        let isThere = await eventually(within: .seconds(10)) {
            (try? await admin.get("/v1/messages/\(id)"))?["finished"].isNull == false
        }
        #expect(isThere, "the trace of \(id) names no end")
    }

    @Test("a stranger's number is an answer of its own, and a broken request never leaves")
    func faultsAreClear() async throws {
        let mesh = try await Mesh.start(.init(root: projectRoot, agents: ["individuals"]))
        let agent = try await mesh.connect(contracts: ContractLibrary.load(projectRoot + "/Schemas/contracts"))
        await expectFault(2040) {
            _ = try await agent.ask("individuals.person-get.v1", bytes(#"{"iin":"990101500016"}"#), as: "portal")
        }
        await expectFault(4220) {
            _ = try await agent.ask("individuals.person-get.v1", bytes(#"{"iin":"990101500017"}"#), as: "portal")
        }
        await expectFault(5030) {
            _ = try await agent.ask("real-estate.property-list.v1", bytes(#"{"iin":"990101500016"}"#), as: "portal")
        }
        await expectFault(4040) { _ = try await agent.ask("individuals.no-such.v1", bytes("{}"), as: "portal") }
        await expectFault(4030) {
            _ = try await agent.ask("individuals.person-get.v1", bytes(#"{"iin":"990101500016"}"#), as: "architecture")
        }
        await agent.close()
        await mesh.stop()
    }
}

/// Expects a fault of this number and no other.
func expectFault(_ number: Int, _ body: () async throws -> Void) async {
    do {
        try await body()
        Issue.record("fault \(number) was expected, and there was none")
    } catch let fault as BusFault {
        #expect(Int(fault.number) == number, "\(fault)")
    } catch {
        Issue.record("fault \(number) was expected: \(error)")
    }
}
