import CZeroMQ

/// A ZeroMQ socket with one owner: it cannot be copied, is closed where its owner drops it, and is not `Sendable`, so
/// the compiler keeps it on one thread at a time. Open it inside the closure of a `SocketThread` and wait with a
/// `Poller`.
///
/// There is no access to `ZMQ_FD`: it is edge-triggered and loses wakeups unless checked after every call.
package struct Socket: ~Copyable {
    let handle: SocketHandle
    var users = UserIDCache()
    /// The route of the last message; messages of one peer come in bursts and then share one array.
    var lastRoute: [UInt8] = []
    /// Only a CURVE server's `User-Id` comes from its ZAP handler. On a plain connection the peer itself can claim one.
    let trustsUserID: Bool

    package enum Kind: Sendable {
        case router, dealer, pair, push, pull, rep, req

        var type: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .pair: ZMQ_PAIR
            case .push: ZMQ_PUSH
            case .pull: ZMQ_PULL
            case .rep: ZMQ_REP
            case .req: ZMQ_REQ
            }
        }
    }

    /// - Throws: `EINVAL` for options out of bounds and for a CURVE server without a `ZAPHandler`, `EMFILE` when the
    ///   context or the process has no more room, `isShutdown` after the context's shutdown.
    package init(_ context: Context, _ kind: Kind, options: SocketOptions = SocketOptions()) throws(ZeroMQError) {
        try options.check()
        let opened = try SocketHandle(context, kind, isCurveServer: options.isCurveServer)
        try options.apply(to: opened)
        trustsUserID = options.isCurveServer
        handle = opened
    }

    deinit { handle.close() }

    /// Offers the socket to peers; `tcp://127.0.0.1:*` takes a free port, see `lastEndpoint()`.
    package mutating func bind(_ endpoint: String) throws(ZeroMQError) { try handle.bind(endpoint) }

    /// Connects now and again after every loss, in the background; returns at once.
    package mutating func connect(_ endpoint: String) throws(ZeroMQError) { try handle.connect(endpoint) }

    package mutating func unbind(_ endpoint: String) throws(ZeroMQError) { try handle.unbind(endpoint) }

    package mutating func disconnect(_ endpoint: String) throws(ZeroMQError) { try handle.disconnect(endpoint) }

    /// The address of the last `bind`, with the port that `*` became.
    package func lastEndpoint() throws(ZeroMQError) -> String { try handle.lastEndpoint() }
}

@available(*, unavailable)
extension Socket: Sendable {}
