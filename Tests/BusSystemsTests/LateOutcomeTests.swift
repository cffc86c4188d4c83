import BusAgent
import BusContracts
import BusSystems
import Foundation
import GRDB
import Testing

/// What expired or was given up may be resent, and is carried out after all: its sender is told of failure first, and of success then.
@Suite struct LateOutcomeTests {
    private struct Desk {
        let file: AgentFile
        let register: DatabaseQueue

        init(_ system: String) throws {
            file = try #require(try AgentFile.all.get().first { $0.systems == [system] })
            register = try SmallCountry.withAgentTables(file)
        }

        func execute(_ sql: String, _ arguments: StatementArguments = []) throws {
            try register.write { try $0.execute(sql: sql, arguments: arguments) }
        }

        /// The outcome of the command sent from row 7 of the outbox.
        func tell(_ outcome: Int, of service: String) throws {
            let taking = try #require(file.outcomes?.first { $0.service == service })
            let told = JSONValue.object([
                JSONMember("outcome", JSONValue(outcome)), JSONMember("row", JSONValue(7)),
                JSONMember("now", JSONValue(1)),
            ])
            for statement in taking.sql.split(separator: ";") where statement.contains(where: \.isLetter) {
                try execute(String(statement), Binding.arguments(String(statement), told))
            }
        }

        func text(_ sql: String) throws -> String? { try register.read { try String.fetchOne($0, sql: sql) } }
    }

    private func states(_ desk: Desk, _ service: String, _ sql: String) throws -> [String?] {
        try [4101, 0, 5023].map { outcome in
            try desk.tell(outcome, of: service)
            return try desk.text(sql)
        }
    }

    @Test(arguments: ["legal-entities.entity-register.v1", "e-licensing.license-apply.v1"])
    func aRefusedOrderIsCompletedAfterAll(service: String) throws {
        let desk = try Desk("portal")
        try desk.execute("INSERT INTO service_order VALUES ('O-x', 's', 'i', 'accepted', 't', 't', NULL, 0)")
        try desk.execute("INSERT INTO order_command (row, number) VALUES (7, 'O-x')")
        let states = try states(desk, service, "SELECT state FROM service_order WHERE number = 'O-x'")
        #expect(states == ["refused", "completed", "completed"])
    }

    @Test func aCancelledDeedIsRegisteredAfterAll() throws {
        let desk = try Desk("e-notary")
        try desk.execute("INSERT INTO deed VALUES ('D-x', 'sale', 'c', 'g', 't', 'signed', 't', 0)")
        try desk.execute(
            "INSERT INTO outbox (id, kind, body, recorded_at) VALUES (7, 'property-transfer', '{\"deedNumber\":\"D-x\"}', 0)"
        )
        let states = try states(
            desk, "real-estate.property-transfer.v1", "SELECT state FROM deed WHERE number = 'D-x'")
        #expect(states == ["cancelled", "registered", "registered"])
    }

    /// Its request is a dead letter that somebody may resend, and then it is paid: only the gateway's own refusal ends the transfer.
    @Test func aFeeThatWasNotAskedForYetEndsNothing() throws {
        let desk = try Desk("real-estate")
        try desk.execute("INSERT INTO transfer VALUES ('C', 'c', 'd', 'g', 't', 5, 'awaiting-fee', NULL, 0)")
        try desk.execute(
            "INSERT INTO outbox (id, kind, body, recorded_at) VALUES (7, 'payment-request', '{\"reference\":\"C\"}', 0)"
        )
        let states = try [4101, 5023, 4093].map { outcome in
            try desk.tell(outcome, of: "payments.payment-request.v1")
            return try desk.text("SELECT state FROM transfer WHERE command = 'C'")
        }
        #expect(states == ["awaiting-fee", "awaiting-fee", "refused"])
        #expect(try desk.text("SELECT code FROM kerege_outcome WHERE command = 'C'") == "4093")
    }

    @Test(arguments: ["portal", "e-notary"]) func anOlderEventOverwritesNothingNewer(system: String) throws {
        let desk = try Desk(system)
        let subscription = try #require(
            desk.file.subscriptions?.first { $0.event == "real-estate.property-registered.v1" })
        for time in ["2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z", "2026-02-01T10:00:00Z"] {
            let event = JSONValue.object([
                JSONMember("cadastralNumber", .string("c")), JSONMember("kind", .string("flat")),
                JSONMember("registeredAt", .string(time)),
            ])
            try desk.execute(subscription.sql, Binding.arguments(subscription.sql, event))
        }
        let newest = try desk.text("SELECT registered FROM property_notice WHERE cadastral_number = 'c'")
        #expect(newest == "2026-03-02T10:00:00Z")
    }
}
