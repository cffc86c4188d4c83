package import BusDirectory

/// What the core saw, for the read model. One value a finished request, so that statistics never slow the message path.
///
/// Two of every request stand here themselves; what is rare and larger stands elsewhere, so that all of them take 32 bytes.
package enum Observation: Sendable {
    /// A request was accepted and is being worked on.
    case attempted(integration: UInt32, at: Int64)
    /// A request ended, or a subscriber settled an event. `at` in Unix milliseconds, latency in microseconds.
    case exchange(integration: UInt32, family: UInt16, latency: UInt32, at: Int64, stage: UInt8)
    indirect case refused(consumer: String, target: String, family: UInt16, count: UInt32, at: Int64)
    indirect case heartbeat(
        system: String, agent: String, uptime: UInt64, dataUpdatedAt: Int64?, healthy: Bool, at: Int64)
    /// It said goodbye, or another process took its place.
    indirect case agentLeft(agent: String, systems: [String], at: Int64)
    /// It is silent, or its connection is gone.
    indirect case agentLost(agent: String, systems: [String], at: Int64)
    /// Faults only an agent of one end saw.
    case reported(integration: UInt32, family: UInt16, count: UInt32, at: Int64)
    indirect case space(SpaceSnapshot)

    /// Observations for which an empty list keeps its room, whatever the last burst was: 128 KiB.
    static let roomKept = 4096
}

extension [Observation] {
    /// Empties the list. Its room stays for the next ones, unless it is large and most of it was not needed this time.
    mutating func clear() {
        if capacity > Observation.roomKept, count < capacity / 8 {
            self = []
        } else {
            removeAll(keepingCapacity: true)
        }
    }
}
