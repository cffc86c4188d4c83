/// GET /v1/integrations
package struct IntegrationsPage: Codable, Sendable {
    package var integrations: [Item]

    package struct Item: Codable, Sendable {
        package var id: String
        package var consumer: String
        package var service: String
        package var provider: String
        package var owner: String
        package var planYear: Int
        package var due: String
        package var dueMs: Int64
        /// In the plan from the start of its year; else added later.
        package var baseline: Bool
        package var declared: String
        package var declaredSince: String?
        package var declaredSinceMs: Int64?
        package var observed: String
        package var since: String?
        package var sinceMs: Int64?
        package var why: String
        package var window: WindowPart
        /// Since the beginning.
        package var accepted: UInt64
        package var successes: UInt64
        package var productionSuccesses: UInt64
        package var errors: UInt64
        /// Of the successes within the window, microseconds.
        package var p50Us: UInt32?
        package var p95Us: UInt32?
        package var p99Us: UInt32?
        package var promisedP95Us: UInt32?
        package var lastAttemptMs: Int64?
        package var lastSuccessMs: Int64?
        package var firstProductionSuccessMs: Int64?
        package var implementedAtMs: Int64?
        package var regressions: UInt64
        /// Stable codes of the findings about it.
        package var findings: [String]
    }
}
