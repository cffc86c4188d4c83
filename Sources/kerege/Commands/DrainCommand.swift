import ArgumentParser
import BusConsole
import Foundation

/// `kerege drain`
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Let the broker finish what is open, and end.",
        discussion: """
            The broker takes no new messages (5031), delivers no more commands and events, lets open requests and deliveries
            end for at most 10 seconds, and stops in good order. What is still queued stays in the journal and goes on at
            the next start. With --keep-running it stays up, drained, until SIGTERM.

            EXAMPLES
              kerege drain
              kerege drain --keep-running --json

            Exit code 1 when requests were still open at the end of the drain's deadline, or the broker did not end.
            """)

    /// Between two looks at how far it is.
    private static let pause = Duration.milliseconds(500)
    /// Longer than the broker waits for what is open.
    private static let deadline = Duration.seconds(30)

    @Flag(name: .customLong("keep-running"), help: "Do not end the broker.") var staysUp = false
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let client = try admin.client()
        let order = DrainOrder(stop: !staysUp)
        let isQuiet = admin.json
        // On a thread of its own: the request waits until the broker is drained.
        let progress = Task.detached {
            try await Task.sleep(for: Self.pause)
            while let page = try? client.get(DrainPage.self, "/v1/drain").page {
                if !isQuiet { Output.tell("draining: \(Self.left(page))") }
                try await Task.sleep(for: Self.pause)
            }
        }
        defer { progress.cancel() }
        let (page, raw) = try client.post(DrainPage.self, "/v1/drain", order, within: Self.deadline)
        progress.cancel()
        if admin.json { Output.write(raw + Data("\n".utf8)) } else { tell(page) }
        if !staysUp { try await waitForEnd(client) }
        if !page.drained { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private static func left(_ page: DrainPage) -> String {
        "\(page.openCalls) requests open, \(page.inFlight) messages with agents"
    }

    private func tell(_ page: DrainPage) {
        Output.write(page.drained ? "drained: nothing is open\n" : "not drained: \(Self.left(page)) at the deadline\n")
        if page.depth > 0 {
            Output.write("\(page.depth) commands, outcomes and events stay in the journal for the next start\n")
        }
    }

    private func waitForEnd(_ client: AdminClient) async throws {
        let end = ContinuousClock.now + Self.deadline
        while ContinuousClock.now < end {
            do throws(Failure) { _ = try client.get(HealthPage.self, "/v1/health") } catch {
                if !admin.json { Output.write("the broker has ended\n") }
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure(
            .no, "still-running", "the broker is drained and has not ended", why: "its admin API still answers",
            next: "kill $(pidof kerege-broker)")
    }
}
