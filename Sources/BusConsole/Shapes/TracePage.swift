/// GET /v1/messages/{id}: the way of one message, out of the journal.
package struct TracePage: Codable, Sendable {
    package var id: String
    /// open, answered, failed; for events: open, settled.
    package var state: String
    package var message: Step?
    package var answers: [Step]
    package var finished: Finished?
    package var settlements: [Settlement]

    package struct Step: Codable, Sendable {
        /// In the journal, from 1.
        package var position: UInt64
        package var id: String
        /// request, reply, command, outcome, event.
        package var kind: String
        package var service: String
        package var consumer: String
        package var provider: String
        package var purpose: String
        /// The sender's clock.
        package var created: String
        package var createdMs: Int64
        /// The broker's clock.
        package var receivedUs: Int64
        package var committedUs: Int64
        package var outcome: Outcome
        package var bodySize: Int
        /// SHA-256, hexadecimal.
        package var bodyDigest: String
    }

    package struct Outcome: Codable, Sendable {
        /// 0 fine, else of the catalogue.
        package var number: UInt16
        /// `ok`, or the name in the catalogue.
        package var name: String
    }

    package struct Finished: Codable, Sendable {
        package var outcome: Outcome
        /// Where it failed; unknown when it did not.
        package var hop: String
        package var stage: String
        /// Of the space in force; absent when there is none any more.
        package var integration: String?
        package var times: Times
        package var durations: Durations
    }

    /// The four hop times by the broker's clock; a time that never came is absent.
    package struct Times: Codable, Sendable {
        package var requestIn: String?
        package var requestInUs: Int64?
        package var requestOut: String?
        package var requestOutUs: Int64?
        package var replyIn: String?
        package var replyInUs: Int64?
        package var replyOut: String?
        package var replyOutUs: Int64?
    }

    /// Microseconds between the hop times.
    package struct Durations: Codable, Sendable {
        /// From arrival to delivery: check, commit, queue.
        package var brokerInUs: Int64?
        /// From delivery to the reply's arrival: the provider and its network.
        package var providerUs: Int64?
        /// From the reply's arrival to its delivery.
        package var brokerOutUs: Int64?
        package var totalUs: Int64?
    }

    package struct Settlement: Codable, Sendable {
        package var subscriber: String
        package var at: String
        package var atMs: Int64
        package var outcome: Outcome
    }
}
