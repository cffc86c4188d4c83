import CZeroMQ

/// The settings of a socket, fixed when it is opened. The defaults suit a durable bus: bounded queues, finite waits.
package struct SocketOptions: Sendable {
    /// Messages that wait for one peer before `send` answers `.wouldBlock`. Keep it above the largest credit given.
    package var sendHighWater = 1_000
    /// Messages from one peer that wait here before TCP pushes back.
    package var receiveHighWater = 1_000
    /// How long a closed socket goes on sending what it had accepted, and so how long a shutdown may last.
    package var lingerMs = 500
    /// Queue only for peers whose handshake is done; otherwise messages vanish into connections that never come up.
    /// Seen with 4.3.4: when the connection is lost, an immediate socket also throws away what it had received and the
    /// program had not read yet. The sender cannot know; only ACKs can.
    package var immediate = true
    /// ROUTER: report a route that is gone or full instead of dropping the message silently.
    package var mandatory = true
    /// ROUTER: a newcomer takes over the routing id of a live peer. Off, because the routing id is the peer's own
    /// claim; who it is comes from ZAP (`Received.userID`).
    package var handover = false
    /// Bytes of one frame (not of one message: a message can have many); a peer that sends a longer one is
    /// disconnected. Not enforced on `inproc`, where `ReceiveLimits` still holds.
    package var maxMessageSize = 4 * 1024 * 1024
    /// A connection that has not finished its handshake by then is dropped.
    package var handshakeMs = 5_000
    /// First pause before connecting again (libzmq adds jitter), doubled each time up to `reconnectMaxMs`.
    package var reconnectMs = 100
    package var reconnectMaxMs = 5_000
    /// ZMTP heartbeats, which find half-open TCP connections; 0 turns them off. The I/O thread answers them while the
    /// program hangs, so they do not replace the bus's own PING.
    package var heartbeatMs = 5_000
    package var heartbeatTimeoutMs = 15_000
    /// What we ask the peer to wait for our heartbeats before it drops us.
    package var heartbeatTTLMs = 15_000
    /// Only for calls that may block; `Socket.send` never does.
    package var sendTimeoutMs = 1_000
    /// Connections that wait to be accepted.
    package var backlog = 256
    /// The name this socket claims towards a ROUTER, 1 to 255 bytes, not starting with 0; nil lets the ROUTER choose.
    package var routingID: [UInt8]?
    package var ipv6 = false
    package var curve: CurveRole?
    /// Given to the ZAP handler with each request; a CURVE server needs one.
    package var zapDomain = "bus"

    package init() {}

    /// CURVE puts each frame into a MESSAGE command: name (8), nonce (8), authenticator (16) and flags (1).
    static let curveFrameOverhead = 33
    /// CURVE's own handshake commands must pass `maxMessageSize` too.
    static let smallestMaxMessageSize = 1_024
    static let largestMaxMessageSize = 1 << 30
    static let largestHighWater = 1_000_000
    static let longestMs = 3_600_000
    /// The wire carries the TTL as tenths of a second in 16 bits.
    static let longestHeartbeatTTLMs = 6_553_500
}

// MARK: - Checking

extension SocketOptions {
    var isCurveServer: Bool {
        if case .server = curve { true } else { false }
    }

    /// The bounds of every number: nothing here may be unlimited, whatever libzmq means by 0 or -1.
    private var numbers: [(name: String, value: Int, bounds: ClosedRange<Int>)] {
        [
            ("sendHighWater", sendHighWater, 1...Self.largestHighWater),
            ("receiveHighWater", receiveHighWater, 1...Self.largestHighWater),
            ("lingerMs", lingerMs, 0...Self.longestMs),
            ("maxMessageSize", maxMessageSize, Self.smallestMaxMessageSize...Self.largestMaxMessageSize),
            ("handshakeMs", handshakeMs, 1...Self.longestMs),
            ("reconnectMs", reconnectMs, 1...Self.longestMs),
            ("reconnectMaxMs", reconnectMaxMs, reconnectMs...max(reconnectMs, Self.longestMs)),
            ("heartbeatMs", heartbeatMs, 0...Self.longestMs),
            ("heartbeatTimeoutMs", heartbeatTimeoutMs, 0...Self.longestMs),
            ("heartbeatTTLMs", heartbeatTTLMs, 0...Self.longestHeartbeatTTLMs),
            ("sendTimeoutMs", sendTimeoutMs, 0...Self.longestMs),
            ("backlog", backlog, 1...65_535),
        ]
    }

    func check() throws(ZeroMQError) {
        for (name, value, bounds) in numbers where !bounds.contains(value) {
            throw .invalid(
                "open a socket", "\(name) is \(value)", hint: "Use \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        if let routingID, !(1...255).contains(routingID.count) || routingID.first == 0 {
            throw .invalid("open a socket", "routingID is unusable", hint: "Use 1 to 255 bytes, the first one not 0")
        }
        if isCurveServer && zapDomain.isEmpty {
            throw .invalid(
                "open a socket", "zapDomain is empty", hint: "Name the domain: without one the ZAP handler is optional")
        }
    }
}

// MARK: - Applying

extension SocketOptions {
    /// Call `check()` first.
    func apply(to socket: SocketHandle) throws(ZeroMQError) {
        try applyQueues(to: socket)
        try applyConnections(to: socket)
        try applyIdentity(to: socket)
    }

    private func applyQueues(to socket: SocketHandle) throws(ZeroMQError) {
        try socket.set(ZMQ_SNDHWM, sendHighWater)
        try socket.set(ZMQ_RCVHWM, receiveHighWater)
        try socket.set(ZMQ_LINGER, lingerMs)
        try socket.set(ZMQ_SNDTIMEO, sendTimeoutMs)
        try socket.set(ZMQ_IMMEDIATE, immediate ? 1 : 0)
        if socket.kind == .router {
            try socket.set(ZMQ_ROUTER_MANDATORY, mandatory ? 1 : 0)
            try socket.set(ZMQ_ROUTER_HANDOVER, handover ? 1 : 0)
        }
    }

    private func applyConnections(to socket: SocketHandle) throws(ZeroMQError) {
        let overhead = curve == nil ? 0 : Self.curveFrameOverhead
        try socket.set(ZMQ_MAXMSGSIZE, wide: Int64(maxMessageSize + overhead))
        try socket.set(ZMQ_HANDSHAKE_IVL, handshakeMs)
        try socket.set(ZMQ_RECONNECT_IVL, reconnectMs)
        try socket.set(ZMQ_RECONNECT_IVL_MAX, reconnectMaxMs)
        try socket.set(ZMQ_HEARTBEAT_IVL, heartbeatMs)
        try socket.set(ZMQ_HEARTBEAT_TIMEOUT, heartbeatTimeoutMs)
        try socket.set(ZMQ_HEARTBEAT_TTL, heartbeatTTLMs)
        try socket.set(ZMQ_BACKLOG, backlog)
        try socket.set(ZMQ_IPV6, ipv6 ? 1 : 0)
    }

    private func applyIdentity(to socket: SocketHandle) throws(ZeroMQError) {
        if let routingID { try socket.set(ZMQ_ROUTING_ID, bytes: routingID) }
        switch curve {
        case nil:
            break
        case .server(let secret):
            try socket.set(ZMQ_ZAP_DOMAIN, bytes: Array(zapDomain.utf8))
            try socket.set(KEREGE_ZMQ_ZAP_ENFORCE_DOMAIN, 1)
            try socket.set(ZMQ_CURVE_SERVER, 1)
            try socket.set(ZMQ_CURVE_SECRETKEY, bytes: secret.revealBytes())
        case .client(let server, let publicKey, let secret):
            try socket.set(ZMQ_CURVE_SERVERKEY, bytes: server.bytes)
            try socket.set(ZMQ_CURVE_PUBLICKEY, bytes: publicKey.bytes)
            try socket.set(ZMQ_CURVE_SECRETKEY, bytes: secret.revealBytes())
        }
    }
}
