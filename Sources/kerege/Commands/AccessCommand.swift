import ArgumentParser
import BusAgent
import BusConsole
import BusContracts
import BusProtocol
import Foundation

/// `kerege access`
struct AccessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access",
        abstract: "Who asked about a person, when, and for what.",
        discussion: """
            The journal knows nobody's number. The provider's agent is asked, over the bus and within the plan, under which
            references it keeps the accesses; the journal is then searched for them. What is listed is what that one system was
            asked: name another with --system.

            EXAMPLES
              kerege access 831015358396
              kerege access 831015358396 --system real-estate --since 90d
              kerege access - --json < number.txt | jq '.accesses[] | [.at, .consumer, .purpose]'

            With - the number is read from the standard input, so that it does not stand in the list of processes.

            Exit code 1 when nobody asked, or when the question is refused; 2 for what is no IIN and no BIN; 3 without a broker.
            """)

    /// Accesses that are listed; beyond it a shorter --since is needed.
    static let most = 10_000

    @Argument(help: "The person's IIN or the company's BIN, or - to read it from the standard input.")
    var subject: String
    @Option(help: ArgumentHelp("The system whose data it is about.", valueName: "system"))
    var system = "individuals"
    @Option(help: ArgumentHelp("Only within this time: 2h, 30d.", valueName: "time"))
    var since = "30d"
    @Option(name: .customLong("as"), help: ArgumentHelp("The system that asks.", valueName: "system"))
    var consumer = "portal"
    @Flag(help: "List also who asked this question before.")
    var audits = false
    @Option(help: ArgumentHelp("Address of the admin API, loopback only.", valueName: "url"))
    var http = "http://127.0.0.1:7480"
    @OptionGroup var context: ContextOptions
    @OptionGroup var options: AgentOptions

    mutating func run() async throws {
        let span = try Spans.duration(since, of: "--since")
        let subject = try subjectAsGiven()
        let client = try AdminClient(address: http, data: options.data)
        let references = try await references(to: subject)
        let first = max(0, Int64(Date.now.timeIntervalSince1970 * 1000) - Int64(span / .milliseconds(1)))
        let list = try read(client, references, since: first)
        let page = Page(
            system: system, sinceMs: first, since: RFC3339.text(first), references: references,
            accesses: list.accesses, complete: list.isComplete)
        if options.json { try Output.print(json: page) } else { tell(page) }
        if page.accesses.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
    }

    struct Page: Encodable {
        var system: String
        var sinceMs: Int64
        var since: String
        /// Under which the system keeps accesses to this person's data.
        var references: [String]
        var accesses: [AccessesPage.Item]
        /// False when there are more than are listed.
        var complete: Bool
    }

    // MARK: - Steps

    private func subjectAsGiven() throws(Failure) -> String {
        let text =
            subject == "-" ? String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self) : subject
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !trimmed.isEmpty, trimmed.utf8.count <= 120, !trimmed.contains(where: \.isNewline) else {
            throw .wrongUse(
                "no number is given", why: "it is one line of at most 120 bytes",
                next: "kerege access NUMBER, or kerege access - with the number on the standard input")
        }
        // What was mistyped nobody ever asked about, and that would be told as good news. It is not repeated: most of it is somebody's.
        guard IIN.isValid(trimmed) || BIN.isValid(trimmed) else {
            throw .wrongUse(
                "what is given is no IIN and no BIN",
                why: "either has 12 digits, of which the first tell a date and the last is a check digit",
                next: "copy the whole number; kerege access - reads it from the standard input")
        }
        return trimmed
    }

    private func references(to subject: String) async throws -> [String] {
        let body = (["subject": .string(subject)] as JSONValue).bytes()
        let agent = try await options.connect(serving: [])
        do throws(BusFault) {
            let answer = try await ask(agent, body)
            await agent.drain()
            await agent.close()
            return AccessReference.references(answer.body)
        } catch {
            let failure = await explain(error, agent)
            await agent.drain()
            await agent.close()
            throw failure
        }
    }

    /// Who may ask for references may not ask quickly: a moment later the same question is answered.
    private func ask(_ agent: Agent, _ body: [UInt8]) async throws(BusFault) -> Answer {
        let end = ContinuousClock.now + agent.configuration.defaultDeadline
        while true {
            do throws(BusFault) {
                return try await agent.ask(
                    AccessReference.service(of: system), body, as: consumer, context: context.context)
            } catch {
                guard error.name == "quota-exceeded", ContinuousClock.now < end else { throw error }
                try? await Task.sleep(for: .milliseconds(max(100, error.retryAfterMilliseconds)))
            }
        }
    }

    private func explain(_ fault: BusFault, _ agent: Agent) async -> Failure {
        let service = AccessReference.service(of: system)
        switch fault.name {
        case "no-such-service":
            return Failure(
                .no, fault.name, "\(system) keeps no account of accesses",
                why: "the space has no service \(service)",
                next: "kerege services lists those it has; OPERATIONS.md, \"Who asked about a person\"")
        case "no-integration", "stage-forbids":
            return Failure(
                .no, fault.name, "\(consumer) may not ask who asked",
                why: "no approved integration gives it \(service)",
                next: "name a system that has one with --as SYSTEM; kerege services lists them")
        default: return await options.explain(fault, about: service, as: consumer, agent)
        }
    }

    /// Page by page, since one page looks at a bounded piece of the journal.
    private func read(
        _ client: AdminClient, _ references: [String], since first: Int64
    ) throws(Failure) -> (accesses: [AccessesPage.Item], isComplete: Bool) {
        var accesses: [AccessesPage.Item] = []
        var from: UInt64?
        repeat {
            let place = from.map { "from=\($0)" } ?? "since_ms=\(first)"
            let path = "/v1/access?reference=\(references.joined(separator: ","))&\(place)"
            let page = try client.get(AccessesPage.self, path).page
            accesses += page.accesses.filter { audits || !AccessReference.isService($0.service) }
            from = page.next
        } while from != nil && accesses.count < Self.most
        return (Array(accesses.prefix(Self.most)), from == nil && accesses.count <= Self.most)
    }

    // MARK: - Output

    private func tell(_ page: Page) {
        guard !page.accesses.isEmpty else {
            return Output.write("nobody asked \(system) about this person since \(page.since)\n")
        }
        var table = Table([
            .init("TIME"), .init("SYSTEM"), .init("SERVICE"), .init("PURPOSE"), .init("USER"), .init("ANSWER"),
            .init("MESSAGE"),
        ])
        for access in page.accesses {
            table.rows.append([
                .init(access.at), .init(access.consumer ?? "?"), .init(access.service),
                .init(access.purpose ?? "–", access.purpose == nil ? .quiet : nil),
                .init(access.user ?? "–", access.user == nil ? .quiet : nil),
                .init(access.outcome.name, access.outcome.number == 0 ? nil : .quiet), .init(access.request),
            ])
        }
        Output.write(lines: table.lines(.standardOutput))
        let count = page.accesses.count
        Output.tell("\(count) \(count == 1 ? "access" : "accesses") since \(page.since)")
        if !page.complete { Output.tell("there are more; name a shorter time with --since") }
        if let last = page.accesses.last { Output.tell(Self.next(after: last)) }
    }

    static func next(after last: AccessesPage.Item) -> String { "next: \(ShellText.trace(last.request))" }
}
