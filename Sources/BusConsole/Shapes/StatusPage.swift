/// GET /v1/status: what an operator reads first.
package struct StatusPage: Codable, Sendable {
    package var now: String
    package var nowMs: Int64
    package var broker: BrokerPart
    package var space: SpacePart
    /// The windows by which states are judged; those of a demonstration are short.
    package var windows: Windows
    package var counters: Counters
    /// Commands, outcomes and events on their way, over all systems; `kerege queues` has each queue.
    package var queues: Queues
    package var matrix: Matrix
    /// How many systems have each health; every health is listed.
    package var systems: [HealthCount]
    /// Systems that do not function, the longest outage first.
    package var notFunctioning: [Outage]
    package var findings: [PlanFindingItem]
    /// The newest state changes, newest first.
    package var changes: [Change]

    package struct BrokerPart: Codable, Sendable {
        package var name: String
        package var software: String
        package var endpoint: String
        /// CURVE, Z85.
        package var publicKey: String
        package var startedAt: String
        package var startedAtMs: Int64
        package var agents: Int
        package var openCalls: Int
        /// Records in the journal.
        package var treeSize: UInt64
        /// Takes no new messages.
        package var draining: Bool
        /// How far its time, which never runs back, is ahead of its host's clock.
        package var clockLeadMs: Int64
    }

    package struct SpacePart: Codable, Sendable {
        package var id: String
        package var title: String
        package var version: UInt64
        package var digest: String
        package var isDemo: Bool
        package var note: String?
    }

    package struct Windows: Codable, Sendable {
        package var windowMs: Int64
        package var minimumSample: Int
        package var noSuccessMs: Int64
        package var dormantAfterMs: Int64
        package var recoveryHoldMs: Int64
        package var heartbeatMs: Int64
        package var missedHeartbeats: Int
        package var nonFunctionalErrorPercent: Int
        package var degradedErrorPercent: Int
    }

    package struct Counters: Codable, Sendable {
        package var framesIn: UInt64
        package var framesOut: UInt64
        package var requestsAccepted: UInt64
        package var repliesAccepted: UInt64
        package var eventsAccepted: UInt64
        package var commandsAccepted: UInt64
        package var outcomesAccepted: UInt64
        /// Given up, or expired, since the start; `queues.dead` is how many are left now.
        package var deadLettered: UInt64
        package var requestsFinished: UInt64
        package var requestsFailed: UInt64
        package var duplicates: UInt64
        package var refused: UInt64
        package var badFrames: UInt64
        package var commits: UInt64
        package var records: UInt64
    }

    package struct Queues: Codable, Sendable {
        /// Not settled.
        package var depth: Int
        /// Of these, with an agent now.
        package var inFlight: Int
        /// Given up or expired, and not resent.
        package var dead: Int
    }

    /// Declared × observed. `cells` has the pairs that occur; `declared` and `observed` are all names, in order.
    package struct Matrix: Codable, Sendable {
        package var declared: [String]
        package var observed: [String]
        package var cells: [Cell]
        package var total: Int

        package struct Cell: Codable, Sendable {
            package var declared: String
            package var observed: String
            package var count: Int
        }

        package func count(_ declared: String, _ observed: String) -> Int {
            cells.first { $0.declared == declared && $0.observed == observed }?.count ?? 0
        }
    }

    package struct HealthCount: Codable, Sendable {
        package var health: String
        package var count: Int
    }

    package struct Outage: Codable, Sendable {
        package var system: String
        package var cause: String?
        package var since: String?
        package var sinceMs: Int64?
        package var why: String
    }

    package struct Change: Codable, Sendable {
        package var at: String
        package var atMs: Int64
        /// `integration` or `system`.
        package var subject: String
        package var id: String
        package var from: String
        package var to: String
        package var cause: String?
        package var why: String
    }
}

/// A contradiction between the plan and the traffic.
package struct PlanFindingItem: Codable, Sendable {
    package var code: String
    package var integration: String?
    package var consumer: String
    package var service: String
    package var since: String
    package var sinceMs: Int64
    package var sentence: String
}
