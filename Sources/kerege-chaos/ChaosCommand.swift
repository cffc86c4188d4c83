import ArgumentParser
import Doors

@main
struct ChaosCommand: AsyncParsableCommand {
    static func main() async { await open() }

    static let configuration = CommandConfiguration(
        commandName: "kerege-chaos",
        abstract: "Runs the bus under faults in virtual time, and proves that broken promises would be seen.",
        subcommands: [Simulate.self, Mutants.self])
}
