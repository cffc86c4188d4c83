/// GET /v1/messages/{id}: the way of one message, out of the journal.
package struct TracePage: Codable, Sendable {
    package var id: String
    /// Requests: open, answered, failed. Commands: accepted, delivering, delivered, completed, failed, expired, dead-lettered.
    /// Events and outcomes: open, settled, dead-lettered.
    package var state: String
    package var message: Step?
    package var answers: [Step]
    package var finished: Finished?
    package var settlements: [Settlement]
    /// Commands, outcomes and events: how each receiver stands to it.
    package var deliveries: [Receiver]
    /// Commands, outcomes and events: everything that befell it, in the order of the journal.
    package var history: [Entry]
    /// False when the history was too long to be read to its end.
    package var complete: Bool
    /// False when not everything was read in which another message of this id may lie.
    package var sole: Bool

    package struct Step: Codable, Sendable, Equatable {
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

    package struct Outcome: Codable, Sendable, Equatable {
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

    package struct Receiver: Codable, Sendable {
        package var receiver: String
        /// waiting, delivering, taken, dead-lettered.
        package var state: String
        /// Deliveries since it was accepted, or since it was resent.
        package var attempts: UInt16
        /// Times an operator resent it.
        package var resent: Int
        /// The agent that has it now.
        package var agent: String?
        /// Why it was given up.
        package var reason: Outcome?
    }

    package struct Entry: Codable, Sendable {
        /// Of the record in the journal.
        package var position: UInt64
        package var at: String
        package var atMs: Int64
        /// accepted, tried-again, taken, given-up, resent, replayed, outcome.
        package var what: String
        /// Absent in `accepted` and `outcome`.
        package var receiver: String?
        package var agent: String?
        package var attempt: UInt16?
        package var reason: Outcome?
    }
}
