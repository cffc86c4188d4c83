import ArgumentParser
import BusConsole
import Foundation

/// `kerege drain`
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Stop taking requests and wait until the open ones have ended.",
        discussion: """
            The broker goes on running and answers 5031 draining; stop it then with SIGTERM.

            EXAMPLES
              kerege drain && kill $(pidof kerege-broker)

            Exit code 1 when requests were still open at the end of the drain's deadline.
            """)

    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let (page, raw) = try admin.client().post(DrainPage.self, "/v1/drain", [String: String](), within: .seconds(30))
        if admin.json {
            Output.write(raw + Data("\n".utf8))
        } else {
            Output.write(
                page.drained
                    ? "drained: no request is open\n" : "not drained: \(page.openCalls) requests are still open\n")
        }
        if !page.drained { throw ExitCode(ExitStatus.no.rawValue) }
    }
}
