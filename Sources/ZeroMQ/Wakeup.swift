import CZeroMQ
import Glibc
import Synchronization

/// Wakes the thread that owns a socket out of its `Poller`: any thread signals, the owner drains.
///
/// Put the work in a queue first, then `signal()`; the owner drains first, then takes the whole queue. In that order
/// nothing is ever left behind, and signals between two drains cost one system call together.
package struct Wakeup: Sendable {
    private let event: EventDescriptor

    /// - Throws: `ZeroMQError` when the process is out of file descriptors.
    package init() throws(ZeroMQError) {
        event = try EventDescriptor()
    }

    /// Readable while a signal waits. Closed with the last copy of this value.
    package var fileDescriptor: Int32 { event.descriptor }

    /// Wakes the owner. May be called from any thread, never blocks.
    package func signal() {
        guard !event.pending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        event.write()
    }

    /// Takes all signals so far; true when there was one. Only the owner calls this, before it takes its queue.
    @discardableResult
    package func drain() -> Bool {
        event.read()
        return event.pending.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// Waits for a signal and leaves it there.
    /// - Returns: false when the time ran out first.
    package func wait(atMost limit: Duration) -> Bool {
        let deadline = Deadline(after: limit)
        var item = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = unsafe poll(&item, 1, deadline.remainingMilliseconds)
            if ready > 0 { return true }
            if ready == 0 && deadline.hasPassed { return false }
        }
    }
}

private final class EventDescriptor: Sendable {
    let descriptor: Int32
    /// True from a signal's write until the owner's drain, so that signals in between need no system call.
    let pending = Atomic(false)

    init() throws(ZeroMQError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw .failure(errno, "create a wakeup") }
    }

    deinit { close(descriptor) }

    func write() {
        var one: UInt64 = 1
        // EAGAIN would mean 2^64 - 2 signals wait already: the descriptor is readable, which is all a signal wants.
        while unsafe Glibc.write(descriptor, &one, MemoryLayout<UInt64>.size) < 0 && errno == EINTR {}
    }

    func read() {
        var count: UInt64 = 0
        while unsafe Glibc.read(descriptor, &count, MemoryLayout<UInt64>.size) < 0 && errno == EINTR {}
    }
}
