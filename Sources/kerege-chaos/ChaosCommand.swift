import ArgumentParser

@main
struct ChaosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kerege-chaos",
        abstract: "Runs the bus under faults in virtual time, and proves that broken promises would be seen.",
        subcommands: [Simulate.self, Mutants.self])
}
