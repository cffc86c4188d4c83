import BusProtocol
import Logging

/// Tells the agent's log why its own answers fail and why it takes no message: the consumer, or a dead letter, has the number,
/// and the people who can mend it read here.
///
/// At most one line a second: a broken database fails thousands of times.
struct FaultLog {
    /// Between two lines, microseconds.
    static let interval: UInt64 = 1_000_000

    private var next: UInt64 = 0
    private var leftOut = 0

    /// Of an answer that could not be given.
    /// - Parameter id: of the request that failed; nothing of its body is told.
    mutating func tell(_ fault: BusFault, _ service: String, _ id: MessageID, at now: UInt64, _ logger: Logger) {
        guard Self.isOurs(fault) else { return }
        tell("no answer", fault, service, ("request", id), at: now, logger)
    }

    /// Of a command, outcome or event that its handler did not take.
    mutating func tell(
        notTaken fault: BusFault, _ service: String, _ id: MessageID, at now: UInt64, _ logger: Logger
    ) {
        // A full queue and an agent's end are the usual course of things: the broker brings it again.
        guard fault.code != .queueFull, fault.code != .draining else { return }
        tell("not taken", fault, service, ("message", id), at: now, logger)
    }

    private mutating func tell(
        _ what: Logger.Message, _ fault: BusFault, _ service: String, _ about: (name: String, id: MessageID),
        at now: UInt64, _ logger: Logger
    ) {
        guard now >= next else {
            leftOut += 1
            return
        }
        var metadata: Logger.Metadata = fault.wire.metadata
        metadata["service"] = "\(service)"
        metadata[about.name] = "\(about.id)"
        if let pointer = fault.pointer { metadata["pointer"] = "\(pointer)" }
        if leftOut > 0 { metadata["others"] = "\(leftOut)" }
        logger.warning(what, metadata: metadata)
        next = now.saturating(adding: Self.interval)
        leftOut = 0
    }

    /// A record that does not exist, or a request that breaks the contract, is nobody's failure here.
    private static func isOurs(_ fault: BusFault) -> Bool {
        fault.number / 10 == FaultCode.providerFault.number / 10
    }
}
