import ArgumentParser
import Doors

/// The door of the benchmark.
@main
struct BenchCommand: AsyncParsableCommand {
    static func main() async { await open() }

    static let configuration = CommandConfiguration(
        commandName: "kerege-bench",
        abstract: "Measures requests through a broker: a requester and a responder as processes of their own.",
        discussion: """
            Starts a broker on a temporary data folder, or uses a running one (--broker with --data). Every request and every
            reply is durable before it is delivered, and travels over CURVE. Bodies are JSON checked against a contract at
            both edges (four checks a request) unless --opaque is given. Every message is signed by its agent and sealed for its
            system, as kerege up does it, unless --plain is given.

            EXAMPLES
              kerege-bench --window 64
              kerege-bench --window 1 --opaque --seconds 5 --json
            """,
        subcommands: [Measure.self, Check.self, Restart.self, SlowSubscriber.self, Request.self, Respond.self],
        defaultSubcommand: Measure.self)
}
