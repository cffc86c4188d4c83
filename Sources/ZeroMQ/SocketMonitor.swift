import CZeroMQ
import Glibc

/// What happens to the connections of a socket, as values. Belongs to the thread that owns the socket; poll `events`
/// together with it and take what waits, since unread events are kept without limit (a limit would stop the I/O thread
/// instead).
package struct SocketMonitor: ~Copyable {
    private let watched: SocketHandle
    /// Add this to a `Poller`; it is readable while events wait.
    package private(set) var events: Socket

    package struct Event: Hashable, Sendable {
        package let kind: Kind
        /// The local or remote address, as libzmq gives it.
        package let endpoint: String
    }

    package enum Kind: Hashable, Sendable {
        case listening(fileDescriptor: Int32)
        case connected(fileDescriptor: Int32)
        case accepted(fileDescriptor: Int32)
        /// The process or the system is out of descriptors: `number` is the errno.
        case acceptFailed(number: Int32)
        case disconnected(fileDescriptor: Int32)
        case handshakeSucceeded
        /// The ZAP handler answered this status, see `ZAPHandler.Refusing`. On the client (400 and 500 only) it also
        /// means that libzmq will not connect again: open a new socket.
        case handshakeRefused(status: Int32)
        /// The peer spoke another protocol or mechanism; the value is one of `ZMQ_PROTOCOL_ERROR_*`.
        case handshakeBroken(protocolError: Int32)
        /// The connection ended or timed out during the handshake: on a client, mostly a key that is not admitted
        /// (yet).
        case handshakeFailed(number: Int32)
        case retrying(afterMilliseconds: Int32)
        case other(event: Int32, value: Int32)
    }

    /// Starts to watch; make it before `bind` or `connect` to miss nothing.
    package init(_ socket: borrowing Socket) throws(ZeroMQError) {
        let handle = socket.handle
        let endpoint = "inproc://monitor-\(unsafe UInt(bitPattern: handle.pointer))"
        var reader = try Socket(handle.context, .pair)
        // No high-water mark, because libzmq's I/O thread writes the events and would wait for us.
        try reader.handle.set(ZMQ_RCVHWM, 0)
        try handle.monitor(at: endpoint, events: Int32(ZMQ_EVENT_ALL))
        try reader.connect(endpoint)
        watched = handle
        events = reader
    }

    deinit {
        // The socket may be closed already, which has stopped its monitor.
        if unsafe watched.pointer != nil { try? watched.monitor(at: nil, events: 0) }
    }

    /// The next event that waits, or nil.
    package mutating func next() throws(ZeroMQError) -> Event? {
        guard let parts = try events.receiveParts(maxParts: 2) else { return nil }
        guard parts.count == 2, parts[0].count == 6 else {
            throw .invalid("read a socket's events", "an event of a shape unknown to this libzmq")
        }
        // Host byte order: libzmq copies the numbers as they lie in memory.
        let event = UInt16(littleEndian: parts[0][0...1].reversed().reduce(0) { $0 << 8 | UInt16($1) })
        let value = UInt32(littleEndian: parts[0][2...5].reversed().reduce(0) { $0 << 8 | UInt32($1) })
        return Event(
            kind: Self.kind(event: Int32(event), value: Int32(bitPattern: value)),
            endpoint: String(decoding: parts[1], as: UTF8.self))
    }

    private static func kind(event: Int32, value: Int32) -> Kind {
        switch event {
        case ZMQ_EVENT_LISTENING: .listening(fileDescriptor: value)
        case ZMQ_EVENT_CONNECTED: .connected(fileDescriptor: value)
        case ZMQ_EVENT_ACCEPTED: .accepted(fileDescriptor: value)
        case ZMQ_EVENT_ACCEPT_FAILED: .acceptFailed(number: value)
        case ZMQ_EVENT_DISCONNECTED: .disconnected(fileDescriptor: value)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .handshakeSucceeded
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: .handshakeRefused(status: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: .handshakeBroken(protocolError: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: .handshakeFailed(number: value)
        case ZMQ_EVENT_CONNECT_RETRIED: .retrying(afterMilliseconds: value)
        default: .other(event: event, value: value)
        }
    }
}
