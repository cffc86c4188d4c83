import BusDirectory
import BusProtocol
import Yams

/// Reads the members of an agent's file and collects what is wrong.
struct AgentFileReader {
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

    // MARK: - Values

    mutating func checkedName(_ name: String, _ node: Node?) -> String? {
        if Names.isService(Array(name.utf8)) { return name }
        if let node {
            error(
                node, .badIdentifier, "`\(name)` is no service or event",
                right: "`system.name.vN`, such as `individuals.person-get.v1`")
        }
        return nil
    }

    mutating func members(_ node: Node, of kind: String, _ allowed: [String]) -> [String: Node] {
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

    mutating func list(_ node: Node?, _ name: String) -> [Node] {
        guard let node else { return [] }
        if case .sequence(let sequence) = node { return Array(sequence) }
        if node.string?.isEmpty ?? false { return [] }
        error(node, .wrongType, "`\(name)` is no list", right: "`- entry` lines")
        return []
    }

    mutating func required(_ name: String, _ members: [String: Node], _ parent: Node, right: String) -> String? {
        guard let node = members[name] else {
            error(parent, .missingMember, "`\(name)` is missing", right: "add `\(name):` with \(right)")
            return nil
        }
        return text(node, "`\(name)`", right: right)
    }

    mutating func text(_ node: Node, _ name: String, right: String) -> String? {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
            error(node, .wrongType, "\(name) is empty or no text", right: right)
            return nil
        }
        return scalar.string
    }
}
