/// The way between one agent and the broker: one TCP connection after the other, with ZeroMQ's queue behind it.
///
/// Within a connection nothing is lost and nothing overtakes. When it breaks, what was under way in either direction is gone;
/// what the agent says afterwards waits for the next connection, unless it does not know yet.
struct SimulatedLink {
    /// Counts connections; frames of another one than this are lost.
    private(set) var connection = 0
    private(set) var isUp = false
    /// The agent takes the broken connection for a sound one: what it sends is lost.
    private(set) var isDeaf = false
    /// Connections the broker takes for sound though they are gone.
    private(set) var halfOpen: Set<Int> = []
    /// Connections whose agent is gone, though its last words still arrive.
    private(set) var dying: Set<Int> = []
    /// Frames that wait for a connection.
    private(set) var queue: [[UInt8]] = []
    var stalledUntil: Int64 = 0
    private var lastToBroker: Int64 = 0
    private var lastToAgent: Int64 = 0

    mutating func connected() -> [[UInt8]] {
        isUp = true
        isDeaf = false
        defer { queue = [] }
        return queue
    }

    /// - Parameters:
    ///   - isDeaf: the agent does not notice before the next connection.
    ///   - isHalfOpen: the broker does not notice at all.
    mutating func cut(isDeaf: Bool, isHalfOpen: Bool) {
        if isHalfOpen, isUp { halfOpen.insert(connection) }
        connection += 1
        isUp = false
        self.isDeaf = isDeaf
    }

    /// The agent closes its socket, or ends.
    /// - Parameter leavesWords: what it had sent still arrives.
    mutating func close(isHalfOpen: Bool, leavesWords: Bool = false) {
        if leavesWords, isUp { dying.insert(connection) }
        cut(isDeaf: false, isHalfOpen: isHalfOpen)
        queue = []
    }

    mutating func forgetBroker() { (halfOpen, dying) = ([], []) }

    /// Whether a frame of this connection can still reach the broker.
    func carries(_ connection: Int) -> Bool { self.connection == connection || dying.contains(connection) }

    mutating func wait(_ frame: [UInt8]) { if !isDeaf { queue.append(frame) } }

    /// When a frame that leaves now arrives: never before one that left earlier.
    mutating func arrivalAtBroker(_ now: Int64, after latency: Int) -> Int64 {
        lastToBroker = max(lastToBroker, max(now, stalledUntil) + Int64(latency))
        return lastToBroker
    }

    mutating func arrivalAtAgent(_ now: Int64, after latency: Int) -> Int64 {
        lastToAgent = max(lastToAgent, max(now, stalledUntil) + Int64(latency))
        return lastToAgent
    }
}
