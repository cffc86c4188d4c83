import Synchronization

/// Decides which CURVE keys may connect (RFC 27/ZAP), on a thread of its own, once per handshake.
///
/// It fails closed. libzmq admits every key while no handler runs, so this one refuses after `stop()` and ends only
/// when no CURVE server is left in its context; and should it fail, it shuts the whole context down.
///
/// ZAP is asked at the handshake only: to revoke a key now, also check `Received.userID` of each message.
package final class ZAPHandler: Sendable {
    /// Keys kept for operators: enough to see a misconfigured agent, not enough to be filled by an attacker.
    package static let rememberedRefusals = 64
    /// Bytes of a user id.
    package static let longestUserID = 255

    /// A key that was not let in. Keys of one origin are counted together.
    package struct Refusal: Hashable, Sendable {
        package let key: CurveKey
        /// The peer's IP address as libzmq saw it.
        package let address: String
        package fileprivate(set) var count: Int
    }

    /// What a refused peer is to do.
    package enum Refusing: Sendable {
        /// Status 300: the connection is closed without a word and the peer's libzmq connects again, at its
        /// `reconnectMaxMs`, so a key that is admitted later gets in by itself. The peer sees `handshakeFailed`.
        case untilAdmitted
        /// Status 400: the peer is told, sees `handshakeRefused`, and its libzmq (4.3.4) never connects again: its
        /// owner has to open a new socket.
        case forGood
    }

    package struct Counts: Hashable, Sendable {
        package var admitted = 0
        /// Keys that `allow` did not know, and everything after `stop()`.
        package var refused = 0
        /// Requests that were not CURVE or not ZAP; these are refused too.
        package var malformed = 0
    }

    private let context: Context
    private let refusing: Refusing
    private let allow: @Sendable (CurveKey) -> String?
    private let wakeup: Wakeup
    private let state = Mutex(State())
    private let thread = Mutex<SocketThread?>(nil)

    private struct State {
        var counts = Counts()
        var refusals: [Refusal] = []
        var isStopping = false
        var failure: ZeroMQError?
    }

    /// Starts answering. CURVE servers can be opened in the context from now on.
    /// - Parameter allow: the user id of a key (1 to 255 bytes without NUL, by custom the key's Z85), or nil to refuse
    ///   it. Called on the handler's thread; a slow answer delays all handshakes.
    /// - Throws: `EADDRINUSE` when the context has a handler already.
    package init(
        context: Context, refusing: Refusing = .untilAdmitted, allow: @escaping @Sendable (CurveKey) -> String?
    ) throws(ZeroMQError) {
        self.context = context
        self.refusing = refusing
        self.allow = allow
        wakeup = try Wakeup()
        try context.registerAuthenticator(wakeup)
        do throws(ZeroMQError) {
            try start()
        } catch {
            _ = context.retireAuthenticator()
            throw error
        }
    }

    package var counts: Counts { state.withLock { $0.counts } }

    /// The keys refused last, oldest first.
    package var refusals: [Refusal] { state.withLock { $0.refusals } }

    /// Why the handler died and took its context down, if it did.
    package var failure: ZeroMQError? { state.withLock { $0.failure } }

    /// Refuses every key from now on, and ends as soon as the context has no CURVE server. Does not wait. Must be
    /// called for the context to be freed, unless the context is shut down.
    package func stop() {
        state.withLock { $0.isStopping = true }
        wakeup.signal()
    }

    /// Waits until the handler has ended, after `stop()` or the context's shutdown.
    package func join() {
        thread.withLock { $0 }?.join()
    }
}

// MARK: - The thread

extension ZAPHandler {
    private static let endpoint = "inproc://zeromq.zap.01"
    /// version, request id, domain, address, routing id, mechanism, the key, and one more to notice too many.
    private static let mostParts = 8

    /// Returns once the endpoint is bound, so that no handshake can come before.
    private func start() throws(ZeroMQError) {
        let bound = try Wakeup()
        let started = try SocketThread(name: "zap") { [self] in
            run(whenBound: bound)
        }
        thread.withLock { $0 = started }
        while !bound.wait(atMost: .seconds(3_600)) {}
        if let failure {
            started.join()
            throw failure
        }
    }

    private func run(whenBound bound: Wakeup) {
        var isBound = false
        do throws(ZeroMQError) {
            var socket = try Socket(context, .rep, options: Self.options)
            try socket.bind(Self.endpoint)
            isBound = true
            bound.signal()
            try answer(on: &socket)
        } catch {
            // A shutdown is the normal end of a handler that had begun, and a failure of one that had not.
            if !isBound || !error.isShutdown { state.withLock { $0.failure = error } }
            if !error.isShutdown { context.shutdown() }
            bound.signal()
        }
    }

    private static var options: SocketOptions {
        var options = SocketOptions()
        options.lingerMs = 0
        return options
    }

    private func answer(on socket: inout Socket) throws(ZeroMQError) {
        var poller = Poller()
        let requests = poller.add(socket)
        poller.add(wakeup)
        while true {
            try poller.wait(atMost: nil)
            if wakeup.drain(), state.withLock({ $0.isStopping }), context.retireAuthenticator() { return }
            guard poller.found(requests).contains(.readable) else { continue }
            while let parts = try socket.receiveParts(maxParts: Self.mostParts) {
                try reply(to: parts, on: &socket)
            }
        }
    }

    private func reply(to parts: [[UInt8]], on socket: inout Socket) throws(ZeroMQError) {
        let verdict = judge(parts)
        let requestID = parts.count > 1 ? parts[1] : []
        let fields = [
            Array("1.0".utf8), requestID, Array(verdict.status.utf8), Array(verdict.text.utf8),
            Array(verdict.userID.utf8),
        ]
        for field in fields { _ = try socket.sendPart(field, more: true) }
        _ = try socket.sendPart([], more: false)
    }
}

// MARK: - The verdict

extension ZAPHandler {
    private enum Verdict {
        case admitted(userID: String)
        case refused(Refusing)
        case malformed

        var status: String {
            switch self {
            case .admitted: "200"
            case .refused(.untilAdmitted): "300"
            case .refused(.forGood): "400"
            case .malformed: "500"
            }
        }

        var text: String {
            switch self {
            case .admitted: "OK"
            case .refused: "unknown key"
            case .malformed: "only CURVE is accepted"
            }
        }

        var userID: String {
            if case .admitted(let userID) = self { userID } else { "" }
        }
    }

    private func judge(_ parts: [[UInt8]]) -> Verdict {
        guard parts.count == 7, parts[0].elementsEqual("1.0".utf8), parts[5].elementsEqual("CURVE".utf8),
            let key = CurveKey(bytes: parts[6])
        else {
            state.withLock { $0.counts.malformed += 1 }
            return .malformed
        }
        let isStopping = state.withLock { $0.isStopping }
        guard !isStopping, let userID = allow(key), Self.isUsable(userID) else {
            note(refused: key, address: String(decoding: parts[3], as: UTF8.self))
            return .refused(refusing)
        }
        state.withLock { $0.counts.admitted += 1 }
        return .admitted(userID: userID)
    }

    /// The receiver reads a C string: a NUL inside would make one user look like another.
    private static func isUsable(_ userID: String) -> Bool {
        (1...longestUserID).contains(userID.utf8.count) && !userID.utf8.contains(0)
    }

    private func note(refused key: CurveKey, address: String) {
        state.withLock { state in
            state.counts.refused += 1
            let earlier = state.refusals.firstIndex { $0.key == key && $0.address == address }
            var refusal = earlier.map { state.refusals.remove(at: $0) } ?? Refusal(key: key, address: address, count: 0)
            refusal.count += 1
            if state.refusals.count == Self.rememberedRefusals { state.refusals.removeFirst() }
            state.refusals.append(refusal)
        }
    }
}
