import BusAgent
import BusContracts
import BusSystems
import Foundation
import GRDB
import Testing

/// What the portal makes of a notice of accesses.
@Suite struct PortalNoticeTests {
    @Test func theExamplesAreShownToThePeopleOnce() throws {
        let portal = try #require(try AgentFile.all.get().first { $0.systems == ["portal"] })
        let subscription = try #require(portal.subscriptions?.first { $0.event == "individuals.data-accessed.v1" })
        let register = try SmallCountry.withAgentTables(portal)
        let examples = try Contracts.contract(subscription.event).examples.compactMap { $0[.event] }
        for event in examples + examples {
            try register.write { database in
                try database.execute(sql: subscription.sql, arguments: Binding.arguments(subscription.sql, event))
            }
        }
        let rows = try register.read { try Row.fetchAll($0, sql: "SELECT * FROM access_notice ORDER BY request") }
        #expect(rows.count == 3)
        let first: [String] = ["iin", "system", "service", "at"].map { rows[0][$0] }
        #expect(first == ["831015358396", "e-licensing", "individuals.person-get.v1", "2026-04-01T09:00:00.250Z"])
        let purpose: String = rows[2]["purpose"]
        #expect(purpose.isEmpty)
    }
}
