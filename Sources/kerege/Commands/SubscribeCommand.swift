import ArgumentParser
import BusAgent
import BusContracts
import BusProtocol
import Dispatch
import Synchronization

/// `kerege subscribe`
struct SubscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Receive events as a system, until Ctrl-C, a number of them, or a time.",
        discussion: """
            What is printed is acknowledged, and with that settled for the system. Agents of one system share its load: while
            this runs, its own agents get the other part of these events. So use it where the system's agents do not run, or
            for a system made for looking; use kerege trace to look at a single message.

            Connects with the operator's key, like kerege call. --from moves the cursor of the whole system: what its agents
            have seen comes again, to them as well.

            EXAMPLES
              kerege subscribe individuals.address-changed.v1 --as portal
              kerege subscribe individuals.address-changed.v1 real-estate.property-registered.v1 --as portal --json | jq .body
              kerege subscribe individuals.address-changed.v1 --as portal --from beginning --count 10 --for 10s
              kerege subscribe individuals.address-changed.v1 --as portal --from time:2026-03-04T10:00:00Z

            Exit code 1 for an event the system is not subscribed to, and when --for ended before --count events had come, 3 without a broker.
            """)

    @Argument(help: "system.name.vN, one or more; kerege services lists them.")
    var events: [String]
    @Option(name: .customLong("as"), help: ArgumentHelp("The system that receives.", valueName: "system"))
    var subscriber = "portal"
    @Option(help: ArgumentHelp("Move the cursor first: \(StartPoint.help).", valueName: "start"))
    var from: String?
    @Option(help: "End after so many events; what came beyond is handed back.")
    var count: Int?
    @Option(name: .customLong("for"), help: ArgumentHelp("End after this time: 10s, 5m.", valueName: "time"))
    var length: String?
    @OptionGroup var options: AgentOptions

    mutating func run() async throws {
        let start = try from.map { text throws(Failure) in try StartPoint.read(text) }
        let length = try length.map { text throws(Failure) in try Spans.duration(text, of: "--for") }
        guard count ?? 1 > 0 else {
            throw Failure.wrongUse("--count is \(count ?? 0)", why: "it is 1 or more", next: "use --count 10")
        }
        let end = EndOfRun()
        let printer = EventPrinter(count: count, asJSON: options.json, end: end)
        let agent = try await options.connect(serving: [subscriber]) { agent in
            for event in events { agent.subscribeDeferred(event) { printer.take($0, $1) } }
        }
        do {
            if let start { try await replay(agent, start) } else { try await look(agent) }
        } catch {
            await agent.drain()
            await agent.close()
            throw error
        }
        if !options.json { Output.tell("waiting for \(events.joined(separator: ", ")) as \(subscriber); Ctrl-C ends") }
        let timer = Task {
            guard let length else { return }
            try await Task.sleep(for: length)
            end.end()
        }
        await end.wait()
        timer.cancel()
        await agent.drain()
        await agent.close()
        if let count, printer.count < count {
            Output.tell("\(printer.count) of \(count) events came")
            throw ExitCode(ExitStatus.no.rawValue)
        }
    }

    /// Whether there is such an event, and a subscription to it: else one would wait for ever. Asks for what nobody has published.
    private func look(_ agent: Agent) async throws(Failure) {
        let limit = try options.span()
        for event in events {
            do throws(BusFault) {
                _ = try await agent.replay(event, from: .position(.max), as: subscriber, deadline: limit)
            } catch { throw AgentOptions.explain(error, about: "\(event) as \(subscriber)") }
        }
    }

    private func replay(_ agent: Agent, _ start: ReplayStart) async throws(Failure) {
        for event in events {
            do throws(BusFault) {
                let count = try await agent.replay(event, from: start, as: subscriber, deadline: .seconds(60))
                guard !options.json else { continue }
                Output.tell(
                    count > 0
                        ? "\(count) events of \(event) come again"
                        : "nothing of \(event) comes again: it begins behind the newest one, or all is on its way already"
                )
            } catch { throw AgentOptions.explain(error, about: "\(event) as \(subscriber)") }
        }
    }
}

/// Prints events in the order in which they came, and acknowledges each when it is printed.
final class EventPrinter: Sendable {
    private let wanted: Int?
    private let isJSON: Bool
    private let end: EndOfRun
    /// Writing may block, which must not hold up the agent's connection.
    private let queue = DispatchQueue(label: "kerege.events")
    private let printed = Mutex(0)

    init(count: Int?, asJSON isJSON: Bool, end: EndOfRun) {
        wanted = count
        self.isJSON = isJSON
        self.end = end
    }

    /// Events that came.
    var count: Int { printed.withLock { $0 } }

    func take(_ event: BusEvent, _ settler: Settler) {
        queue.async { [self] in
            let isWanted = printed.withLock { printed in
                guard !end.isOver, wanted.map({ printed < $0 }) ?? true else { return false }
                printed += 1
                return true
            }
            guard isWanted else { return settler.settle(.failure(BusFault(.draining, at: .consumerAgent))) }
            tell(event)
            settler.settle(.success(()))
            if count == wanted { end.end() }
        }
    }

    private func tell(_ event: BusEvent) {
        let body = (try? JSONValue.parse(event.body)) ?? .string(String(decoding: event.body, as: UTF8.self))
        guard isJSON else {
            return Output.write(
                "\(event.event) \(event.id) position \(event.position) attempt \(event.attempt)\n\(body.text(.pretty))")
        }
        let line: JSONValue = [
            "attempt": JSONValue(event.attempt), "body": body, "event": .string(event.event), "id": .string(event.id),
            "position": JSONValue(event.position),
        ]
        Output.write(line.text() + "\n")
    }
}
