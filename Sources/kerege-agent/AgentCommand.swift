import ArgumentParser
import BusAgent
import Doors
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// The door of an agent: reads options, starts, waits for SIGTERM, drains, stops.
@main
struct AgentCommand: AsyncParsableCommand {
    static func main() async { await open() }

    static let configuration = CommandConfiguration(
        commandName: "kerege-agent",
        abstract:
            "An agent: connects a system to the bus, answers its services from its database, and publishes its events.",
        discussion: """
            The file names the agent, its systems and the SQL that answers for them; see deploy/agents.

            EXAMPLES
              kerege-agent --config deploy/agents/individuals.yaml
              kerege-agent --config agent.yaml --broker tcp://bus.example.kz:7400 --data /var/lib/kerege

            SIGTERM drains: no new work, what is under way ends, then the agent says goodbye and stops.
            """)

    @Option(help: "YAML file of the agent.")
    var config: String
    @Option(help: "Address of the broker.")
    var broker = "tcp://127.0.0.1:7400"
    @Option(help: "Data folder: registers, keys, what the agent remembers.")
    var data = "./data"
    @Option(
        help:
            "Folder of keys: AGENT.key, SYSTEM.seal and SYSTEM.subject (secret), broker.pub and authority.pub. (default: DATA/keys)"
    )
    var keys: String?
    @Option(
        help: ArgumentHelp(
            "Public key of the authority that signs the space. (default: KEYS/authority.pub, where there is one)",
            valueName: "file"))
    var authority: String?
    @Option(help: "Folder of contracts.")
    var contracts = "Schemas/contracts"
    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error.")
    var logLevel = "info"
    @Flag(inversion: .prefixedNo, help: "Play the traffic the file names.")
    var traffic = true
    @Flag(help: ArgumentHelp("End when standard input closes, as a parent's end does.", visibility: .hidden))
    var stopWithParent = false

    mutating func run() async throws {
        if stopWithParent { StopWithParent.watch() }
        let service: AgentService
        do { service = try await AgentService(self) } catch {
            FileHandle.standardError.write(Data("kerege-agent: \(error)\n".utf8))
            throw ExitCode(2)
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: service.logger))
        try await group.run()
    }
}
