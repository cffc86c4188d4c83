import BusProtocol
import Logging

/// Tells the agent's log why its own answers fail: the consumer learns it, and the people who can mend it read here.
///
/// At most one line a second: a broken database fails thousands of times.
struct FaultLog {
    /// Between two lines, microseconds.
    static let interval: UInt64 = 1_000_000

    private var next: UInt64 = 0
    private var leftOut = 0

    /// - Parameter id: of the request that failed; nothing of its body is told.
    mutating func tell(_ fault: BusFault, _ service: String, _ id: MessageID, at now: UInt64, _ logger: Logger) {
        guard Self.isOurs(fault) else { return }
        guard now >= next else {
            leftOut += 1
            return
        }
        var metadata: Logger.Metadata = fault.wire.metadata
        metadata["service"] = "\(service)"
        metadata["request"] = "\(id)"
        if let pointer = fault.pointer { metadata["pointer"] = "\(pointer)" }
        if leftOut > 0 { metadata["others"] = "\(leftOut)" }
        logger.warning("no answer", metadata: metadata)
        next = now.saturating(adding: Self.interval)
        leftOut = 0
    }

    /// A record that does not exist, or a request that breaks the contract, is nobody's failure here.
    private static func isOurs(_ fault: BusFault) -> Bool {
        fault.number / 10 == FaultCode.providerFault.number / 10
    }
}
