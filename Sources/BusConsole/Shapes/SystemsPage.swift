/// GET /v1/systems
package struct SystemsPage: Codable, Sendable {
    package var systems: [Item]

    package struct Item: Codable, Sendable {
        package var id: String
        package var title: String
        package var owner: String
        /// Of its passport: development, trial, operation, retired.
        package var status: String
        /// unknown, up, dormant, non-functional.
        package var health: String
        package var cause: String?
        package var since: String?
        package var sinceMs: Int64?
        package var why: String
        package var agents: [AgentLife]
        package var lastHeartbeatMs: Int64?
        package var dataUpdatedMs: Int64?
        /// What was asked of it within the window.
        package var provided: WindowPart
        package var lastTrafficMs: Int64?
        /// Time shown non-functional since the beginning.
        package var nonFunctionalMs: Int64
        package var services: Int
        /// Mandatory fields of its passport that are empty or not valid.
        package var passportMissing: [String]
    }

    package struct AgentLife: Codable, Sendable {
        package var name: String
        package var lastHeartbeatMs: Int64
        package var uptimeMs: UInt64
        package var up: Bool
        package var restarts: UInt32
    }
}

/// Traffic within the window.
package struct WindowPart: Codable, Sendable {
    package var successes: UInt64
    package var errors: UInt64
    /// Finished with the consumer or the bus at fault.
    package var notJudged: UInt64
    /// Successes slower than promised.
    package var slow: UInt64
}
