package import BusDirectory

/// What the core saw, for the read model. One value a finished request, so that statistics never slow the message path.
package enum Observation: Sendable {
    /// A request was accepted and is being worked on.
    case attempted(integration: UInt32, at: Int64)
    /// A request ended, or a subscriber settled an event. `at` in Unix milliseconds, latency in microseconds.
    case exchange(integration: UInt32, family: UInt16, latency: UInt32, at: Int64, stage: UInt8)
    case refused(consumer: String, target: String, family: UInt16, count: UInt32, at: Int64)
    case heartbeat(system: String, agent: String, uptime: UInt64, dataUpdatedAt: Int64?, healthy: Bool, at: Int64)
    /// It said goodbye, or another process took its place.
    case agentLeft(agent: String, systems: [String], at: Int64)
    /// It is silent, or its connection is gone.
    case agentLost(agent: String, systems: [String], at: Int64)
    /// Faults only an agent of one end saw.
    case reported(integration: UInt32, family: UInt16, count: UInt32, at: Int64)
    case space(SpaceSnapshot)
}
