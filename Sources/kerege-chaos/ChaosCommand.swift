import ArgumentParser

@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kerege-chaos",
        abstract: "Runs the bus under faults, with real processes and in virtual time, and counts what was promised.",
        subcommands: [CampaignCommand.self, TableCommand.self, Simulate.self, Mutants.self])
}
