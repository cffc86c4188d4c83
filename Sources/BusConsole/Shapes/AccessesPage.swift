/// GET /v1/access: who asked about a person, in the order of the journal.
package struct AccessesPage: Codable, Sendable {
    package var accesses: [Item]
    /// Where the next page begins; absent on the last.
    package var next: UInt64?

    package struct Item: Codable, Sendable {
        /// When the request came in, by the broker's clock.
        package var at: String
        package var atMs: Int64
        /// The system that asked; absent, with what follows it, when the request is not found: its sender's clock was far off.
        package var consumer: String?
        package var service: String
        /// Absent where none was stated.
        package var purpose: String?
        /// A pseudonym.
        package var user: String?
        package var consent: String?
        package var outcome: TracePage.Outcome
        /// Ids of the two messages.
        package var request: String
        package var reply: String
        /// Of the reply in the journal.
        package var position: UInt64
    }
}
