/// One finished request or delivered event.
package struct Exchange: Sendable, Hashable {
    /// The position of the integration in `Plan.integrations`.
    package var integration: Int
    /// 0, or the number of the error as in the error catalogue.
    package var code: UInt16
    /// From the commit of the request to the commit of its outcome.
    package var latencyMicroseconds: UInt32
    /// When it finished, Unix milliseconds.
    package var at: Int64
    /// The declared stage when the request was committed.
    package var stage: Stage

    package init(integration: Int, code: UInt16 = 0, latencyMicroseconds: UInt32, at: Int64, stage: Stage) {
        self.integration = integration
        self.code = code
        self.latencyMicroseconds = latencyMicroseconds
        self.at = at
        self.stage = stage
    }
}

/// Faults of one integration that the bus could not see and an agent of one of its ends reported.
package struct ReportedFaults: Sendable, Hashable {
    /// Most that one row may count for: an agent must not outweigh an hour's traffic with one number.
    package static let mostAtOnce: UInt32 = 1000

    /// The position of the integration in `Plan.integrations`.
    package var integration: Int
    package var code: UInt16
    package var count: UInt32
    /// When the report came, Unix milliseconds.
    package var at: Int64

    package init(integration: Int, code: UInt16, count: UInt32, at: Int64) {
        self.integration = integration
        self.code = code
        self.count = count
        self.at = at
    }
}

/// What the outcome code of a finished exchange says about the integration.
package enum Outcome: Sendable, Hashable {
    /// It worked.
    case success
    /// It failed: 408 deadline, 502 provider fault, 503 no live provider.
    case error
    /// The consumer or the bus is at fault; the ratio of errors does not know it.
    case notJudged

    /// A 404 here is the answer "not found" of the provider's domain, so a success: a service the bus does not know is
    /// a `Refusal` and never becomes an exchange.
    package init(code: UInt16) {
        switch code {
        case 0..<400, 404: self = .success
        case 408, 502, 503: self = .error
        default: self = .notJudged
        }
    }
}

/// Traffic that was refused because no declared integration allows it (403), or no such service exists (404).
package struct Refusal: Sendable, Hashable {
    package var consumer: String
    package var service: String
    package var code: UInt16
    /// The last of the refused, Unix milliseconds.
    package var at: Int64
    /// How many were refused since the last such record.
    package var count: UInt32

    package init(consumer: String, service: String, code: UInt16, at: Int64, count: UInt32 = 1) {
        self.consumer = consumer
        self.service = service
        self.code = code
        self.at = at
        self.count = count
    }
}

/// A sign of life of an agent for one system that it serves.
package struct Heartbeat: Sendable, Hashable {
    package var system: String
    package var agent: String
    /// When the bus received it, Unix milliseconds.
    package var at: Int64
    package var uptimeMs: UInt64
    /// When the system's data were last verified or changed, Unix milliseconds. Nil: the agent cannot know.
    package var dataUpdatedAt: Int64?
    /// Whether the agent reaches its system.
    package var up: Bool

    package init(
        system: String, agent: String, at: Int64, uptimeMs: UInt64 = 0, dataUpdatedAt: Int64? = nil, up: Bool = true
    ) {
        self.system = system
        self.agent = agent
        self.at = at
        self.uptimeMs = uptimeMs
        self.dataUpdatedAt = dataUpdatedAt
        self.up = up
    }
}

/// A change of an observed state or of the health of a system, for the journal.
package struct StateChange: Sendable, Codable, Hashable {
    package enum Subject: String, Sendable, Codable, Hashable {
        case integration, system
    }

    package var subject: Subject
    /// The integration's or the system's id.
    package var id: String
    /// Stable names of `ObservedState` or `SystemHealth`.
    package var from: String
    package var to: String
    /// The stable code of the reason, where the new state has one: `no-success`, `errors`, `provider-down`, `slow`,
    /// `missed-heartbeats`, `no-agents`, `reported-down`, `stale`.
    package var cause: String?
    /// One sentence with the figures.
    package var why: String
    package var at: Int64

    package init(
        subject: Subject, id: String, from: String, to: String, cause: String?, why: String, at: Int64
    ) {
        self.subject = subject
        self.id = id
        self.from = from
        self.to = to
        self.cause = cause
        self.why = why
        self.at = at
    }
}
