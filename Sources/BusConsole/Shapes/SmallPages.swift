/// GET /v1/health
package struct HealthPage: Codable, Sendable {
    package var status: String
}

/// GET /v1/journal
package struct JournalPage: Codable, Sendable {
    package var treeSize: UInt64
    /// Of the Merkle log, hexadecimal.
    package var root: String
    package var commits: UInt64
    package var records: UInt64
}
