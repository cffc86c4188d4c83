package import BusDirectory
import BusProtocol

/// Limits of one broker. Together they bound its memory: see `docs/OPERATIONS.md`, "What memory is for".
package struct BrokerLimits: Sendable {
    /// Connected agents.
    package var sessions = 1024
    /// Requests between acceptance and answer, all agents together.
    package var calls = 65_536
    /// Requests and events that wait for one agent's credit, and their bytes.
    package var waitingMessages = 4096
    package var waitingBytes = 16 * 1024 * 1024
    /// What was sent to one agent and is not known to be read, whatever credit it grants: then it gets nothing more until it
    /// answers a PING. Twice as much ends its session.
    package var unreadBytes = Int(Limits.creditBytes)
    package var unreadFrames = 4096
    /// Requests, commands, outcomes and events one agent has and has not settled, whatever credit it grants.
    package var unsettled = Int(Limits.creditMessages)
    /// QUERYs, WANTs and SEEKs of one agent whose answers are being read; each may be 2 MiB. Further ones are told 4291.
    package var answersAtOnce = 4
    /// PROVEs of one agent that are being answered: the first after a start waits until the whole journal was read. Further ones are
    /// told 4291.
    package var proofsAtOnce = 4
    /// Blocks of 1,024 records of the log that one agent may have read for proofs within a second: one for each PROVE, for each message
    /// in another block, and for each earlier size. Further ones are told 4291.
    package var proofBlocksPerSecond = 256
    /// Commands that wait for one system; beyond it their senders are told 4291.
    package var queueDepth = 100_000
    /// Events one subscriber has not settled; beyond it their publisher is told 4291, because nothing is dropped in silence.
    package var eventBacklog = 1_000_000
    /// Events a subscriber has sought and not settled. They count apart from the backlog, so a replay costs nobody a new event.
    package var replay = 1_000_000
    /// Commands, outcomes and events whose ids are remembered. Older ids are refused with 4100.
    /// A row is 60 to 120 bytes.
    package var ledger = 1_000_000
    /// Records of sealing epochs that are found again, about 150 bytes each: beyond it the oldest is not, and what was sealed with it cannot
    /// be opened by an agent that has not met it before.
    package var keyRecords = 200_000
    /// Records of epochs one agent may bring within a second, and times it may ask for some.
    package var keysPerSecond = 256
    /// Bodies whose retention is waited for, about 50 bytes each; beyond it the next one due is erased before its time.
    package var erasures = 1_000_000
    /// Deliveries of a message whose service names no terms of its own.
    package var retry = RetryTerms.standard
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
