import ArgumentParser
import BusAgent
import BusConsole
import BusProtocol
import Foundation

/// `kerege replay`
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Move a subscriber's cursor: what it has seen of an event type is delivered to it again.",
        discussion: """
            For a subscriber that lost its data, or came late. Only events whose bodies are kept come again; each keeps its
            id, so a subscriber that knows it already drops it. When none comes again, it is said where the events end.

            EXAMPLES
              kerege replay individuals.address-changed.v1 --as portal --from beginning
              kerege replay individuals.address-changed.v1 --as portal --from position:120000
              kerege replay individuals.address-changed.v1 --as portal --from time:2026-03-04T10:00:00Z

            Exit code 1 when the system does not subscribe to the event, 2 when there is no such event or system.
            """)

    @Argument(help: "system.name.vN of the event; kerege services lists them.")
    var event: String
    @Option(name: .customLong("as"), help: ArgumentHelp("The subscriber.", valueName: "system"))
    var subscriber: String
    @Option(help: ArgumentHelp("\(StartPoint.help).", valueName: "start"))
    var from: String
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let start = try StartPoint.read(from)
        let order =
            switch start {
            case .beginning: ReplayOrder(event: event, system: subscriber, from: "beginning")
            case .position(let position):
                ReplayOrder(event: event, system: subscriber, from: "position", value: Int64(clamping: position))
            case .time(let time): ReplayOrder(event: event, system: subscriber, from: "time", value: time)
            }
        let (page, raw) = try admin.client().post(ReplayPage.self, "/v1/replay", order, within: .seconds(120))
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        Output.write(lines: ReplayView(page: page, start: start).lines())
        Output.tell("next: " + ShellText.command(["kerege", "queues", "--system", page.system.plain()]))
    }
}
