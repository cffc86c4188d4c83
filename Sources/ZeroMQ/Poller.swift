import CZeroMQ
import Glibc

/// What a `Poller` waits for, and what it found.
package struct PollEvents: OptionSet, Hashable, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }

    package static let readable = PollEvents(rawValue: Int16(ZMQ_POLLIN))
    package static let writable = PollEvents(rawValue: Int16(ZMQ_POLLOUT))
    /// Only of plain file descriptors: an error or a hang-up.
    package static let failed = PollEvents(rawValue: Int16(ZMQ_POLLERR))
}

/// Waits for sockets, wakeups and file descriptors at once (`zmq_poll`). Belongs to the thread that owns the sockets.
///
/// The loop of a socket thread: `wait`, then receive up to N messages from each ready socket, then drain the wakeup and
/// take the queued commands; and again. A ready socket stays ready until it is empty, so stopping after N loses
/// nothing.
@safe package struct Poller: ~Copyable {
    private var items: [zmq_pollitem_t] = unsafe []
    private var subjects: [Subject] = []

    /// Kept alive here; a socket closed by its owner is seen as closed before libzmq is asked.
    private enum Subject {
        case socket(SocketHandle)
        case wakeup(Wakeup)
        case fileDescriptor(Int32)
    }

    /// Names one entry of one poller, in the order of adding.
    package struct Entry: Hashable, Sendable {
        fileprivate let index: Int
    }

    package init() {}

    @discardableResult
    package mutating func add(_ socket: borrowing Socket, for events: PollEvents = .readable) -> Entry {
        add(.socket(socket.handle), events)
    }

    @discardableResult
    package mutating func add(_ wakeup: Wakeup) -> Entry {
        add(.wakeup(wakeup), .readable)
    }

    /// The descriptor stays the caller's, who keeps it open as long as it is polled.
    @discardableResult
    package mutating func add(fileDescriptor: Int32, for events: PollEvents = .readable) -> Entry {
        add(.fileDescriptor(fileDescriptor), events)
    }

    /// Changes what an entry waits for; an empty set pauses it.
    package mutating func wait(on entry: Entry, for events: PollEvents) {
        unsafe items[entry.index].events = events.rawValue
    }

    /// What the last `wait` found.
    package func found(_ entry: Entry) -> PollEvents {
        PollEvents(rawValue: unsafe items[entry.index].revents)
    }

    /// Waits until an entry is ready or the time is over; signals do not shorten it.
    /// - Parameter limit: zero only looks, nil waits without end.
    /// - Returns: the number of ready entries, 0 when the time was over.
    /// - Throws: `isShutdown` after the context's shutdown, `ENOTSOCK` when a socket was closed but is still polled.
    @discardableResult
    package mutating func wait(atMost limit: Duration?) throws(ZeroMQError) -> Int {
        try refreshPointers()
        let deadline = limit.map { Deadline(after: $0) }
        while true {
            let remaining = deadline.map { Int($0.remainingMilliseconds) } ?? -1
            let ready = unsafe items.withUnsafeMutableBufferPointer { buffer in
                unsafe zmq_poll(buffer.baseAddress, Int32(buffer.count), remaining)
            }
            if ready > 0 { return Int(ready) }
            if ready == 0 {
                // Shorter than asked happens: waits longer than a day come back here, and so do spurious wakeups.
                if deadline?.hasPassed ?? false { return 0 }
                continue
            }
            guard zmq_errno() == EINTR else { throw .last("wait for sockets") }
        }
    }

    private mutating func add(_ subject: Subject, _ events: PollEvents) -> Entry {
        let descriptor: Int32 =
            switch subject {
            case .socket: -1
            case .wakeup(let wakeup): wakeup.fileDescriptor
            case .fileDescriptor(let descriptor): descriptor
            }
        unsafe items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: events.rawValue, revents: 0))
        subjects.append(subject)
        return Entry(index: subjects.count - 1)
    }

    private mutating func refreshPointers() throws(ZeroMQError) {
        for (index, subject) in subjects.enumerated() {
            unsafe items[index].revents = 0
            guard case .socket(let handle) = subject else { continue }
            guard let pointer = unsafe handle.pointer else { throw .failure(ENOTSOCK, "wait for sockets") }
            unsafe items[index].socket = unsafe pointer
        }
    }
}

@available(*, unavailable)
extension Poller: Sendable {}
