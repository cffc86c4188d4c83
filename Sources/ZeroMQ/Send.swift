import Glibc

/// What became of a message. None of these says that the peer got it: a connection may die with messages queued on it,
/// even between two frames of one, and libzmq still reports success. Only the bus's own ACCEPT and ACK prove delivery.
@usableFromInline
package enum SendResult: Sendable {
    /// Queued for the peer.
    case sent
    /// ROUTER: no peer has this route now. The message was not queued. A ROUTER learns that a peer is gone when it
    /// receives up to the end of what that peer sent: one that only sends sees `.sent`, then `.wouldBlock`, for ever.
    case unreachable
    /// The peer's queue is at its high-water mark, or no peer is connected yet. The message was not queued.
    case wouldBlock

    @inlinable
    package static func == (a: SendResult, b: SendResult) -> Bool {
        switch (a, b) {
        case (.sent, .sent), (.unreachable, .unreachable), (.wouldBlock, .wouldBlock): true
        default: false
        }
    }
}

extension Socket {
    /// Longest routing id of ZMTP.
    static let longestRoute = 255

    /// Sends one message to one peer of a ROUTER, without waiting. The bytes are copied.
    package mutating func send(_ payload: [UInt8], to route: [UInt8]) throws(ZeroMQError) -> SendResult {
        guard handle.kind == .router else { throw .invalid("send to a route", "only a ROUTER has routes") }
        guard (1...Self.longestRoute).contains(route.count) else {
            throw .invalid(
                "send to a route", "a route of \(route.count) bytes", hint: "Use the route of a received message")
        }
        try handle.fill(.payload, with: payload)
        try handle.fill(.route, with: route)
        let admitted = try handle.sendFrame(.route, more: true)
        guard admitted == .sent else {
            handle.releaseOutbound()
            return admitted
        }
        // A ROUTER decides on the route's frame; the payload's frame goes where that one went, or nowhere if the peer
        // just died.
        return try handle.sendFrame(.payload, more: false)
    }

    /// Sends one message to any connected peer of a DEALER (PAIR, PUSH, …), without waiting. The bytes are copied.
    package mutating func send(_ payload: [UInt8]) throws(ZeroMQError) -> SendResult {
        guard handle.kind != .router else {
            throw .invalid("send", "a ROUTER needs a route", hint: "Use send(_:to:)")
        }
        try handle.fill(.payload, with: payload)
        let result = try handle.sendFrame(.payload, more: false)
        if result != .sent { handle.releaseOutbound() }
        return result
    }
}

// MARK: - Messages of many frames, for protocols other than the bus's own

extension Socket {
    /// Sends one frame of a message.
    mutating func sendPart(_ bytes: [UInt8], more: Bool) throws(ZeroMQError) -> SendResult {
        try handle.fill(.payload, with: bytes)
        let result = try handle.sendFrame(.payload, more: more)
        if result != .sent { handle.releaseOutbound() }
        return result
    }

    /// Receives one whole message frame by frame, nil when none waits. Frames after the first `maxParts` are dropped.
    mutating func receiveParts(maxParts: Int) throws(ZeroMQError) -> [[UInt8]]? {
        guard try handle.receiveFrame() else { return nil }
        var parts = [handle.copyFrame()]
        while handle.hasMoreFrames, parts.count < maxParts, try handle.receiveFrame() {
            parts.append(handle.copyFrame())
        }
        _ = try handle.dropRemainingFrames()
        handle.releaseFrame()
        return parts
    }
}

extension SocketHandle {
    func fill(_ slot: Slot, with bytes: [UInt8]) throws(ZeroMQError) {
        var failure: ZeroMQError?
        unsafe bytes.withUnsafeBytes { buffer in
            do throws(ZeroMQError) { unsafe try fill(slot, with: buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
