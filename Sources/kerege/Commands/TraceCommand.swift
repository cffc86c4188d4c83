import ArgumentParser
import BusConsole
import Foundation

/// `kerege trace`
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "The way of one message through the bus, out of the journal.",
        discussion: """
            EXAMPLES
              kerege trace 0199f3a2-…
              kerege trace 0199f3a2-… --json | jq .finished.durations

            Of a command: where it stands, every attempt with its reason and agent, its outcome. Of an event: how each
            subscriber stands to it, and who replayed it.

            Exit code 1 when the journal has no such message, or several systems' messages have this id and --position is missing,
            or it failed, expired or was given up.
            """)

    @OptionGroup var message: NamedMessageOptions
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let path = try message.path()
        let (page, raw) = try admin.client().get(TracePage.self, path)
        if admin.json {
            Output.write(raw + Data("\n".utf8))
        } else {
            Output.write(lines: TraceView(page: page, style: .standardOutput).lines())
        }
        if ["failed", "expired", "dead-lettered"].contains(page.state) { throw ExitCode(ExitStatus.no.rawValue) }
    }
}
