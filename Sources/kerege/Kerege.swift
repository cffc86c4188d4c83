import ArgumentParser
import Doors
import Foundation

/// The operator's command line. One file a command in `Commands/`.
///
/// Exit codes: 0 fine, 1 the answer is "no", 2 wrong use, 3 the broker cannot be reached.
@main
struct Kerege: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kerege",
        abstract: "The operator's command line of the inter-agency integration bus.",
        discussion: """
            Needs no configuration: data in ./data, broker on tcp://127.0.0.1:7400, admin API on http://127.0.0.1:7480.

            EXAMPLES
              kerege up                       start a broker and every agent on this machine
              kerege status --watch           what works and what does not, live
              kerege integrations --state non-functional
              kerege call individuals.person-get.v1 '{"iin":"…"}' --as portal
              kerege send real-estate.property-transfer.v1 '{…}' --as e-notary --wait 10s
              kerege queues --dead            what was given up, and kerege resend ID

            EXIT CODES
              0 fine   1 the answer is "no"   2 wrong use   3 the broker cannot be reached
            """,
        version: "kerege 0.1.0",
        groupedSubcommands: [
            CommandGroup(name: "Run", subcommands: [Up.self, DrainCommand.self, DoctorCommand.self, KeysCommand.self]),
            CommandGroup(
                name: "See",
                subcommands: [
                    StatusCommand.self, SystemsCommand.self, ServicesCommand.self, IntegrationsCommand.self,
                    AgentsCommand.self,
                ]),
            CommandGroup(
                name: "Messages",
                subcommands: [
                    CallCommand.self, SendCommand.self, PublishCommand.self, SubscribeCommand.self, TraceCommand.self,
                ]),
            CommandGroup(
                name: "Durable messages", subcommands: [QueuesCommand.self, ResendCommand.self, ReplayCommand.self]),
            CommandGroup(
                name: "Plan, contracts and evidence",
                subcommands: [
                    SpaceCommand.self, ContractCommand.self, JournalCommand.self, EvidenceCommand.self,
                    AccessCommand.self,
                ]),
        ])

    static func main() async {
        await open { error in
            guard let failure = error as? Failure else { return }
            failure.tell(asJSON: CommandLine.arguments.contains("--json"))
            Foundation.exit(failure.exit.rawValue)
        }
    }
}
