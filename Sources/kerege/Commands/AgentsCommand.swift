import ArgumentParser
import BusConsole
import Foundation

/// `kerege agents`
struct AgentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agents",
        abstract: "Agents that are connected, that are missing, and keys that were refused.",
        discussion: """
            EXAMPLES
              kerege agents
              kerege agents --json | jq '.refused_keys'
            """)

    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let (page, raw) = try admin.client().get(AgentsPage.self, "/v1/agents")
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        Output.write(lines: Self.connected(page).lines(.standardOutput) + Self.missing(page, .standardOutput))
    }

    private static func connected(_ page: AgentsPage) -> Table {
        var table = Table([
            .init("agent"), .init("state"), .init("up", isNumber: true), .init("silent", isNumber: true),
            .init("open", isNumber: true), .init("waiting", isNumber: true), .init("sent", isNumber: true),
            .init("received", isNumber: true), .init("systems"),
        ])
        for agent in page.agents {
            table.rows.append([
                Table.Cell(agent.agent),
                agent.draining ? Table.Cell("draining", .warning) : Table.Cell("connected", .good),
                Table.Cell(Spans.text(milliseconds: Int64(clamping: agent.uptimeMs))),
                Table.Cell(Spans.text(milliseconds: agent.silentMs)), .count(agent.outstanding),
                .count(agent.waiting, .warning), .count(agent.submitted), .count(agent.delivered),
                Table.Cell(agent.systems.joined(separator: " ")),
            ])
        }
        for agent in page.absent {
            table.rows.append(
                [Table.Cell(agent.agent), Table.Cell("absent", .quiet)] + Array(repeating: "", count: 6)
                    + [Table.Cell(agent.systems.joined(separator: " "))])
        }
        return table
    }

    private static func missing(_ page: AgentsPage, _ style: Style) -> [String] {
        guard !page.refusedKeys.isEmpty else { return [] }
        var table = Table([.init("refused key"), .init("times", isNumber: true), .init("from")])
        for key in page.refusedKeys {
            table.rows.append([Table.Cell(key.key, .bad), .count(key.count), Table.Cell(key.address)])
        }
        return [
            "", style.fit("Keys that are not in the space; add them under `keys:` and run kerege space apply DIR:"),
        ]
            + table.lines(style)
    }
}
