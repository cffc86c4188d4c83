import ArgumentParser
import BusAgent
import BusContracts
import BusProtocol

/// `kerege publish`
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publish an event and wait until the broker has it durably.",
        discussion: """
            EXAMPLES
              kerege publish individuals.address-changed.v1 '{"iin":"…", …}'

            Only the system an event belongs to may publish it; that system is the default of --as.
            """)

    @Argument(help: "system.name.vN; kerege services lists them.")
    var event: String
    @Argument(help: "The event as JSON, or - to read it from the standard input.")
    var body: String
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("The system that publishes. (default: the event's)", valueName: "system"))
    var publisher: String?
    @OptionGroup var options: AgentOptions

    mutating func run() async throws {
        let body = try MessageBody.read(body)
        let agent = try await options.connect(serving: [])
        do throws(BusFault) {
            let receipt = try await agent.publish(event, body, as: publisher ?? Names.system(of: event))
            await agent.drain()
            tell(receipt)
        } catch {
            await agent.drain()
            throw AgentOptions.explain(error)
        }
    }

    private func tell(_ receipt: Receipt) {
        if options.json {
            let page: JSONValue = [
                "event": .string(event), "id": .string(receipt.id), "tree_size": JSONValue(receipt.treeSize),
            ]
            return Output.write(page.text() + "\n")
        }
        Output.write("published \(receipt.id); the journal has \(receipt.treeSize) records\n")
        Output.tell("next: kerege trace \(receipt.id)")
    }
}
