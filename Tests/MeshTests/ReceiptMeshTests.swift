import BusAgent
import BusTesting
import Foundation
import Testing

/// Receipts that are proven, with real processes: what the broker has accepted is in its log, and the log is the one it was.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ReceiptMeshTests {
    private static let orders = """
        services:
          - {name: bravo.order.v1, kind: command, deadline: 1d}
        integrations:
          - {id: alpha-orders, consumer: alpha, service: bravo.order.v1, owner: agency, planYear: 2026, due: 2026-12-31, stage: approved, baseline: true}

        """

    private func space() throws -> TestSpace {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: [])
        try space.addContract("bravo.order.v1", kind: "command")
        try space.add("orders.yaml", Self.orders)
        return space
    }

    @Test("kerege send proves its receipt and saves it; a stranger verifies it by the authority's key alone")
    func savedAndVerified() async throws {
        let space = try space()
        defer { space.remove() }
        let mesh = try await Mesh.start(.init(root: space.root, agents: []))
        let file = mesh.folder.logs + "/receipt.json"
        do {
            let bus = ["--data", mesh.folder.path, "--broker", mesh.brokerAddress]
            let send = ["send", "bravo.order.v1", #"{"a":1}"#, "--as", "alpha"] + bus
            let sent = try await mesh.tool(send + ["--receipt", file])
            #expect(sent.code == 0 && sent.output.contains("\nreceipt proven: record "), "\(sent.output)")
            let again = try await mesh.tool(send + ["--receipt", file])
            #expect(again.code == 2 && again.output.contains("is there already"), "\(again.output)")
            let page = try await mesh.tool(send + ["--json"])
            #expect(page.code == 0 && page.output.contains(#""proven":true"#), "\(page.output)")
            let verify = ["evidence", "verify", file, "--authority", mesh.folder.authority]
            let holds = try await mesh.tool(verify)
            #expect(holds.code == 0 && holds.output.contains("the command alone"), "\(holds.output)")
            #expect(holds.output.contains("signed by agent operator for alpha"), "\(holds.output)")
            // One hexadecimal digit of the path, or of the digest of the body.
            let whole = try String(contentsOfFile: file, encoding: .utf8)
            for member in ["\"inclusion\": [", "\"bodyDigest\": "] {
                let start = try #require(whole.range(of: member)?.upperBound)
                let digit = whole.index(after: try #require(whole[start...].firstIndex(of: "\"")))
                let other = whole[..<digit] + (whole[digit] == "0" ? "1" : "0") + whole[whole.index(after: digit)...]
                try String(other).write(toFile: file, atomically: true, encoding: .utf8)
                let fails = try await mesh.tool(verify)
                #expect(fails.code == 1 && fails.output.contains("FAIL in-log"), "\(member) \(fails.output)")
            }
        } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await mesh.stop()
    }

    @Test(
        "an agent keeps the newest checkpoint over its own starts and the broker's, and each goes on from the one before"
    )
    func remembered() async throws {
        let space = try space()
        defer { space.remove() }
        let mesh = try await Mesh.start(.init(root: space.root, agents: []))
        do {
            let data = mesh.folder.path + "/remembered"
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
            let configuration = try mesh.configuration("alpha-1", ["alpha"], data: data)
            @Sendable func kept() -> (size: UInt64, note: String)? {
                guard let note = try? String(contentsOfFile: data + "/agents/alpha-1.checkpoint", encoding: .utf8)
                else { return nil }
                let lines = note.split(separator: "\n")
                return lines.count > 1 ? (UInt64(lines[1]) ?? 0, note) : nil
            }
            let first = try await Agent.connect(configuration)
            #expect(await eventually(within: .seconds(20)) { kept() != nil }, "it asks as the session begins")
            let command = try await first.send("bravo.order.v1", bytes(#"{"a":1}"#))
            let proven = try await first.prove(command.receipt, deadline: .seconds(20))
            #expect(proven.logSize >= command.receipt.treeSize && proven.position <= command.receipt.treeSize)
            #expect(kept()?.size == proven.logSize && kept()?.note == proven.checkpoint)
            mesh.broker.kill()
            await mesh.broker.waitForExit(within: .seconds(5))
            try mesh.broker.start()
            // The first attempts may meet the connection that is gone.
            var found: ProvenReceipt?
            for _ in 0..<100 where found == nil {
                try? await first.waitUntilConnected(within: .seconds(5))
                found = try? await first.prove(command.receipt, deadline: .seconds(5))
            }
            let later = try #require(found)
            #expect(later.logSize > proven.logSize && later.position == proven.position)
            #expect(later.logKey == proven.logKey && later.path.count >= proven.path.count)
            await first.close()
            let second = try await Agent.connect(configuration)
            let more = try await second.send("bravo.order.v1", bytes(#"{"a":2}"#))
            let newest = try await second.prove(more.receipt, deadline: .seconds(20))
            #expect(newest.position > later.position && newest.logSize > later.logSize)
            let isKept = await eventually(within: .seconds(20)) { (kept()?.size ?? 0) >= later.logSize }
            #expect(isKept && newest.logKey == later.logKey)
            await second.close()
        } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await mesh.stop()
    }
}
