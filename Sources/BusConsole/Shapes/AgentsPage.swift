/// GET /v1/agents
package struct AgentsPage: Codable, Sendable {
    package var agents: [Item]
    /// Agents of the space that are not connected.
    package var absent: [Absent]
    /// Keys that knocked and are not in the space, the newest last.
    package var refusedKeys: [RefusedKey]

    package struct Item: Codable, Sendable {
        package var agent: String
        package var systems: [String]
        package var connectedAt: String
        package var connectedAtMs: Int64
        package var silentMs: Int64
        package var uptimeMs: UInt64
        /// Requests delivered to it and not answered.
        package var outstanding: Int
        /// Deliveries that wait for its credit.
        package var waiting: Int
        package var submitted: UInt64
        package var delivered: UInt64
        package var draining: Bool
    }

    package struct Absent: Codable, Sendable {
        package var agent: String
        package var systems: [String]
    }

    package struct RefusedKey: Codable, Sendable {
        /// CURVE public key, Z85.
        package var key: String
        package var address: String
        package var count: Int
    }
}
