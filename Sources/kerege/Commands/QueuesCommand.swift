import ArgumentParser
import BusConsole
import BusProtocol
import Foundation

/// `kerege queues`
struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues",
        abstract: "What is owed to which system, and what was given up.",
        discussion: """
            A queue holds the commands of one system, the outcomes of commands it sent, or the events of one type it
            subscribes to. With --dead the messages that were given up for a receiver, or that expired, the oldest first.

            EXAMPLES
              kerege queues
              kerege queues --dead --system real-estate
              kerege queues --dead --json | jq -r '.letters[] | select(.reason.number == 5023) | .id'

            Exit code 0 also when there are dead letters; kerege doctor complains about them.
            """)

    @Flag(help: "List dead letters.") var dead = false
    @Option(help: ArgumentHelp("Only what this system receives.", valueName: "system"))
    var system: String?
    @Option(help: ArgumentHelp("With --dead: only this service or event.", valueName: "service"))
    var service: String?
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        if dead { return try letters() }
        guard service == nil else {
            throw Failure.wrongUse(
                "--service goes with --dead", why: "a queue holds messages of many services",
                next: ShellText.command(["kerege", "queues", "--dead", "--service", service ?? ""]))
        }
        let query = DeadLetterQuery.text([("system", system)])
        let (page, raw) = try admin.client().get(QueuesPage.self, "/v1/queues\(query)")
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        Output.write(lines: QueuesView(page: page, now: .now, style: .standardOutput).lines())
    }

    private func letters() throws {
        let query = DeadLetterQuery.text([("system", system), ("service", service)])
        let (page, raw) = try admin.client().get(DeadLettersPage.self, "/v1/dead-letters\(query)")
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        let view = DeadLettersView(letters: page.letters, total: page.total, now: .now, style: .standardOutput)
        Output.write(lines: view.lines())
        if let first = page.letters.first { Output.tell(Self.next(before: first)) }
    }

    static func next(before first: DeadLetterItem) -> String { "next: \(ShellText.trace(first.id))" }
}

/// The query part of a path of the admin API.
enum DeadLetterQuery {
    static func text(_ parameters: [(String, String?)]) -> String {
        let given = parameters.compactMap { name, value in
            value.map { "\(name)=\($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")" }
        }
        return given.isEmpty ? "" : "?" + given.joined(separator: "&")
    }
}
