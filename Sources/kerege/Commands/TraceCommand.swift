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

            Exit code 1 when the journal has no such message, or the call failed.
            """)

    @Argument(help: "The message's id; kerege call prints it.")
    var id: String
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        guard UUID(uuidString: id) != nil else {
            throw Failure.wrongUse(
                "`\(id)` is no message id", why: "an id is a UUID of 36 characters",
                next: "copy it from the output of kerege call")
        }
        let (page, raw) = try admin.client().get(TracePage.self, "/v1/messages/\(id.lowercased())")
        if admin.json {
            Output.write(raw + Data("\n".utf8))
        } else {
            Output.write(lines: TraceView(page: page, style: .standardOutput).lines())
        }
        if page.state == "failed" { throw ExitCode(ExitStatus.no.rawValue) }
    }
}
