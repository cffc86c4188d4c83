import Foundation
import GRDB
import Testing

@testable import BusTesting

/// A campaign is worth what its count would see.
struct CampaignCountTests {
    @Test("a register in which everything happened once is clean")
    func clean() async throws {
        let result = try await count("")
        #expect(result.isClean, "\(result.findings)")
        #expect(result.commands == 4 && result.events == 4)
    }

    @Test(
        "what was lost, came twice, out of order, got stuck or has a wrong outcome is counted",
        arguments: [
            ("DELETE FROM effect WHERE key = 1 AND count = 2", "lost"),
            ("INSERT INTO effect (command, key, count) VALUES ('again', 1, 1)", "twice"),
            ("UPDATE effect SET count = 3 - count WHERE key = 1", "out of order"),
            ("alpha: DELETE FROM heard WHERE id = 1", "lost"),
            ("alpha: INSERT INTO heard (key, count) VALUES (2, 2)", "twice"),
            ("alpha: DELETE FROM ended WHERE row = 1", "lost"),
            ("alpha: INSERT INTO ended (row, code, count) VALUES (1, 0, 1)", "twice"),
            ("alpha: UPDATE ended SET code = 5020 WHERE row = 1", "broken"),
            ("alpha: UPDATE ended SET count = 9 WHERE row = 1", "broken"),
            ("alpha: INSERT INTO orders (key, count) VALUES (1, 3)", "stuck"),
        ])
    func seen(_ what: String, _ word: String) async throws {
        let result = try await count(what)
        #expect(!result.isClean)
        #expect(result.findings.contains { $0.hasPrefix(word) }, "\(result.findings)")
    }

    @Test("the table has a row a campaign, and says what was not run")
    func table() throws {
        var done = CampaignResult()
        (done.campaign, done.fault, done.ordered, done.seed) = ("pause", "a process stands still", 60, 7)
        done.count("broker, long", 1200)
        done.lose(["key 1 count 2"])
        done.recovered([.milliseconds(30), .milliseconds(1500), .milliseconds(20)])
        var left = CampaignResult()
        (left.campaign, left.notRun) = ("partition", "network namespaces cannot be made here")
        let rows = CampaignTable.markdown([done, left]).split(separator: "\n")
        #expect(rows.count == 4)
        #expect(
            rows[2].contains("| 1,200 |")
                && rows[2].contains("| 30 ms, 1,500 ms | `campaign pause --runs 60 --seed 7` |"))
        #expect(rows[3].contains("| NOT RUN | network namespaces cannot be made here |"))
    }

    /// Two keys with two orders each, all of them as they should be, but for one statement.
    private func count(_ change: String) async throws -> CampaignResult {
        let folder = NSTemporaryDirectory() + "kerege-count-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let registers = try OrderRegisters(folder: folder)
        let alpha = try DatabaseQueue(path: folder + "/alpha.sqlite")
        let bravo = try DatabaseQueue(path: folder + "/bravo.sqlite")
        try await alpha.write { database in
            try database.execute(sql: "CREATE TABLE kerege_outbox (event TEXT, published INTEGER)")
            try database.execute(sql: "INSERT INTO kerege_outbox VALUES (?, 4)", arguments: [OrderSpace.order])
            try database.execute(sql: "INSERT INTO orders (key, count) VALUES (1, 1), (2, 1), (1, 2), (2, 2)")
            try database.execute(sql: "INSERT INTO heard (key, count) SELECT key, count FROM orders")
            try database.execute(sql: "INSERT INTO ended (row, code, count) SELECT id, 0, count FROM orders")
        }
        try await bravo.write { database in
            let values = "('once', 1, 1), ('once', 2, 1), ('once', 1, 2), ('once', 2, 2)"
            try database.execute(sql: "INSERT INTO effect (command, key, count) VALUES \(values)")
        }
        let isAlpha = change.hasPrefix("alpha: ")
        let sql = isAlpha ? String(change.dropFirst(7)) : change
        try await (isAlpha ? alpha : bravo).write { try $0.execute(sql: sql) }
        var result = CampaignResult()
        try await registers.count(CampaignRecord(), &result, isWhole: true)
        return result
    }
}
