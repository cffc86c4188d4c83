import BusDirectory
import BusProtocol
import Yams

/// The sections of an agent's file.
extension AgentFileReader {
    mutating func read(_ root: Node) -> AgentFile {
        var agent = AgentFile()
        let members = members(
            root, of: "the agent",
            [
                "agent", "systems", "database", "register", "services", "commands", "sends", "outcomes",
                "subscriptions", "publications", "notices", "heartbeat", "traffic",
            ])
        agent.agent = required("agent", members, root, right: "its name, such as `individuals-1`") ?? ""
        agent.systems = systems(members["systems"], root)
        agent.database = members["database"].flatMap { text($0, "`database`", right: "a file name") }
        agent.register = members["register"].flatMap { text($0, "`register`", right: "the name of a register") }
        for node in list(members["services"], "services") {
            if let service = service(node) { agent.services.append(service) }
        }
        for node in list(members["commands"], "commands") {
            if let command = command(node) { agent.commands.append(command) }
        }
        for node in list(members["sends"], "sends") {
            if let (service, sql) = named("service", node, "a sending") {
                agent.sends.append(.init(service: service, sql: sql, place: place(node)))
            }
        }
        for node in list(members["outcomes"], "outcomes") {
            if let (service, sql) = named("service", node, "an outcome") {
                agent.outcomes.append(.init(service: service, sql: sql, place: place(node)))
            }
        }
        for node in list(members["subscriptions"], "subscriptions") {
            if let (event, sql) = named("event", node, "a subscription") {
                agent.subscriptions.append(.init(event: event, sql: sql, place: place(node)))
            }
        }
        for node in list(members["publications"], "publications") {
            if let (event, sql) = named("event", node, "a publication") {
                agent.publications.append(.init(event: event, sql: sql, place: place(node)))
            }
        }
        agent.notices = members["notices"].flatMap { notices($0) }
        if let heartbeat = members["heartbeat"] {
            let inner = self.members(heartbeat, of: "`heartbeat`", ["dataUpdated"])
            agent.dataUpdated = inner["dataUpdated"].flatMap {
                text($0, "`dataUpdated`", right: "SQL that gives one time")
            }
        }
        for node in list(members["traffic"], "traffic") { if let flow = traffic(node) { agent.traffic.append(flow) } }
        needDatabase(agent, root)
        return agent
    }

    private mutating func needDatabase(_ agent: AgentFile, _ root: Node) {
        let lists = [
            agent.services.count, agent.commands.count, agent.sends.count, agent.outcomes.count,
            agent.subscriptions.count, agent.publications.count,
        ]
        let hasOther = agent.dataUpdated != nil || agent.notices != nil
        if agent.database == nil, lists.contains(where: { $0 > 0 }) || hasOther {
            error(root, .missingMember, "SQL stands here, but no database", right: "add `database: NAME.sqlite`")
        }
    }

    private mutating func systems(_ node: Node?, _ root: Node) -> [String] {
        guard let node else {
            error(root, .missingMember, "`systems` is missing", right: "add `systems: [individuals]`")
            return []
        }
        let systems = list(node, "systems").compactMap { system($0) }
        if systems.isEmpty || systems.count > Limits.systemsPerAgent {
            error(node, .badValue, "`systems` has \(systems.count) entries", right: "1 to \(Limits.systemsPerAgent)")
        }
        return systems
    }

    private mutating func system(_ node: Node) -> String? {
        guard let system = text(node, "a system", right: "its id") else { return nil }
        guard Names.isSystem(Array(system.utf8)) else {
            error(
                node, .badIdentifier, "`\(system)` is no system",
                right: "lower-case letters, digits and single hyphens")
            return nil
        }
        return system
    }

    private mutating func notices(_ node: Node) -> AgentFile.Notices? {
        let members = members(node, of: "`notices`", ["event", "without"])
        let event = required("event", members, node, right: "`system.name.vN`").flatMap {
            checkedName($0, members["event"])
        }
        let without = list(members["without"], "without").compactMap { system($0) }
        return event.map { AgentFile.Notices(event: $0, without: without, place: place(node)) }
    }

    private mutating func service(_ node: Node) -> AgentFile.Service? {
        let members = members(node, of: "a service", ["service", "sql", "answer", "delay"])
        let name = required("service", members, node, right: "`system.name.vN`").flatMap {
            checkedName($0, members["service"])
        }
        let sql = required("sql", members, node, right: "a SELECT whose first column is the answer's JSON")
        if let answer = members["answer"], answer.string != "one" {
            error(
                answer, .badValue, "`answer` is `\(answer.string ?? "")`",
                right: "`one`: the first column of the first row")
        }
        var delay: Milliseconds?
        if let node = members["delay"] {
            delay = Milliseconds(node.string ?? "")
            if delay == nil {
                error(
                    node, .badDuration, "`delay` is `\(node.string ?? "")`",
                    right: "a whole number with ms or s, such as `300ms`")
            }
        }
        guard let name, let sql else { return nil }
        return AgentFile.Service(service: name, sql: sql, delay: delay, place: place(members["sql"] ?? node))
    }

    private mutating func command(_ node: Node) -> AgentFile.Command? {
        let members = members(node, of: "a command", ["service", "before", "refuse", "sql", "outcome"])
        let name = required("service", members, node, right: "`system.name.vN`").flatMap {
            checkedName($0, members["service"])
        }
        let before = members["before"].flatMap { text($0, "`before`", right: "the name of a check") }
        let refuse = members["refuse"].flatMap { statement($0, "`refuse`", right: "a SELECT of code and detail") }
        let sql = required("sql", members, node, right: "the statements that change the register")
        let outcome = required(
            "outcome", members, node, right: "a SELECT whose first column is the outcome's JSON, or `later`")
        guard let name, let sql, let outcome else { return nil }
        return AgentFile.Command(
            service: name, before: before, refuse: refuse,
            sql: AgentFile.Statement(sql: sql, place: place(members["sql"] ?? node)),
            outcome: outcome == "later"
                ? nil : AgentFile.Statement(sql: outcome, place: place(members["outcome"] ?? node)),
            place: place(node))
    }

    private mutating func statement(_ node: Node, _ name: String, right: String) -> AgentFile.Statement? {
        text(node, name, right: right).map { AgentFile.Statement(sql: $0, place: place(node)) }
    }

    /// An entry of a name and a statement.
    private mutating func named(_ member: String, _ node: Node, _ kind: String) -> (String, String)? {
        let members = members(node, of: kind, [member, "sql"])
        let name = required(member, members, node, right: "`system.name.vN`").flatMap {
            checkedName($0, members[member])
        }
        let sql = required("sql", members, node, right: "the statement")
        guard let name, let sql else { return nil }
        return (name, sql)
    }

    private mutating func traffic(_ node: Node) -> AgentFile.Traffic? {
        let members = members(node, of: "a flow", ["flow", "perSecond"])
        let flow = required("flow", members, node, right: "the name of a flow")
        guard let text = required("perSecond", members, node, right: "plays in a second, such as `5` or `0.2`") else {
            return nil
        }
        guard let rate = Double(text), rate > 0, rate <= AgentFile.fastest else {
            error(
                members["perSecond"] ?? node, .badValue, "`perSecond` is `\(text)`",
                right: "a number above 0, at most \(Int(AgentFile.fastest))")
            return nil
        }
        return flow.map { AgentFile.Traffic(flow: $0, perSecond: rate, place: place(node)) }
    }
}
