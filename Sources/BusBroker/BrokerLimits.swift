/// Limits of one broker. Together they bound its memory: see `docs/OPERATIONS.md`, "What memory is for".
package struct BrokerLimits: Sendable {
    /// Connected agents.
    package var sessions = 1024
    /// Requests between acceptance and answer, all agents together.
    package var calls = 65_536
    /// Requests and events that wait for one agent's credit, and their bytes.
    package var waitingMessages = 4096
    package var waitingBytes = 16 * 1024 * 1024
    /// Events kept in memory until every subscriber has settled them, for one subscriber.
    package var pendingEvents = 10_000
    /// The same in bytes, for one event type.
    package var pendingEventBytes = 64 * 1024 * 1024
    /// Deliveries of an event before it is given up.
    package var eventAttempts = 20
    /// How often events that wait for a subscriber are tried again when nothing else asks for it, microseconds.
    package var redeliveryInterval: Int64 = 50_000
    /// Refusals owed to one agent; one that floods far over its credit is sent away.
    package var refusedRows = 65_536
    /// Records gathered while a commit runs before receiving pauses.
    package var gatheredRecords = 16_384
    /// Distinct (consumer, service) pairs of refused traffic counted between two ticks.
    package var refusedPairs = 1024
    /// How long ACCEPT may lag when nobody waits for it, microseconds. Replies prove acceptance earlier.
    package var acceptDelay: Int64 = 10_000
    /// How long the end of a request may wait for the next commit, microseconds.
    package var finishDelay: Int64 = 50_000
    /// Pause after a commit that failed for want of space, microseconds.
    package var commitRetry: Int64 = 50_000
    /// After a restart, how long requests wait for a provider that may be on its way back, microseconds. 0: not at all. The
    /// broker's shell sets it to the silence after which an agent is given up.
    package var returnGrace: Int64 = 0
    /// Longest time a drain waits for open requests, microseconds.
    package var drainDeadline: Int64 = 10_000_000

    package init() {}
}
