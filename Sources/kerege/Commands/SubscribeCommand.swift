import ArgumentParser
import BusAgent
import BusContracts

/// `kerege subscribe`
struct SubscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Receive an event as a system, until Ctrl-C.",
        discussion: """
            What is received here is settled for the system: its own agent does not get it as well. Use it where that agent
            does not run, or for a system made for looking.

            EXAMPLES
              kerege subscribe individuals.address-changed.v1 --as portal
              kerege subscribe real-estate.property-registered.v1 --as portal --json | jq .body
            """)

    @Argument(help: "system.name.vN; kerege services lists them.")
    var event: String
    @Option(name: .customLong("as"), help: ArgumentHelp("The system that receives.", valueName: "system"))
    var subscriber = "portal"
    @OptionGroup var options: AgentOptions

    mutating func run() async throws {
        let end = EndOfRun()
        let isJSON = options.json
        let agent = try await options.connect(serving: [subscriber]) { agent in
            agent.subscribe(event) { event in Self.tell(event, isJSON) }
        }
        if !isJSON { Output.tell("waiting for \(event) as \(subscriber); Ctrl-C ends") }
        await end.wait()
        await agent.drain()
    }

    private static func tell(_ event: BusEvent, _ isJSON: Bool) {
        let body = (try? JSONValue.parse(event.body)) ?? .string(String(decoding: event.body, as: UTF8.self))
        guard isJSON else {
            return Output.write(
                "\(event.id) position \(event.position) attempt \(event.attempt)\n\(body.text(.pretty))")
        }
        let line: JSONValue = [
            "attempt": JSONValue(event.attempt), "body": body, "event": .string(event.event), "id": .string(event.id),
            "position": JSONValue(event.position),
        ]
        Output.write(line.text() + "\n")
    }
}
