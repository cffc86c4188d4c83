/// GET /v1/health
package struct HealthPage: Codable, Sendable {
    /// ok, or draining: it takes no new messages.
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

/// GET /v1/checkpoint/consistency
package struct ConsistencyPage: Codable, Sendable {
    package var from: UInt64
    package var to: UInt64
    /// Hashes in hexadecimal, as docs/EVIDENCE.md, section 3, says.
    package var proof: [String]
    /// The signed checkpoint at `to`.
    package var checkpoint: String
}
