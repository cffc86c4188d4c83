import Glibc
import Synchronization
import ZeroMQ

/// Remembers one thread, so that others can ask whether they are it.
final class ThreadMark: Sendable {
    private let thread = Atomic<UInt>(0)
    func set() { thread.store(UInt(pthread_self()), ordering: .relaxed) }
    func clear() { thread.store(0, ordering: .relaxed) }
    /// A thread always sees its own store, so relaxed order is enough.
    var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }
}

/// Runs Swift tasks on the socket thread, between receive and send: a task that asks in a loop switches no threads, and all
/// that a batch of answers sets free leaves again in one frame.
///
/// Work given to it must be short: it holds up the socket.
final class SocketThreadExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wakeup: Wakeup
    private let owner: ThreadMark

    init(_ wakeup: Wakeup, owner: ThreadMark) {
        self.wakeup = wakeup
        self.owner = owner
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (taken, wasEmpty) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.jobs.append(job)
            return (true, state.jobs.count == 1)
        }
        if !taken {
            // The thread has ended; tasks that preferred it still have to finish somewhere.
            globalConcurrentExecutor.enqueue(job)
        } else if wasEmpty, !owner.isCurrent {
            wakeup.signal()
        }
    }

    var isEmpty: Bool { state.withLock { $0.jobs.isEmpty } }

    /// Runs what waits now; what those jobs enqueue waits for the next call.
    func run(_ scratch: inout [UnownedJob]) {
        state.withLock { swap(&$0.jobs, &scratch) }
        let executor = asUnownedTaskExecutor()
        for job in scratch { job.runSynchronously(on: executor) }
        scratch.removeAll(keepingCapacity: true)
    }

    func close() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in left { globalConcurrentExecutor.enqueue(job) }
    }
}
