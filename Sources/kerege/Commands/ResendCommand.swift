import ArgumentParser
import BusConsole
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
              kerege resend --failed --service payments.payment-order.v1 --since 2h --dry-run
              kerege resend --failed --service payments.payment-order.v1 --since 2h --yes

            What is to be resent is shown first. What was resent before and given up again goes only with --yes.

            Exit code 1 when something is, or with --dry-run would be, refused; 2 when --yes is missing.
            """)

    @Argument(help: "The message's id; kerege queues --dead lists them.")
    var id: String?
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
        try refuseRepetition(letters)
        try send(letters, client)
        if page.total > letters.count, !admin.json {
            Output.tell("\(page.total - letters.count) more are left: the same command again takes the next")
        }
    }

    // MARK: - Steps

    private func wanted(_ client: AdminClient) throws(Failure) -> DeadLettersPage {
        guard (id != nil) != failed else {
            throw .wrongUse(
                id == nil ? "nothing is named" : "an id and --failed exclude each other",
                why: "one message is resent by its id, many by their service",
                next: "kerege resend ID, or kerege resend --failed --service SERVICE")
        }
        if let id {
            guard UUID(uuidString: id) != nil else {
                throw .wrongUse(
                    "`\(id)` is no message id", why: "an id is a UUID of 36 characters",
                    next: "copy it from kerege queues --dead")
            }
            return try letters(client, [("id", id.lowercased()), ("system", to)])
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

    private func refuseRepetition(_ letters: [DeadLetterItem]) throws(Failure) {
        let again = letters.filter { $0.resent > 0 }
        guard !again.isEmpty else { return }
        let some = again.count == letters.count ? "each of them was" : "\(again.count) of \(letters.count) were"
        let warning = letters.count == 1 ? "it was resent before" : "\(some) resent before"
        guard !yes, !isDryRun else { return Output.tell("warning: \(warning), and given up again") }
        throw .wrongUse(
            warning, why: "it was given up again; without a cure it will be once more",
            next: "mend the receiver, then \(ShellText.command(["kerege", "resend"] + words + ["--yes"]))")
    }

    private var words: [String] {
        (id.map { [$0] } ?? []) + (to.map { ["--to", $0] } ?? []) + (failed ? ["--failed"] : [])
            + (service.map { ["--service", $0] } ?? []) + (since.map { ["--since", $0] } ?? []) + admin.words
    }

    private func send(_ letters: [DeadLetterItem], _ client: AdminClient) throws {
        // Without a letter the broker is asked all the same: it knows why there is none.
        var named = letters.map { ResendOrder.Letter(id: $0.id, receiver: $0.receiver) }
        if named.isEmpty, let id { named = [ResendOrder.Letter(id: id.lowercased(), receiver: to)] }
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
                        + "  why:  \(refused.why)\n  next: \(refused.next)")
            }
        }
        if !page.refused.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
        guard let first = page.resent.first, !admin.json else { return }
        let next = isDryRun ? ["kerege", "resend"] + words : ["kerege", "trace", first.id] + admin.words
        Output.tell("next: \(ShellText.command(next))")
    }
}
