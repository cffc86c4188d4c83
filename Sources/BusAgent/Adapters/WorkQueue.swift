import DequeModule
import Glibc
import ZeroMQ

/// Threads that take jobs from one queue, each with a thing of its own (a connection) that never leaves its thread.
///
/// `@unchecked Sendable`: everything mutable is touched under `lock` only.
final class WorkQueue<Tool>: @unchecked Sendable {
    typealias Job = @Sendable (Tool) -> Void

    private let limit: Int
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let ready: UnsafeMutablePointer<pthread_cond_t>
    private var jobs = Deque<Job>()
    private var isClosed = false
    private var threads: [SocketThread] = []

    /// - Parameters:
    ///   - limit: jobs that may wait.
    ///   - make: makes a thread's tool, on that thread.
    init(_ name: String, threads count: Int, limit: Int, _ make: @escaping @Sendable () throws -> Tool) throws {
        self.limit = limit
        // On the heap: both must keep their address as long as a thread may wait on them.
        lock = .allocate(capacity: 1)
        ready = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(ready, nil)
        for _ in 0..<count {
            let failure = Slot()
            let made = try Wakeup()
            let thread = try SocketThread(name: name) { [self] in
                do {
                    let tool = try make()
                    made.signal()
                    while let job = next() { job(tool) }
                } catch {
                    failure.error = error
                    made.signal()
                }
            }
            threads.append(thread)
            // A file that cannot be opened shows here, not at the first request.
            guard made.wait(atMost: .seconds(60)), failure.error == nil else {
                close()
                throw failure.error ?? BusFault.providerFault("a worker did not start")
            }
        }
    }

    deinit {
        pthread_cond_destroy(ready)
        pthread_mutex_destroy(lock)
        lock.deallocate()
        ready.deallocate()
    }

    /// Written by the worker before its signal, read after the wait: never at once.
    private final class Slot: @unchecked Sendable { var error: (any Error)? }

    /// - Returns: false when the queue is full or closed; the job will not run.
    func put(_ job: @escaping Job) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard !isClosed, jobs.count < limit else { return false }
        jobs.append(job)
        pthread_cond_signal(ready)
        return true
    }

    /// Jobs that no thread has begun.
    var waiting: Int {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return jobs.count
    }

    private func next() -> Job? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while true {
            if let job = jobs.popFirst() { return job }
            if isClosed { return nil }
            pthread_cond_wait(ready, lock)
        }
    }

    /// Lets waiting jobs finish, then ends the threads.
    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_cond_broadcast(ready)
        pthread_mutex_unlock(lock)
        for thread in threads { thread.join() }
    }
}
