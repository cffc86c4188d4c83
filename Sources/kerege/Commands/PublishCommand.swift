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

            Only the system an event belongs to may publish it; that system is the default of --as. When the broker did not
            confirm in time, the command to repeat it with the same --id is printed: the same id with the same body is the
            same event.

            Exit code 1 when it was refused or not confirmed, 3 without a broker.
            """)

    @Argument(help: "system.name.vN; kerege services lists them.")
    var event: String
    @Argument(help: "The event as JSON, or - to read it from the standard input.")
    var body: String
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("The system that publishes. (default: the event's)", valueName: "system"))
    var publisher: String?
    @Option(help: "Repeat an earlier attempt under its id.")
    var id: String?
    @OptionGroup var options: AgentOptions

    mutating func run() async throws {
        let bytes = try MessageBody.read(body)
        let known = try Repetition.id(id)
        let deadline = try options.span()
        let agent = try await options.connect(serving: [])
        do {
            let receipt = try await publish(agent, bytes, known, deadline)
            await agent.drain()
            await agent.close()
            tell(receipt)
        } catch {
            await agent.drain()
            await agent.close()
            throw error
        }
    }

    private func publish(
        _ agent: Agent, _ bytes: [UInt8], _ known: MessageID?, _ deadline: Duration
    ) async throws(Failure) -> Receipt {
        var id = known
        do throws(BusFault) {
            let message = try agent.prepareEvent(event, bytes, as: publisher ?? Names.system(of: event), id: known)
            id = message.id
            return try await agent.submit(message, within: deadline)
        } catch {
            guard let id, Repetition.isUnknown(error) else { throw await explain(error, agent) }
            let words = publisher.map { ["--as", $0] } ?? []
            throw Repetition(verb: "publish", target: event, body: body, options: words, agent: options)
                .failure(id, error)
        }
    }

    /// An event belongs to one system: no other key would do, and no other name.
    private func explain(_ fault: BusFault, _ agent: Agent) async -> Failure {
        let owner = Names.system(of: event)
        guard fault.code == .keyNotForSystem, let publisher, publisher != owner else {
            return await options.explain(fault, about: event, as: self.publisher ?? owner, agent, mayChoose: false)
        }
        return WrongSpeaker.failure(
            "\(publisher) may not publish \(event)", why: "the event belongs to \(owner), which its name begins with",
            next: "leave --as out, or name an event of \(publisher); kerege services lists them")
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
