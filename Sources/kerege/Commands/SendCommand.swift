import ArgumentParser
import BusAgent
import BusConsole
import BusContracts
import BusProtocol

/// `kerege send`
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a command: a durable order that is carried out when its provider is there.",
        discussion: """
            Connects with the operator's key, which takes no work of any system, and sends as the system you name. The
            broker keeps the command until it is carried out, refused, or expired; without --wait this returns when it is
            durable. The broker has to prove that: a path from the command's own bytes to a checkpoint that its log signs.

            EXAMPLES
              kerege send real-estate.property-transfer.v1 '{"cadastre":"…"}' --as e-notary
              kerege send payments.payment-request.v1 '{…}' --wait 10s
              kerege send payments.payment-request.v1 '{…}' --expiry 1d --json | jq -r .id
              kerege send payments.payment-request.v1 '{…}' --receipt receipt.json
              kerege evidence verify receipt.json --authority authority.pub

            When the broker did not confirm in time, the command to repeat it with the same --id is printed: the same id
            with the same body is the same command, however often it is sent.

            One process at a time may hold a key, and --wait holds it: beside it use a key of its own with --key, or leave
            --wait out and repeat the command with --id and --wait later.

            Exit code 1 when it was refused, not confirmed, when its receipt is wrong or cannot be saved, when it failed, expired or given up, or when --wait ended without an
            outcome; 3 without a broker.
            """)

    @Argument(help: "system.name.vN; kerege services lists them.")
    var service: String
    @Argument(help: "The command as JSON, or - to read it from the standard input.")
    var body: String
    @Option(name: .customLong("as"), help: ArgumentHelp("The system that sends.", valueName: "system"))
    var consumer = "portal"
    @Option(
        help: ArgumentHelp(
            "Not to be carried out later than this from now: 30s, 1h, 1d. (default: what the service allows)",
            valueName: "time"))
    var expiry: String?
    @Option(help: "Repeat an earlier attempt under its id.")
    var id: String?
    @Option(help: ArgumentHelp("Wait for the outcome, so long at most.", valueName: "time"))
    var wait: String?
    @Option(
        help: ArgumentHelp(
            "Save the proven receipt as a file of evidence, which kerege evidence verify checks.", valueName: "file"))
    var receipt: String?
    @OptionGroup var context: ContextOptions
    @OptionGroup var options: AgentOptions

    mutating func run() async throws {
        let bytes = try MessageBody.read(body)
        let known = try Repetition.id(id)
        let expiry = try expiry.map { text throws(Failure) in try Spans.duration(text, of: "--expiry") }
        let wait = try wait.map { text throws(Failure) in try Spans.duration(text, of: "--wait") }
        let deadline = try options.span()
        let file = receipt.map { EvidenceOutput(path: $0) }
        try file?.expectPlace()
        let agent = try await options.connect(serving: [])
        do {
            let message = try prepare(agent, bytes, expiry, known)
            let receipt = try await submit(agent, message, deadline)
            let proof = await ReceiptProof.of(receipt, agent, isRepetition: known != nil, within: deadline)
            let unsaved = file.flatMap { proof.failure(writing: $0) }
            let status = try await status(agent, message.id, wait)
            let expires = expires(message.id, expiry, agent, status)
            await agent.drain()
            await agent.close()
            try tell(message.id, status, expires, proof, unsaved, waited: wait != nil)
        } catch {
            await agent.drain()
            await agent.close()
            throw error
        }
    }

    private var repetition: Repetition {
        var words = consumer == "portal" ? [] : ["--as", consumer]
        if let expiry { words += ["--expiry", expiry] }
        if let wait { words += ["--wait", wait] }
        if let receipt { words += ["--receipt", receipt] }
        words += context.words
        return Repetition(verb: "send", target: service, body: body, options: words, agent: options)
    }

    private func prepare(
        _ agent: Agent, _ bytes: [UInt8], _ expiry: Duration?, _ id: MessageID?
    ) throws(Failure) -> PreparedMessage {
        try expectAllowed(expiry, agent)
        do throws(BusFault) {
            return try agent.prepareCommand(
                service, bytes, as: consumer, expiry: expiry, id: id, context: context.context)
        } catch { throw AgentOptions.explain(error, about: "\(service) as \(consumer)") }
    }

    /// The broker would cut what is longer, and the sender would not know.
    private func expectAllowed(_ expiry: Duration?, _ agent: Agent) throws(Failure) {
        guard let expiry, let longest = agent.longestExpiry(of: service), expiry > longest else { return }
        let allowed = Spans.text(milliseconds: Int64(longest / .milliseconds(1)))
        throw .wrongUse(
            "--expiry is longer than \(service) allows", why: "the space lets its commands wait for \(allowed) at most",
            next: "leave it out for \(allowed), or name less")
    }

    private func submit(
        _ agent: Agent, _ message: PreparedMessage, _ deadline: Duration
    ) async throws(Failure) -> Receipt {
        do throws(BusFault) { return try await agent.submit(message, within: deadline) } catch {
            guard !Repetition.isUnknown(error) else { throw repetition.failure(message.id, error) }
            throw await options.explain(error, about: service, as: consumer, agent)
        }
    }

    /// Nil when the broker has the command and did not say in time where it stands.
    private func status(
        _ agent: Agent, _ id: MessageID, _ wait: Duration?
    ) async throws(Failure) -> CommandStatus? {
        do throws(BusFault) {
            guard let wait else { return try await agent.status(of: [id.description], as: consumer).first }
            return try await agent.outcome(of: id.description, as: consumer, within: wait)
        } catch {
            guard Repetition.isUnknown(error) else {
                throw await options.explain(error, about: service, as: consumer, agent)
            }
            return nil
        }
    }

    /// When nobody is to carry it out any more, Unix milliseconds: the end of `--expiry` or of what the service allows, whichever comes
    /// first. Nil where neither says anything, and when it has ended.
    private func expires(_ id: MessageID, _ wanted: Duration?, _ agent: Agent, _ status: CommandStatus?) -> Int64? {
        guard status?.isFinal != true else { return nil }
        let accepted = status.map { $0.row.acceptedAt / 1000 } ?? id.unixMilliseconds
        return [(id.unixMilliseconds, wanted), (accepted, agent.longestExpiry(of: service))].compactMap { start, span in
            span.map { start + Int64($0 / .milliseconds(1)) }
        }.min()
    }

    // MARK: - Output

    private func tell(
        _ id: MessageID, _ status: CommandStatus?, _ expires: Int64?, _ proof: ReceiptProof, _ unsaved: Failure?,
        waited: Bool
    ) throws {
        if options.json {
            Output.write(json(id, status, expires, proof).text() + "\n")
        } else {
            write(id, status, expires, proof)
        }
        let isWell = status.map { !$0.isFinal || $0.code == 0 } ?? true
        let isMissing = waited && status?.isFinal != true
        if isMissing, !options.json {
            Output.tell("no outcome yet; the command stays on its way\nagain: \(repetition.command(id))")
        }
        // The command is on its way all the same: its id was told before.
        if let unsaved { throw unsaved }
        if !isWell || isMissing || proof.isWrong { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private func write(_ id: MessageID, _ status: CommandStatus?, _ expires: Int64?, _ proof: ReceiptProof) {
        var line = "command \(id)"
        if let status {
            line += ", position \(status.position): \(status.state)"
            if status.isFinal, status.code != 0 { line += ", \(status.code) \(Self.name(status.code))" }
            if status.attempts > 0 {
                line += ", \(status.attempts) \(status.attempts == 1 ? "delivery" : "deliveries")"
            }
        } else {
            line += ": accepted"
        }
        if let expires { line += ", expires \(RFC3339.text(expires))" }
        Output.write(line + "\n" + proof.line + "\n")
        if let answer = Self.answer(status) { Output.write(answer.text(.pretty)) }
        Output.tell("next: kerege trace \(id)")
    }

    private func json(
        _ id: MessageID, _ status: CommandStatus?, _ expires: Int64?, _ proof: ReceiptProof
    ) -> JSONValue {
        var members = [
            JSONMember("attempts", JSONValue(status?.attempts ?? 0)), JSONMember("consumer", .string(consumer)),
            JSONMember("id", .string(id.description)),
        ]
        if let answer = Self.answer(status) { members.insert(JSONMember("answer", answer), at: 0) }
        if let expires {
            members.append(JSONMember("expires", .string(RFC3339.text(expires))))
            members.append(JSONMember("expires_ms", JSONValue(expires)))
        }
        if let status, status.isFinal {
            members.append(
                JSONMember(
                    "outcome",
                    ["name": .string(Self.name(status.code)), "number": JSONValue(Int(status.code))]))
        }
        if let status { members.append(JSONMember("position", JSONValue(status.position))) }
        members.append(JSONMember("receipt", proof.json))
        members.append(JSONMember("service", .string(service)))
        members.append(JSONMember("state", .string(status?.state ?? "accepted")))
        return .object(members)
    }

    private static func answer(_ status: CommandStatus?) -> JSONValue? {
        guard let body = status?.outcome, !body.isEmpty else { return nil }
        return (try? JSONValue.parse(body)) ?? .string(String(decoding: body, as: UTF8.self))
    }

    private static func name(_ code: UInt16) -> String {
        code == 0 ? "ok" : FaultCode(rawValue: code)?.name ?? "unknown"
    }
}
