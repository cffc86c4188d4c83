import ArgumentParser
import BusConsole
import Foundation

/// `kerege services`
struct ServicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "Every service and event type: who offers it, who uses it.",
        discussion: """
            EXAMPLES
              kerege services
              kerege services --json | jq -r '.services[] | select(.kind == "event") | .name'
            """)

    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let (page, raw) = try admin.client().get(ServicesPage.self, "/v1/services")
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        var table = Table([
            .init("service"), .init("kind"), .init("provider is"), .init("deadline", isNumber: true),
            .init("p95 promised", isNumber: true), .init("ok", isNumber: true), .init("err", isNumber: true),
            .init("work", isNumber: true), .init("consumers"),
        ])
        for service in page.services {
            table.rows.append([
                Table.Cell(service.name), Table.Cell(service.kind), .state(service.health),
                Table.Cell(service.deadlineMs.map { Spans.text(milliseconds: $0) } ?? ""),
                Table.Cell(service.promisedP95Ms.map { Spans.text(milliseconds: $0) } ?? ""),
                .count(service.window.successes), .count(service.window.errors, .bad),
                .count(service.implemented, .good),
                Table.Cell(service.consumers.joined(separator: " ")),
            ])
        }
        Output.write(lines: table.lines(.standardOutput))
    }
}
