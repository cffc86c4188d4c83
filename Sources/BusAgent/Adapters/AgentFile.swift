package import BusDirectory
import BusProtocol
import Yams

/// What `kerege-agent --config FILE` reads: an agent, its systems, and how a database answers for them.
package struct AgentFile: Sendable, Equatable {
    package struct Service: Sendable, Equatable {
        package var service: String
        package var sql: String
        /// Simulated slowness of the system.
        package var delay: Milliseconds?
        package var place: Place
    }
    package struct Subscription: Sendable, Equatable {
        package var event: String
        package var sql: String
        package var place: Place
    }
    package struct Publication: Sendable, Equatable {
        package var event: String
        package var sql: String
        package var place: Place
    }
    package struct Traffic: Sendable, Equatable {
        package var flow: String
        package var perSecond: Double
        package var place: Place
    }

    package var agent = ""
    package var systems: [String] = []
    /// Name of the SQLite file, relative to DATA/registers.
    package var database: String?
    /// The generated register the file holds; `kerege up` makes it.
    package var register: String?
    package var services: [Service] = []
    package var subscriptions: [Subscription] = []
    package var publications: [Publication] = []
    /// SQL that gives the time of the newest change, Unix milliseconds.
    package var dataUpdated: String?
    package var traffic: [Traffic] = []

    /// Largest file, bytes.
    package static let largest = 1 << 20
    /// Most plays of a flow in one second.
    package static let fastest = 100_000.0
}

/// Everything that is wrong with an agent's file.
package struct AgentFileProblem: Error, Sendable, CustomStringConvertible {
    package let findings: [Finding]
    package var description: String { findings.map(\.description).joined(separator: "\n") }
}

extension AgentFile {
    /// Reads a file's text.
    /// - Parameter name: how findings call the file.
    /// - Throws: all findings, each with file, line, column, what is wrong and what would be right.
    package init(_ text: String, name: String) throws(AgentFileProblem) {
        var reader = AgentFileReader(file: name)
        guard text.utf8.count <= Self.largest else {
            reader.error(
                1, 1, .tooLarge, "the file has \(text.utf8.count) bytes", right: "at most \(Self.largest) bytes")
            throw AgentFileProblem(findings: reader.findings)
        }
        guard let root = reader.parse(text) else { throw AgentFileProblem(findings: reader.findings) }
        self = reader.read(root)
        guard reader.findings.isEmpty else { throw AgentFileProblem(findings: reader.findings) }
    }
}

/// Reads the members of an agent's file and collects what is wrong.
private struct AgentFileReader {
    let file: String
    var findings: [Finding] = []

    init(file: String) { self.file = file }

    mutating func error(_ line: Int, _ column: Int, _ code: Finding.Code, _ what: String, right: String) {
        findings.append(
            Finding(.error, code, at: Place(file: file, line: line, column: column), what: what, right: right))
    }

    mutating func error(_ node: Node, _ code: Finding.Code, _ what: String, right: String) {
        error(node.mark?.line ?? 1, node.mark?.column ?? 1, code, what, right: right)
    }

    func place(_ node: Node) -> Place { Place(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1) }

    mutating func parse(_ text: String) -> Node? {
        // An alias is expanded wherever it stands, so a few lines could grow without bound: no anchors at all.
        if let line = text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex(where: Self.hasAnchor) {
            error(line + 1, 1, .anchor, "an anchor (&name)", right: "write the value in full")
            return nil
        }
        do {
            guard let root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot() else {
                error(1, 1, .missingMember, "the file is empty", right: "`agent:`, `systems:` and `services:`")
                return nil
            }
            return root
        } catch let problem as YamlError {
            report(problem)
        } catch {
            self.error(1, 1, .yamlSyntax, "\(error)", right: "valid YAML")
        }
        return nil
    }

    /// Only where a value begins: SQL may well have a `&` inside.
    private static func hasAnchor(_ line: Substring) -> Bool {
        guard let colon = line.firstRange(of: ": &") else { return line.drop { $0 == " " || $0 == "-" }.hasPrefix("&") }
        return line[colon.upperBound...].first.map { $0.isLetter || $0.isNumber } ?? false
    }

    private mutating func report(_ problem: YamlError) {
        switch problem {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            error(
                mark.line, mark.column, .yamlSyntax, "YAML: \(problem)",
                right: "check indentation, quotes and colons here and on the line before")
        case .duplicatedKeysInMapping(let names, let context):
            error(
                context.mark.line, context.mark.column, .duplicateMember,
                "`\(names.first ?? "")` stands twice in one mapping",
                right: "keep one of the two")
        default: error(1, 1, .yamlSyntax, "YAML: \(problem)", right: "valid YAML")
        }
    }

    // MARK: - Members

    mutating func read(_ root: Node) -> AgentFile {
        var agent = AgentFile()
        let members = members(
            root, of: "the agent",
            [
                "agent", "systems", "database", "register", "services", "subscriptions", "publications", "heartbeat",
                "traffic",
            ])
        agent.agent = required("agent", members, root, right: "its name, such as `individuals-1`") ?? ""
        agent.systems = systems(members["systems"], root)
        agent.database = members["database"].flatMap { text($0, "`database`", right: "a file name") }
        agent.register = members["register"].flatMap { text($0, "`register`", right: "the name of a register") }
        for node in list(members["services"], "services") {
            if let service = service(node) { agent.services.append(service) }
        }
        for node in list(members["subscriptions"], "subscriptions") {
            if let (event, sql) = event(node, "a subscription") {
                agent.subscriptions.append(.init(event: event, sql: sql, place: place(node)))
            }
        }
        for node in list(members["publications"], "publications") {
            if let (event, sql) = event(node, "a publication") {
                agent.publications.append(.init(event: event, sql: sql, place: place(node)))
            }
        }
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
        let uses = !agent.services.isEmpty || !agent.subscriptions.isEmpty || !agent.publications.isEmpty
        if agent.database == nil, uses || agent.dataUpdated != nil {
            error(root, .missingMember, "SQL stands here, but no database", right: "add `database: NAME.sqlite`")
        }
    }

    private mutating func systems(_ node: Node?, _ root: Node) -> [String] {
        guard let node else {
            error(root, .missingMember, "`systems` is missing", right: "add `systems: [individuals]`")
            return []
        }
        let systems = list(node, "systems").compactMap { item -> String? in
            guard let system = text(item, "a system", right: "its id") else { return nil }
            guard Names.isSystem(Array(system.utf8)) else {
                error(
                    item, .badIdentifier, "`\(system)` is no system",
                    right: "lower-case letters, digits and single hyphens")
                return nil
            }
            return system
        }
        if systems.isEmpty || systems.count > Limits.systemsPerAgent {
            error(node, .badValue, "`systems` has \(systems.count) entries", right: "1 to \(Limits.systemsPerAgent)")
        }
        return systems
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

    private mutating func event(_ node: Node, _ kind: String) -> (String, String)? {
        let members = members(node, of: kind, ["event", "sql"])
        let name = required("event", members, node, right: "`system.name.vN`").flatMap {
            checkedName($0, members["event"])
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

    private mutating func checkedName(_ name: String, _ node: Node?) -> String? {
        if Names.isService(Array(name.utf8)) { return name }
        if let node {
            error(
                node, .badIdentifier, "`\(name)` is no service or event",
                right: "`system.name.vN`, such as `individuals.person-get.v1`")
        }
        return nil
    }

    private mutating func members(_ node: Node, of kind: String, _ allowed: [String]) -> [String: Node] {
        guard case .mapping(let mapping) = node else {
            error(
                node, .wrongType, "\(kind) is no mapping",
                right: "`member: value` lines with \(allowed.joined(separator: ", "))")
            return [:]
        }
        var members: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.string, allowed.contains(name) else {
                error(
                    key, .unknownMember, "unknown member `\(key.string ?? "")` of \(kind)",
                    right: "one of \(allowed.joined(separator: ", "))")
                continue
            }
            members[name] = value
        }
        return members
    }

    private mutating func list(_ node: Node?, _ name: String) -> [Node] {
        guard let node else { return [] }
        if case .sequence(let sequence) = node { return Array(sequence) }
        if node.string?.isEmpty ?? false { return [] }
        error(node, .wrongType, "`\(name)` is no list", right: "`- entry` lines")
        return []
    }

    private mutating func required(_ name: String, _ members: [String: Node], _ parent: Node, right: String) -> String?
    {
        guard let node = members[name] else {
            error(parent, .missingMember, "`\(name)` is missing", right: "add `\(name):` with \(right)")
            return nil
        }
        return text(node, "`\(name)`", right: right)
    }

    private mutating func text(_ node: Node, _ name: String, right: String) -> String? {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
            error(node, .wrongType, "\(name) is empty or no text", right: right)
            return nil
        }
        return scalar.string
    }
}
