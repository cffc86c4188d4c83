/// GET /v1/queues: durable messages that are owed to systems.
package struct QueuesPage: Codable, Sendable {
    package var queues: [Item]
    /// Over the queues that are listed.
    package var depth: Int
    package var inFlight: Int
    package var dead: Int

    package struct Item: Codable, Sendable {
        /// commands, outcomes, events.
        package var kind: String
        /// The system that receives.
        package var system: String
        /// The event type; absent for commands and outcomes.
        package var event: String?
        /// Messages that are not settled.
        package var depth: Int
        /// Of these, with an agent now.
        package var inFlight: Int
        /// Connected agents of the system that take something of this queue; with none, nobody serves it.
        package var agents: Int
        /// Position of the oldest message that is not settled.
        package var oldest: UInt64?
        package var oldestAt: String?
        package var oldestAtMs: Int64?
        /// Messages that were given up, or that expired, and may be resent.
        package var dead: Int
        /// Of those in flight, the one that its agent has had for the longest time.
        package var held: Held?
    }

    /// A delivery that a connected agent has and has not settled.
    package struct Held: Codable, Sendable {
        package var id: String
        /// Service or event type.
        package var service: String
        package var agent: String
        package var heldMs: Int64
    }
}

/// GET /v1/dead-letters: messages that were given up for a receiver, the oldest first.
package struct DeadLettersPage: Codable, Sendable {
    package var letters: [DeadLetterItem]
    /// How many there are, which may be more than are listed.
    package var total: Int
    package init(letters: [DeadLetterItem], total: Int) {
        self.letters = letters
        self.total = total
    }
}

package struct DeadLetterItem: Codable, Sendable {
    package var id: String
    /// Of the message in the journal.
    package var position: UInt64
    /// commands, outcomes, events.
    package var kind: String
    package var service: String
    /// The system that sent the command or event; of an outcome, the one that was to get it.
    package var consumer: String
    package var receiver: String
    package var reason: TracePage.Outcome
    /// Deliveries since it was accepted, or since it was resent.
    package var attempts: UInt16
    /// Times it was resent.
    package var resent: UInt16
    package var acceptedAt: String
    package var acceptedAtMs: Int64
    /// When it was given up.
    package var diedAt: String
    package var diedAtMs: Int64
}

/// The body of POST /v1/resend.
package struct ResendOrder: Codable, Sendable {
    package struct Letter: Codable, Sendable {
        package var id: String
        /// Absent: every receiver for which it was given up.
        package var receiver: String?
        /// Of the message in the journal; needed where letters of several messages have this id.
        package var position: UInt64?
        package init(id: String, receiver: String? = nil, position: UInt64? = nil) {
            self.id = id
            self.receiver = receiver
            self.position = position
        }
    }
    package var letters: [Letter]
    /// Also those that were resent before.
    package var again: Bool?
    /// Resends nothing: the answer says what would be.
    package var dryRun: Bool?
    package init(letters: [Letter], again: Bool? = nil, dryRun: Bool? = nil) {
        self.letters = letters
        self.again = again
        self.dryRun = dryRun
    }
}

/// POST /v1/resend
package struct ResendPage: Codable, Sendable {
    /// As they were before; each is on its way again with new attempts, unless it was a dry run.
    package var resent: [DeadLetterItem]
    package var refused: [Refusal]
    package init(resent: [DeadLetterItem], refused: [Refusal]) {
        self.resent = resent
        self.refused = refused
    }

    package struct Refusal: Codable, Sendable {
        package var id: String
        package var receiver: String?
        /// no-such-message, several-messages, completed, failed, on-its-way, settled, not-dead, resent-before.
        package var code: String
        package var why: String
        package var next: String
    }
}

/// The body of POST /v1/replay.
package struct ReplayOrder: Codable, Sendable {
    package var event: String
    /// The subscriber whose cursor is moved.
    package var system: String
    /// beginning, position, time.
    package var from: String
    /// The position, or Unix milliseconds.
    package var value: Int64?
    package init(event: String, system: String, from: String, value: Int64? = nil) {
        self.event = event
        self.system = system
        self.from = from
        self.value = value
    }
}

/// POST /v1/replay
package struct ReplayPage: Codable, Sendable {
    package var event: String
    package var system: String
    /// Events the system is owed again.
    package var count: Int
    /// With a count of 0: where the log ends.
    package var logEnd: Place?
    /// With a count of 0: the newest kept event of this type, as far back as it was looked for.
    package var newestEvent: Place?
    package init(event: String, system: String, count: Int, logEnd: Place? = nil, newestEvent: Place? = nil) {
        self.event = event
        self.system = system
        self.count = count
        self.logEnd = logEnd
        self.newestEvent = newestEvent
    }

    package struct Place: Codable, Sendable, Equatable {
        package var position: UInt64
        package var at: String
        package var atMs: Int64
        /// - Parameter microseconds: Unix time, as the journal has it.
        package init(position: UInt64, microseconds: Int64) {
            self.position = position
            atMs = microseconds / 1000
            at = RFC3339.text(microseconds / 1000)
        }
    }
}

/// The body of POST /v1/drain.
package struct DrainOrder: Codable, Sendable {
    /// Whether the broker ends when it is drained.
    package var stop: Bool?
    package init(stop: Bool? = nil) { self.stop = stop }
}

/// GET and POST /v1/drain
package struct DrainPage: Codable, Sendable {
    /// Takes no new messages.
    package var draining: Bool
    /// Nothing is open and nothing is with an agent.
    package var drained: Bool
    /// The broker ends now.
    package var stopping: Bool
    /// Requests that are still open.
    package var openCalls: Int
    /// Commands, outcomes and events that agents have and have not settled.
    package var inFlight: Int
    /// Commands, outcomes and events that are not settled. They stay in the journal.
    package var depth: Int
}
