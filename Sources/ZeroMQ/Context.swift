import CZeroMQ
import Glibc
import Synchronization

/// A libzmq context: its I/O threads, and the `inproc` names of its sockets.
///
/// Every open socket keeps its context alive, so a context can only be freed after its last socket, and `zmq_ctx_term`,
/// which waits for open sockets for ever, cannot hang. To stop: `shutdown()`, let every owner see `isShutdown` and
/// close its sockets, then `terminate(within:)` or just drop the last reference.
///
/// A context is not to be used in a child after `fork`.
@safe package final class Context: Sendable {
    /// libzmq's own default.
    package static let defaultMaxSockets = 1023

    private let state: Mutex<State>

    // The pointer is used under the lock only, except that libzmq's own context calls are thread-safe by contract.
    @safe private struct State: @unchecked Sendable {
        var pointer: UnsafeMutableRawPointer?
        var isShutdown = false
        var openSockets = 0
        var openServers = 0
        var authenticator: Wakeup?
        var lastClosed: Wakeup?
    }

    /// - Parameters:
    ///   - ioThreads: 1 for each Gbit/s or so; CURVE's encryption runs on them too.
    ///   - maxSockets: opening more fails with `EMFILE`.
    package init(ioThreads: Int = 1, maxSockets: Int = Context.defaultMaxSockets) throws(ZeroMQError) {
        guard (1...64).contains(ioThreads) else {
            throw .invalid("create a context", "\(ioThreads) I/O threads", hint: "Use 1 to 64")
        }
        guard (1...65_535).contains(maxSockets) else {
            throw .invalid("create a context", "\(maxSockets) sockets", hint: "Use 1 to 65535")
        }
        guard let pointer = unsafe zmq_ctx_new() else { throw .last("create a context") }
        unsafe zmq_ctx_set(pointer, ZMQ_IO_THREADS, Int32(ioThreads))
        unsafe zmq_ctx_set(pointer, ZMQ_MAX_SOCKETS, Int32(maxSockets))
        state = unsafe Mutex(State(pointer: pointer))
    }

    deinit {
        if let pointer = unsafe state.withLock({ unsafe $0.pointer }) { unsafe Self.terminate(pointer) }
    }

    /// Sockets that are open now.
    package var openSockets: Int { state.withLock { $0.openSockets } }

    /// Makes every call on every socket of this context fail with `isShutdown`, so that their owners close them. Does
    /// not wait.
    package func shutdown() {
        state.withLock { state in
            guard let pointer = unsafe state.pointer, !state.isShutdown else { return }
            state.isShutdown = true
            unsafe zmq_ctx_shutdown(pointer)
        }
    }

    /// Shuts down, waits until the owners have closed all sockets, then until unsent messages left or their linger ran
    /// out.
    /// - Throws: `ETIMEDOUT` when sockets are still open after `limit`; they stay usable by their owners, and calling
    ///   again is fine. The thread that calls this must not own an open socket of this context.
    package func terminate(within limit: Duration) throws(ZeroMQError) {
        shutdown()
        let lastClosed = try Wakeup()
        let open = state.withLock { state in
            state.lastClosed = lastClosed
            return state.openSockets
        }
        guard open == 0 || lastClosed.wait(atMost: limit) else {
            throw ZeroMQError(
                number: ETIMEDOUT, operation: "terminate a context", message: "\(openSockets) sockets are still open",
                hint: "Their owners must close them when a call fails with isShutdown")
        }
        let pointer = unsafe state.withLock { state in
            defer { unsafe state.pointer = nil }
            return unsafe state.pointer
        }
        if let pointer = unsafe pointer { unsafe Self.terminate(pointer) }
    }

    private static func terminate(_ pointer: UnsafeMutableRawPointer) {
        while unsafe zmq_ctx_term(pointer) != 0 && zmq_errno() == EINTR {}
    }
}

// MARK: - Counting sockets

extension Context {
    /// Opens a raw socket and counts it. A CURVE server is refused while no ZAP handler runs, because libzmq would then
    /// admit every key.
    func open(type: Int32, isCurveServer: Bool) throws(ZeroMQError) -> UnsafeMutableRawPointer {
        let result: Result<UnsafeMutableRawPointer, ZeroMQError> = unsafe state.withLock { state in
            guard let context = unsafe state.pointer else { return unsafe .failure(.failure(ETERM, "open a socket")) }
            guard !isCurveServer || state.authenticator != nil else {
                return unsafe .failure(
                    .invalid(
                        "open a CURVE server socket", "no ZAP handler runs in this context",
                        hint: "Start a ZAPHandler first: without one libzmq would admit every key"))
            }
            guard let socket = unsafe zmq_socket(context, type) else { return unsafe .failure(.last("open a socket")) }
            state.openSockets += 1
            state.openServers += isCurveServer ? 1 : 0
            return unsafe .success(socket)
        }
        return unsafe try result.get()
    }

    func close(_ socket: UnsafeMutableRawPointer, isCurveServer: Bool) {
        unsafe zmq_close(socket)
        state.withLock { state in
            state.openSockets -= 1
            state.openServers -= isCurveServer ? 1 : 0
            if state.openSockets == 0 { state.lastClosed?.signal() }
            if state.openServers == 0 { state.authenticator?.signal() }
        }
    }
}

// MARK: - The one ZAP handler

extension Context {
    /// - Throws: `EADDRINUSE` when the context has a ZAP handler already.
    func registerAuthenticator(_ wakeup: Wakeup) throws(ZeroMQError) {
        let isFirst = state.withLock { state in
            guard state.authenticator == nil else { return false }
            state.authenticator = wakeup
            return true
        }
        guard isFirst else {
            throw ZeroMQError(
                number: EADDRINUSE, operation: "start a ZAP handler", message: "this context has one already",
                hint: "A context has one ZAP handler for all its sockets: share it")
        }
    }

    /// Lets the ZAP handler go, if no CURVE server needs it any more; from then on no new one can be opened.
    func retireAuthenticator() -> Bool {
        state.withLock { state in
            guard state.openServers == 0 else { return false }
            state.authenticator = nil
            return true
        }
    }
}
