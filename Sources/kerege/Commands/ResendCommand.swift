import ArgumentParser
import BusConsole
import BusProtocol
import Foundation

/// `kerege resend`
struct ResendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resend",
        abstract: "Send what was given up on its way again, with new attempts.",
        discussion: """
            Only dead letters are resent: what is completed, or still on its way, is refused with the reason. A command keeps
            its id, so a provider that knows it already does not carry it out twice; it gets a new expiry. Mend the receiver
            first: kerege trace ID tells why it was given up.

            EXAMPLES
              kerege queues --dead
              kerege resend 0199f3a2-…
              kerege resend 0199f3a2-… --to portal          an event, to one of its subscribers
              kerege resend --failed --service payments.payment-request.v1 --since 2h --dry-run
              kerege resend --failed --service payments.payment-request.v1 --since 2h --yes

            What is to be resent is shown first. What was resent before and given up again goes only with --yes.

            Exit code 1 when something is, or with --dry-run would be, refused; 2 when --yes is, or would be, missing, or --position
            where several systems' messages have this id.
            """)

    @Argument(help: "The message's id; kerege queues --dead lists them.")
    var id: String?
    @OptionGroup var record: RecordOption
    @Option(
        help: ArgumentHelp("Only to this receiver. (default: everyone for whom it was given up)", valueName: "system"))
    var to: String?
    @Flag(help: "Every dead letter of --service, the oldest 10,000 at a time.") var failed = false
    @Option(help: ArgumentHelp("With --failed: of this service or event.", valueName: "service"))
    var service: String?
    @Option(help: ArgumentHelp("With --failed: given up within this time: 30m, 2h, 1d.", valueName: "time"))
    var since: String?
    @Flag(help: "Also what was resent before.") var yes = false
    @Flag(name: .customLong("dry-run"), help: "Only show what would be resent.") var isDryRun = false
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let client = try admin.client()
        try expectOneWay()
        let page = try wanted(client)
        let letters = page.letters
        guard !letters.isEmpty || id != nil else {
            if admin.json { return try Output.print(json: ResendPage(resent: [], refused: [])) }
            return Output.write("no dead letters of \(service ?? "")\(since.map { " in the last \($0)" } ?? "")\n")
        }
        if !admin.json, !letters.isEmpty {
            let view = DeadLettersView(letters: letters, total: page.total, now: .now, style: .standardOutput)
            Output.write(lines: view.lines())
        }
        try expectOneMessage(letters)
        let repetition = repetition(letters)
        if let repetition, !isDryRun { throw repetition }
        try send(letters, client)
        if let repetition {
            // The page is the one line of JSON.
            if admin.json { throw ExitCode(ExitStatus.wrongUse.rawValue) }
            throw repetition
        }
        if isDryRun, !admin.json { Output.tell("next: \(command())") }
        if page.total > letters.count, !admin.json {
            Output.tell("\(page.total - letters.count) more are left: the same command again takes the next")
        }
    }

    // MARK: - Steps

    private func expectOneWay() throws(Failure) {
        guard (id != nil) != failed else {
            throw .wrongUse(
                id == nil ? "nothing is named" : "an id and --failed exclude each other",
                why: "one message is resent by its id, many by their service",
                next: "kerege resend ID, or kerege resend --failed --service SERVICE")
        }
        let stray =
            failed
            ? (record.position != nil ? "--position" : nil)
            : service != nil ? "--service" : since != nil ? "--since" : nil
        if let stray {
            throw .wrongUse(
                "\(stray) does not go with \(failed ? "--failed" : "an id")",
                why: failed
                    ? "it names one record, --failed many" : "it chooses among many letters, the id names one message",
                next: "kerege resend ID [--position RECORD], or kerege resend --failed --service SERVICE [--since TIME]"
            )
        }
    }

    private func wanted(_ client: AdminClient) throws(Failure) -> DeadLettersPage {
        if let id {
            guard UUID(uuidString: id) != nil else {
                throw .wrongUse(
                    "`\(id)` is no message id", why: "an id is a UUID of 36 characters",
                    next: "copy it from kerege queues --dead")
            }
            var page = try letters(client, [("id", id.lowercased()), ("system", to)])
            if let position = record.position {
                page.letters.removeAll { $0.position != position }
                page.total = page.letters.count
            }
            return page
        }
        guard let service else {
            throw .wrongUse(
                "--failed needs --service", why: "what is resent together should be mended together",
                next: "kerege resend --failed --service SERVICE")
        }
        let first = try since.map { text throws(Failure) in
            let span = try Spans.duration(text, of: "--since")
            return String(Int64(Date.now.timeIntervalSince1970 * 1000) - Int64(span / .milliseconds(1)))
        }
        return try letters(client, [("service", service), ("system", to), ("since_ms", first), ("limit", "10000")])
    }

    private func letters(
        _ client: AdminClient, _ filter: [(String, String?)]
    ) throws(Failure) -> DeadLettersPage {
        try client.get(DeadLettersPage.self, "/v1/dead-letters" + DeadLetterQuery.text(filter)).page
    }

    /// Nobody who names an id of two systems' messages means both.
    private func expectOneMessage(_ letters: [DeadLetterItem]) throws(Failure) {
        let positions = Set(letters.map(\.position)).sorted()
        guard let id, positions.count > 1 else { return }
        throw .wrongUse(
            "letters of \(positions.count) messages have the id \(id)",
            why: "ids are each system's own: "
                + letters.map { "record \($0.position) is of \($0.consumer)" }.joined(separator: ", "),
            next: "name one: \(command(with: ["--position", String(positions[0])]))")
    }

    /// What stands in the way of what was resent before; told with a warning when it was said that it may go.
    private func repetition(_ letters: [DeadLetterItem]) -> Failure? {
        let again = letters.filter { $0.resent > 0 }
        guard !again.isEmpty else { return nil }
        let some = again.count == letters.count ? "each of them was" : "\(again.count) of \(letters.count) were"
        let warning = letters.count == 1 ? "it was resent before" : "\(some) resent before"
        guard !yes else {
            Output.tell("warning: \(warning), and given up again")
            return nil
        }
        return .wrongUse(
            warning, why: "it was given up again; without a cure it will be once more, so it goes only with --yes",
            next: "mend the receiver, then \(command(with: ["--yes"]))")
    }

    /// This command once more, for real.
    private func command(with more: [String] = []) -> String {
        var words = ["kerege", "resend"]
        if let id { words.append(id) }
        if let position = record.position { words += ["--position", String(position)] }
        if let to { words += ["--to", to] }
        if failed { words.append("--failed") }
        if let service { words += ["--service", service] }
        if let since { words += ["--since", since] }
        return ShellText.command(words + admin.words + (yes ? ["--yes"] : []) + more)
    }

    private func send(_ letters: [DeadLetterItem], _ client: AdminClient) throws {
        // Without a letter the broker is asked all the same: it knows why there is none.
        var named = letters.map { ResendOrder.Letter(id: $0.id, receiver: $0.receiver, position: $0.position) }
        if named.isEmpty, let id {
            named = [ResendOrder.Letter(id: id.lowercased(), receiver: to, position: record.position)]
        }
        let order = ResendOrder(letters: named, again: yes || isDryRun, dryRun: isDryRun)
        let (page, raw) = try client.post(ResendPage.self, "/v1/resend", order, within: .seconds(60))
        if admin.json {
            Output.write(raw + Data("\n".utf8))
        } else {
            if !page.resent.isEmpty {
                Output.write("\(isDryRun ? "would resend" : "resent") \(page.resent.count)\n")
            }
            for refused in page.refused {
                Output.tell(
                    "\(isDryRun ? "would be refused" : "not resent"): \(refused.id)\(refused.receiver.map { " to \($0)" } ?? ""): \(refused.code)\n"
                        + "  why:  \(refused.why.plain())\n  next: \(refused.next.plain())")
            }
        }
        if !page.refused.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
        guard let first = page.resent.first, !isDryRun, !admin.json else { return }
        if page.resent.contains(where: { $0.kind == "commands" }) {
            Output.tell("their senders were told that they failed, and are told what comes of them now as well")
        }
        let trace = ["kerege", "trace", first.id, "--position", String(first.position)]
        Output.tell("next: \(ShellText.command(trace + admin.words))")
    }
}
