import ArgumentParser
import BusConsole
import Foundation

/// `kerege status`: planned against implemented, and what does not work.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Planned against implemented, findings, and systems that do not function.",
        discussion: """
            EXAMPLES
              kerege status
              kerege status --watch
              kerege status --json | jq '.findings[] | .code'

            Exit code 1 when a system is non-functional.
            """)

    @OptionGroup var admin: AdminOptions
    @Flag(help: "Redraw about each second until Ctrl-C; with --json a line each second.")
    var watch = false

    mutating func run() async throws {
        let client = try admin.client()
        guard watch else { return try once(client) }
        try await follow(client)
    }

    private func once(_ client: AdminClient) throws {
        let (page, raw) = try client.get(StatusPage.self, "/v1/status")
        if admin.json {
            Output.write(raw + Data("\n".utf8))
        } else {
            Output.write(lines: StatusView(page: page, style: .standardOutput).lines())
        }
        if !page.notFunctioning.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
    }

    /// - Throws: only when the first page cannot be had; later the page says that the broker is away.
    private func follow(_ client: AdminClient) async throws {
        var previous: StatusPage?
        var page = try client.get(StatusPage.self, "/v1/status")
        let isLive = isatty(STDOUT_FILENO) == 1 && !admin.json
        let screen = isLive ? LiveScreen() : nil
        while true {
            if admin.json {
                Output.write(page.raw + Data("\n".utf8))
            } else {
                let style = Style.standardOutput
                let lines = StatusView(page: page.page, previous: previous, style: style).lines()
                if let screen { screen.draw(lines, style) } else { Output.write(lines: lines + [""]) }
            }
            previous = page.page
            repeat {
                try await Task.sleep(for: .seconds(1))
                do throws(Failure) {
                    page = try client.get(StatusPage.self, "/v1/status")
                    break
                } catch {
                    guard let screen else { throw error }
                    let style = Style.standardOutput
                    screen.draw(
                        [
                            style.fit(style.paint(error.what, .bad)), "", style.fit(error.why),
                            style.fit("Still trying; Ctrl-C ends."),
                        ], style)
                }
            } while true
        }
    }
}
