import BusAgent
import BusContracts
import BusSystems
import Foundation
import GRDB
import Logging
import Testing

@Suite struct AgentFileTests {
    let agents: [AgentFile]

    init() throws { agents = try AgentFile.all.get() }

    @Test func everySystemHasAnAgentWithItsRegister() {
        #expect(Set(agents.flatMap(\.systems)) == Set(Register.allCases.map(\.rawValue)))
        #expect(Set(agents.map(\.agent)).count == agents.count)
        for agent in agents {
            #expect(agent.register.flatMap(Register.init(rawValue:)) != nil, "\(agent.agent)")
            #expect(agent.database == "\(agent.register ?? "").sqlite")
        }
    }

    @Test func everyContractHasOneGiverAndEveryGiverAContract() throws {
        let given = agents.flatMap {
            ($0.services ?? []).map(\.service) + ($0.commands ?? []).map(\.service) + $0.published
        }
        // Accesses are told by the agents of the systems that are asked about people.
        let aboutPeople = Set(
            try Contracts.all.get().filter { $0.value.subject != nil }.compactMap { $0.key.split(separator: ".").first }
        )
        let byAgents = aboutPeople.map { AccessReference.service(of: String($0)) }
        #expect((given + byAgents).sorted() == (try Contracts.names).sorted())
        for agent in agents {
            for service in agent.services ?? [] {
                #expect(agent.systems.contains { service.service.hasPrefix($0 + ".") })
                #expect(service.answer == "one")
            }
        }
    }

    @Test func subscriptionsAreToEventsThatSomebodyPublishes() {
        let published = Set(agents.flatMap(\.published))
        for agent in agents {
            for subscription in agent.subscriptions ?? [] { #expect(published.contains(subscription.event)) }
        }
    }

    @Test func parametersAreMembersOfTheRequestOrEvent() throws {
        for agent in agents {
            for service in agent.services ?? [] {
                let members = try Contracts.members(service.service, .request)
                #expect(Binding.names(service.sql) == members, "\(service.service)")
            }
            for subscription in agent.subscriptions ?? [] {
                let members = try Contracts.members(subscription.event, .event)
                let known = members.union(["now"])
                #expect(Binding.names(subscription.sql).isSubset(of: known), "\(subscription.event)")
            }
            for command in agent.commands ?? [] {
                let checked = command.before == nil ? [] : ["bin", "activityKk", "activityRu"]
                let known = try Contracts.members(command.service, .request)
                    .union(["command", "consumer", "now"]).union(checked)
                let used = command.statements.reduce(into: Set()) { $0.formUnion(Binding.names($1)) }
                #expect(used.isSubset(of: known), "\(command.service): \(used.subtracting(known))")
            }
            for outcome in agent.outcomes ?? [] {
                let known = try Contracts.members(outcome.service, .reply)
                    .union(["command", "outcome", "row", "now", "detail"])
                #expect(Binding.names(outcome.sql).isSubset(of: known), "\(outcome.service)")
            }
        }
    }

    /// A full scan of a register under load is an outage: every step of every plan must use an index, but for the rows
    /// that the statement itself has gathered.
    @Test func noServiceScansATable() throws {
        for agent in agents {
            let register = try SmallCountry.withAgentTables(agent)
            for service in agent.services ?? [] {
                let plan = try register.read { try explain(service.sql, $0) }
                #expect(scans(plan).isEmpty, "\(service.service): \(scans(plan))")
            }
            for subscription in agent.subscriptions ?? [] {
                let plan = try register.read { try explain(subscription.sql, $0) }
                #expect(scans(plan).isEmpty, "\(subscription.event) at \(agent.agent): \(scans(plan))")
            }
            for publication in agent.publications ?? [] {
                let plan = try register.read { try explain(publication.sql, $0) }
                #expect(scans(plan).isEmpty, "\(publication.event): \(scans(plan))")
            }
            let others =
                (agent.commands ?? []).flatMap(\.statements) + (agent.sends ?? []).map(\.sql)
                + (agent.outcomes ?? []).map(\.sql)
            for sql in others {
                let plan = try register.read { try explain(sql, $0) }
                #expect(scans(plan).isEmpty, "\(agent.agent): \(scans(plan)) of \(sql.prefix(60))")
            }
        }
    }

    @Test func theScanTestSeesAScan() throws {
        let register = try SmallCountry.open(SmallCountry.path(.individuals))
        let plan = try register.read { try explain("SELECT iin FROM person WHERE citizenship = :x", $0) }
        #expect(scans(plan) == ["SCAN person"])
    }

    @Test func heartbeatsTellWhenTheDataChanged() throws {
        for agent in agents {
            let updated = try SmallCountry.open(agent.path).read {
                try Int64.fetchOne($0, sql: agent.heartbeat.dataUpdated)
            }
            let moment = try #require(updated, "\(agent.agent)")
            let asOf = SmallCountry.generator.asOf
            #expect(moment <= asOf && moment > asOf - 86_400_000, "\(agent.agent)")
        }
    }

    /// What the agent does at its start: every statement is prepared, every check is known.
    @Test func everyFileIsTakenByTheAgent() throws {
        for file in try ProjectFiles.list("deploy/agents", ending: ".yaml") {
            let text = try String(contentsOf: file, encoding: .utf8)
            let name = file.lastPathComponent
            let agent = try BusAgent.AgentFile(text, name: name)
            let register = try #require(agent.register.flatMap(Register.init(rawValue:)), "\(name)")
            let adapter = try SQLAdapter(
                agent, database: SmallCountry.copy(of: register), checks: CommandChecks.all,
                logger: Logger(label: "test"))
            adapter.close()
        }
    }

    @Test func commandsSentHaveAGiver() throws {
        let given = Set(agents.flatMap { $0.commands ?? [] }.map(\.service))
        let sent = agents.flatMap { $0.sends ?? [] }.map(\.service)
        #expect(Set(sent) == given)
        #expect(Set(Flows.all.flatMap(\.commands)).isSubset(of: given))
    }

    @Test func trafficPlaysFlowsOfItsOwnSystem() throws {
        for agent in agents {
            for traffic in agent.traffic ?? [] {
                let flow = try #require(Flows.named(traffic.flow), "\(traffic.flow)")
                #expect(agent.systems.contains(flow.consumer), "\(flow.name)")
                #expect(traffic.perSecond > 0)
            }
        }
        let played = agents.flatMap { $0.traffic ?? [] }.map(\.flow)
        #expect(played.sorted() == Flows.all.map(\.name).sorted())
    }

    private func explain(_ sql: String, _ database: Database) throws -> [String] {
        // No statement of an agent's file has a semicolon inside.
        let statements = sql.split(separator: ";").filter { !$0.allSatisfy(\.isWhitespace) }.map(String.init)
        return try statements.flatMap { sql in
            let arguments = Binding.arguments(sql, .object([]))
            return try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments)
                .map { $0["detail"] as String }
        }
    }

    /// Scans of anything but subqueries and named parts of the statement.
    private func scans(_ plan: [String]) -> [String] {
        let gathered = plan.compactMap {
            $0.hasPrefix("MATERIALIZE ") || $0.hasPrefix("CO-ROUTINE ") ? $0.split(separator: " ")[1] : nil
        }
        let own = Set(gathered.map(String.init)).union(["CONSTANT", "w", "found"])
        return plan.filter { line in
            let words = line.split(separator: " ").map(String.init)
            // A list of the command's own body is no table.
            if line.contains("VIRTUAL TABLE") { return false }
            return words.first == "SCAN" && words.count > 1 && !own.contains(words[1]) && !words[1].hasPrefix("(")
        }
    }
}
