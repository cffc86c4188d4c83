import BusAgent
import BusProtocol

/// A message whose fate is not known, and the command line that sends the very same message again.
struct Repetition {
    /// `send` or `publish`.
    let verb: String
    let target: String
    let body: String
    /// Options of the verb alone, as they were given.
    let options: [String]
    let agent: AgentOptions

    /// The id that was given, to repeat an earlier attempt.
    static func id(_ text: String?) throws(Failure) -> MessageID? {
        guard let text else { return nil }
        guard let id = MessageID(text.lowercased()), id.isVersion7 else {
            throw .wrongUse(
                "`\(text)` is no message id", why: "an id is a UUID of version 7, 36 characters",
                next: "leave --id out to send a new message, or copy the id of the earlier attempt")
        }
        return id
    }

    /// Whether the broker may have it although there was no confirmation.
    static func isUnknown(_ fault: BusFault) -> Bool {
        fault.code == .deadlinePassed || fault.code == .brokerUnreachable
    }

    func command(_ id: MessageID) -> String {
        let line = ShellText.command(
            ["kerege", verb, target, body, "--id", id.description] + options + agent.words)
        return body == "-" ? line + "  # with the same input" : line
    }

    /// The broker did not say in time whether it has the message.
    func failure(_ id: MessageID, _ fault: BusFault) -> Failure {
        Failure(
            fault.code == .brokerUnreachable ? .unreachable : .no, "not-confirmed",
            "the broker did not confirm \(id) in time: \(fault.number) \(fault.name)",
            why: "it may have the message, or may not; the same id with the same body is the same message, so "
                + "repeating it is safe",
            next: ""
        ).proposing(command(id))
    }
}
