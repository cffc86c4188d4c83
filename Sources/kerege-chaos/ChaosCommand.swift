import ArgumentParser
import Doors

@main
struct ChaosCommand: AsyncParsableCommand {
    static func main() async { await open() }

    static let configuration = CommandConfiguration(
        commandName: "kerege-chaos",
        abstract: "Runs the bus under faults, with real processes and in virtual time, and counts what was promised.",
        subcommands: [CampaignCommand.self, TableCommand.self, Simulate.self, Mutants.self])
}
