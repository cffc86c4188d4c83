/// What a receiver is willing to take.
package struct ReceiveLimits: Sendable {
    /// Bytes of a payload; a longer one is dropped and reported, not copied.
    package var maxPayloadBytes: Int
    /// Whether to look up the connection's descriptor, which costs a little for each message.
    package var findsSource: Bool

    package init(maxPayloadBytes: Int = 4 * 1024 * 1024, findsSource: Bool = false) {
        self.maxPayloadBytes = maxPayloadBytes
        self.findsSource = findsSource
    }
}

/// One whole ZeroMQ message. The bus's messages have exactly one payload frame; any other is reported with an empty
/// payload.
package struct Received: Sendable {
    /// The ROUTER's name for the peer it came from; empty on other kinds of socket. A peer may choose it: it is an
    /// address to answer to, not an identity.
    package var route: [UInt8] = []
    /// Empty unless `isWellFormed`.
    package var payload: [UInt8] = []
    /// Bytes that the payload frame had, also when it was dropped.
    package var payloadBytes = 0
    /// Frames after the payload, all dropped.
    package var extraParts = 0
    /// The payload was longer than `ReceiveLimits.maxPayloadBytes`.
    package var isOversized = false
    /// A ROUTER got a routing id and nothing else.
    package var isMissingPayload = false
    /// Who sent it, as the ZAP handler answered for its key; nil unless the socket is a CURVE server.
    package var userID: String?
    /// The descriptor of the connection it came from, when asked for. Only good for telling connections apart in a log:
    /// the connection may be closed by now and its number given to another.
    package var sourceFD: Int32?

    package var isWellFormed: Bool { extraParts == 0 && !isOversized && !isMissingPayload }
}

extension Socket {
    /// Receives one whole message without blocking; nil when none waits.
    ///
    /// Takes a bounded share of memory whatever the peer sends: one payload within the limit. What a message's other
    /// parts cost inside libzmq before they get here is bounded by nothing but the number of peers that ZAP admits.
    /// - Throws: `isShutdown` after the context's shutdown.
    package mutating func receive(limits: ReceiveLimits = ReceiveLimits()) throws(ZeroMQError) -> Received? {
        guard try handle.receiveFrame() else { return nil }
        var received = Received()
        if handle.kind == .router {
            received.route = takeRoute()
            guard handle.hasMoreFrames, try handle.receiveFrame() else {
                received.isMissingPayload = true
                return received
            }
        }
        try takePayload(into: &received, limits: limits)
        handle.releaseFrame()
        return received
    }

    private mutating func takeRoute() -> [UInt8] {
        let isSame = unsafe handle.withFrame { frame in
            unsafe frame.elementsEqual(lastRoute)
        }
        if !isSame { lastRoute = handle.copyFrame() }
        return lastRoute
    }

    /// Metadata is read from the payload frame: the routing-id frame may come without any after a poll.
    private mutating func takePayload(into received: inout Received, limits: ReceiveLimits) throws(ZeroMQError) {
        received.payloadBytes = handle.frameSize
        received.isOversized = received.payloadBytes > limits.maxPayloadBytes
        if trustsUserID { received.userID = takeUserID() }
        if limits.findsSource { received.sourceFD = handle.sourceDescriptor }
        if handle.hasMoreFrames {
            received.extraParts = try handle.dropRemainingFrames()
        } else if !received.isOversized {
            received.payload = handle.copyFrame()
        }
    }

    private mutating func takeUserID() -> String? {
        let handle = handle
        return unsafe handle.withUserID { unsafe users.string($0) }
    }
}
