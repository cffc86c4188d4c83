import ArgumentParser
import BusConsole
import Foundation

/// `kerege systems`
struct SystemsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systems",
        abstract: "Every system of the space: health, agents, traffic, passport.",
        discussion: """
            EXAMPLES
              kerege systems
              kerege systems --json | jq '.systems[] | select(.health != "up") | .id'

            Exit code 1 when a system is non-functional.
            """)

    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let (page, raw) = try admin.client().get(SystemsPage.self, "/v1/systems")
        if admin.json {
            Output.write(raw + Data("\n".utf8))
        } else {
            Output.write(lines: Self.table(page).lines(.standardOutput))
        }
        if page.systems.contains(where: { $0.health == "non-functional" }) { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private static func table(_ page: SystemsPage) -> Table {
        var table = Table([
            .init("system"), .init("health"), .init("cause"), .init("agents", isNumber: true),
            .init("services", isNumber: true), .init("ok", isNumber: true), .init("err", isNumber: true),
            .init("passport gaps", isNumber: true), .init("why"),
        ])
        for system in page.systems {
            table.rows.append([
                Table.Cell(system.id), .state(system.health), Table.Cell(system.cause ?? ""),
                .count(system.agents.count), .count(system.services), .count(system.provided.successes),
                .count(system.provided.errors, .bad), .count(system.passportMissing.count, .warning),
                Table.Cell(system.why),
            ])
        }
        return table
    }
}
