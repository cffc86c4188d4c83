/// The catalogue of faults: `Schemas/errors.json` in Swift. A test compares both, word for word.
///
/// The raw value is the number on the wire; number / 10 is the family (403, 503, …), the unit of statistics.
@usableFromInline
package enum FaultCode: UInt16, Sendable, CaseIterable, Codable {
    case nothingFound = 2040
    case badFrame = 4000
    case badVersion = 4001
    case unknownCommand = 4002
    case badHeader = 4003
    case badIdentifier = 4004
    case noSuchRequest = 4005
    case tooManyParts = 4006
    case unknownCriticalExtension = 4007
    case outOfSequence = 4008
    case notGreeted = 4009
    case unknownKey = 4010
    case keyNotForSystem = 4011
    case keyNotValid = 4012
    case badSignature = 4013
    case notSealed = 4014
    case sealNotOpened = 4015
    case noIntegration = 4030
    case stageForbids = 4031
    case noSuchService = 4040
    case noSuchMessage = 4041
    case wrongKind = 4042
    case deadlinePassed = 4080
    case expiredOnArrival = 4081
    case idReused = 4090
    case instanceConflict = 4091
    case logForked = 4092
    case commandRefused = 4093
    case spaceRefused = 4094
    case proofRefused = 4095
    case logUnsigned = 4096
    case idTooOld = 4100
    case expired = 4101
    case bodyTooLarge = 4130
    case requestViolatesContract = 4220
    case eventViolatesContract = 4221
    case userIsNumber = 4222
    case creditExceeded = 4290
    case queueFull = 4291
    case quotaExceeded = 4292
    case providerFault = 5020
    case answerViolatesContract = 5021
    case providerLost = 5022
    case givenUp = 5023
    case noLiveProvider = 5030
    case draining = 5031
    case brokerUnreachable = 5032
    case storageFull = 5070
    case storageFailed = 5071

    @inlinable
    package static func == (a: FaultCode, b: FaultCode) -> Bool { a.rawValue == b.rawValue }

    /// Numbers of faults begin here; those below are a provider's answers, which only it can give.
    package static let least: UInt16 = 4000

    @inlinable package var number: UInt16 { rawValue }
    /// 400, 401, 403, 404, 408, 409, 410, 413, 422, 429, 502, 503, 507; 204 for "nothing found".
    package var family: UInt16 { rawValue / 10 }
    package var name: String { entry.name }
    /// Whether the same message may succeed when it is sent again unchanged.
    package var isRetryable: Bool { entry.retryable }
    /// What happened, one sentence.
    package var meaning: String { entry.meaning }
    /// What to do next, one sentence.
    package var remedy: String { entry.remedy }

    private var entry: (name: String, retryable: Bool, meaning: String, remedy: String) {
        switch self {
        case .nothingFound:
            (
                "nothing-found", false, "The provider has no record for this request.",
                "Check the identifier; this is an answer, not a failure."
            )
        case .badFrame:
            (
                "bad-frame", false, "The frame is truncated, or a count or length in it does not fit its size.",
                "Rebuild the frame as Schemas/wire.md describes."
            )
        case .badVersion:
            (
                "bad-version", false, "The frame's protocol version is not spoken here.",
                "Use a version between those named in the answer."
            )
        case .unknownCommand:
            (
                "unknown-command", false, "The frame's command number is not one of the protocol.",
                "Use a command of Schemas/wire.md."
            )
        case .badHeader:
            (
                "bad-header", false, "A header cannot be read, or a field of it is out of its range.",
                "Compare the header with Schemas/wire.md and its vectors."
            )
        case .badIdentifier:
            (
                "bad-identifier", false, "A message id is not a UUID of version 7.",
                "Make ids as RFC 9562 section 5.7 describes."
            )
        case .noSuchRequest:
            (
                "no-such-request", false, "The reply answers a request that is not waiting here.",
                "Answer each delivered request once, with its id as correlation; the request may have ended before."
            )
        case .tooManyParts:
            (
                "too-many-parts", false, "A ZeroMQ message had more than one frame.",
                "Send the whole message as one frame H|E|B."
            )
        case .unknownCriticalExtension:
            (
                "unknown-critical-extension", false,
                "The header has an extension marked critical that is not known here.",
                "Send it without the extension, or to a broker that knows it."
            )
        case .outOfSequence:
            (
                "out-of-sequence", false, "The session's message numbers jumped.",
                "Say HELLO again; a new session counts from 1."
            )
        case .notGreeted:
            (
                "not-greeted", true, "The frame came before HELLO, or after its session ended.",
                "Say HELLO first."
            )
        case .unknownKey:
            (
                "unknown-key", false, "The transport key is not in the directory.",
                "Register the agent's public key: kerege keys new NAME, then kerege space apply."
            )
        case .keyNotForSystem:
            (
                "key-not-for-system", false, "This key may not speak for the system named in the message.",
                "Use a key of that system, or add the system to the key's entry in the space."
            )
        case .keyNotValid:
            (
                "key-not-valid", false,
                "The key is in the directory and does not count: revoked, expired or not yet valid.",
                "Make a new key with kerege keys new NAME, add it to the space and run kerege space apply."
            )
        case .badSignature:
            (
                "bad-signature", false, "The message is not signed by a key its sender's agent may sign with.",
                "Compare the agent's signing key with its entry in the space: kerege doctor."
            )
        case .notSealed:
            (
                "not-sealed", false, "The body must be sealed for its receiver, and is not.",
                "Use an agent that seals; kerege doctor names the key that is missing."
            )
        case .sealNotOpened:
            (
                "seal-not-opened", false,
                "The receiver has no key that opens the body, or the body or header is not what was sealed.",
                "Give the receiver the system's seal key of that time: kerege doctor; then resend."
            )
        case .noIntegration:
            (
                "no-integration", false, "The plan has no integration between this consumer and this service.",
                "Register the integration: add it to the space and run kerege space apply."
            )
        case .stageForbids:
            (
                "stage-forbids", false, "The integration exists, but its stage does not permit traffic.",
                "Move it to testing or approved in the space and run kerege space apply."
            )
        case .noSuchService:
            (
                "no-such-service", false, "The space has no service or event of this name.",
                "List the names with kerege services."
            )
        case .noSuchMessage:
            (
                "no-such-message", false, "The journal has no message with this id.",
                "Check the id; kerege trace takes the id a call prints."
            )
        case .wrongKind:
            (
                "wrong-kind", false, "The space has this service, and it takes another kind of message.",
                "kerege services shows each one's kind: kerege call asks a request, send orders a command, subscribe takes an event."
            )
        case .deadlinePassed:
            (
                "deadline-passed", true, "No answer came before the deadline.",
                "Ask again with a longer deadline; kerege systems shows whether the provider is slow."
            )
        case .expiredOnArrival:
            (
                "expired-on-arrival", true, "The deadline had passed when the message arrived.",
                "Send it with more remaining time."
            )
        case .idReused:
            (
                "id-reused", false, "A message with this id and other bytes was accepted before.",
                "Give every new message a new id; repeat the same bytes to repeat a message."
            )
        case .instanceConflict:
            (
                "instance-conflict", true, "Another running instance holds this key.",
                "Stop the other instance, or give this one a key of its own: kerege keys new NAME."
            )
        case .logForked:
            (
                "log-forked", false,
                "The broker's log is shorter than, or different from, what this agent has a receipt for.",
                "Do not use this broker before its journal is examined: kerege journal verify DIR."
            )
        case .commandRefused:
            (
                "command-refused", false, "The provider looked at the command and will not carry it out.",
                "Read the detail of the outcome; send a new command when its reason is gone."
            )
        case .spaceRefused:
            (
                "space-refused", false,
                "The broker's space is older than, different from, or not signed like what this agent holds.",
                "Do not use this broker before it is known why: compare kerege status there with the authority's last signed space."
            )
        case .proofRefused:
            (
                "proof-refused", false, "What the broker gave as a proof of its log does not hold.",
                "Compare the broker's key with `sign:` of the space's broker: kerege doctor; then kerege journal verify DIR there."
            )
        case .logUnsigned:
            (
                "log-unsigned", false, "The broker does not sign its log, or the space does not state with which key.",
                "kerege keys complete DATA/keys/broker.key, state its key as `sign:` of the space's broker, restart the broker."
            )
        case .idTooOld:
            (
                "id-too-old", false, "The id is older than the ledger remembers.",
                "Look for the outcome with kerege trace; send it anew under a new id if there is none."
            )
        case .expired:
            (
                "expired", false, "Nobody took the message before its expiry.",
                "Find out with kerege status why its receiver was away; kerege resend sends it again."
            )
        case .bodyTooLarge:
            (
                "body-too-large", false, "The body is larger than the limit.",
                "Make it smaller; content in chunks does not travel yet."
            )
        case .requestViolatesContract:
            (
                "request-violates-contract", false, "The request does not satisfy the service's contract.",
                "Mend the request at the named JSON Pointer; kerege contract check shows every violation."
            )
        case .eventViolatesContract:
            (
                "event-violates-contract", false, "The event does not satisfy its contract.",
                "Mend the event at the named JSON Pointer."
            )
        case .userIsNumber:
            (
                "user-is-number", false,
                "The user of the call is the number of a person, where a pseudonym must stand.",
                "Name the user by an account or staff number that is no IIN and no BIN."
            )
        case .creditExceeded:
            (
                "credit-exceeded", true, "More was submitted than the credit granted.",
                "Wait for ACCEPT or CREDIT before sending more."
            )
        case .queueFull:
            (
                "queue-full", true, "The queue for this receiver is full.",
                "Try again after the named time."
            )
        case .quotaExceeded:
            (
                "quota-exceeded", true, "The sender used up its share of messages or bytes for now.",
                "Send again after the time given; ask for a larger quota in the space when it happens often."
            )
        case .providerFault:
            (
                "provider-fault", true, "The provider's system failed to answer.",
                "Look at the provider's log; kerege trace names the hop."
            )
        case .answerViolatesContract:
            (
                "answer-violates-contract", false, "The provider's answer does not satisfy the service's contract.",
                "The provider's owner must mend the service; the pointer names the place."
            )
        case .providerLost:
            (
                "provider-lost", true, "The provider's agent went away while it worked on this request.",
                "Ask again."
            )
        case .givenUp:
            (
                "given-up", false, "The message was delivered as often as allowed, and nobody took it.",
                "Read why with kerege trace; mend the receiver, then kerege resend."
            )
        case .noLiveProvider:
            (
                "no-live-provider", true, "No agent of the provider's system is connected.",
                "Start an agent of that system; kerege systems shows which live."
            )
        case .draining:
            (
                "draining", true, "The broker or agent is shutting down and takes no new work.",
                "Try again in a moment."
            )
        case .brokerUnreachable:
            (
                "broker-unreachable", true, "The agent has no connection to the broker.",
                "Start the broker, check its address; kerege doctor shows what is wrong."
            )
        case .storageFull:
            (
                "storage-full", true, "The journal's disk is full; nothing more can be accepted.",
                "Free disk space; the broker goes on by itself."
            )
        case .storageFailed:
            (
                "storage-failed", false, "The journal could not be written.",
                "Stop the broker and examine the disk; kerege journal verify DIR."
            )
        }
    }
}
