import CZeroMQ
import Glibc
import Synchronization

/// A thread of its own for sockets: waiting in it blocks nobody else, least of all Swift's shared pool.
///
/// All signals but the processor's own faults are blocked from its first instruction on, so they go to other threads
/// and no call of libzmq is interrupted.
package final class SocketThread: Sendable {
    /// Linux keeps 15 bytes of a thread's name.
    package static let longestName = 15

    private let state: Mutex<State>

    // pthread_t is a number on Linux; it is joined at most once, under the lock.
    private enum State: Sendable {
        case running(pthread_t)
        case joined
    }

    /// Starts the thread. `body` opens the sockets it owns, and ends when a call says `isShutdown` or by its own word.
    /// - Throws: `EAGAIN` when the process may not have more threads.
    package convenience init(name: String, _ body: @escaping @Sendable () -> Void) throws(ZeroMQError) {
        try self.init(name: name, blocksSignals: true, body)
    }

    /// - Parameter blocksSignals: false lets tests interrupt the thread.
    init(name: String, blocksSignals: Bool, _ body: @escaping @Sendable () -> Void) throws(ZeroMQError) {
        let box = unsafe Unmanaged.passRetained(ThreadBody(name: name, run: body))
        var thread = pthread_t()
        let result = Self.whileSignals(blocked: blocksSignals) {
            unsafe pthread_create(&thread, nil, { unsafe ThreadBody.main($0) }, box.toOpaque())
        }
        guard result == 0 else {
            unsafe box.release()
            throw .failure(result, "start thread \(name)")
        }
        state = Mutex(.running(thread))
    }

    deinit {
        state.withLock { state in
            if case .running(let thread) = state { pthread_detach(thread) }
        }
    }

    /// Waits until the thread has ended. Calling it again, or from several threads, is fine; from the thread itself it
    /// returns at once.
    package func join() {
        state.withLock { state in
            guard case .running(let thread) = state, pthread_equal(thread, pthread_self()) == 0 else { return }
            pthread_join(thread, nil)
            state = .joined
        }
    }

    /// Waits until the thread has ended, or the time is over.
    /// - Returns: whether it has ended.
    package func join(atMost limit: Duration) -> Bool {
        let deadline = Deadline(after: limit)
        return state.withLock { state in
            guard case .running(let thread) = state else { return true }
            guard pthread_equal(thread, pthread_self()) == 0 else { return false }
            var moment = timespec()
            repeat {
                unsafe clock_gettime(CLOCK_MONOTONIC, &moment)
                moment.add(milliseconds: Int(deadline.remainingMilliseconds))
                if unsafe pthread_clockjoin_np(thread, nil, CLOCK_MONOTONIC, &moment) == 0 {
                    state = .joined
                    return true
                }
            } while !deadline.hasPassed
            return false
        }
    }

    /// Sends a signal to this very thread, for tests.
    func interrupt(with signal: Int32) {
        state.withLock { state in
            if case .running(let thread) = state { pthread_kill(thread, signal) }
        }
    }

    /// A thread inherits the mask of the one that starts it, so the mask is set around the start: no signal slips in
    /// between.
    private static func whileSignals(blocked: Bool, _ start: () -> Int32) -> Int32 {
        var mask = sigset_t()
        var before = sigset_t()
        unsafe sigemptyset(&mask)
        if blocked {
            unsafe sigfillset(&mask)
            // Blocking these would turn a crash report into a silent death.
            for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { unsafe sigdelset(&mask, fault) }
        }
        unsafe pthread_sigmask(SIG_SETMASK, &mask, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        return start()
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = String(decoding: name.utf8.prefix(SocketThread.longestName), as: UTF8.self)
        self.run = run
    }

    static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument = unsafe argument else { return nil }
        let body = unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
        unsafe pthread_setname_np(pthread_self(), body.name)
        body.run()
        return nil
    }
}

extension timespec {
    fileprivate mutating func add(milliseconds: Int) {
        let nanoseconds = tv_nsec + milliseconds % 1_000 * 1_000_000
        tv_sec += milliseconds / 1_000 + nanoseconds / 1_000_000_000
        tv_nsec = nanoseconds % 1_000_000_000
    }
}
