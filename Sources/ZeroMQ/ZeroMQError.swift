import CZeroMQ
import Glibc

/// A failed call of libzmq (or of the few system calls around it): what was tried, why it failed, what to do next.
package struct ZeroMQError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The error number: one of errno.h, or one of libzmq's own (`ETERM`, `EFSM`, …).
    package let number: Int32
    /// What was tried, with its subject: "bind tcp://127.0.0.1:7400".
    package let operation: String
    /// Why it failed.
    package let message: String
    /// What to do next; empty when there is nothing sensible to advise.
    package let hint: String

    package init(number: Int32, operation: String, message: String, hint: String = "") {
        self.number = number
        self.operation = operation
        self.message = message
        self.hint = hint
    }

    /// The context was shut down: the owner closes its sockets and ends. This is the normal way to stop a socket
    /// thread.
    package var isShutdown: Bool { number == ETERM }

    package var description: String {
        let reason = "\(operation): \(message) (error \(number))"
        return hint.isEmpty ? reason : "\(reason). \(hint)"
    }
}

extension ZeroMQError {
    /// The failure that libzmq just reported on this thread.
    static func last(_ operation: @autoclosure () -> String) -> ZeroMQError {
        failure(zmq_errno(), operation())
    }

    static func failure(_ number: Int32, _ operation: String) -> ZeroMQError {
        let message = unsafe zmq_strerror(number).map { unsafe String(cString: $0) } ?? "unknown error"
        return ZeroMQError(number: number, operation: operation, message: message, hint: hint(for: number))
    }

    /// A value refused before libzmq saw it.
    static func invalid(_ operation: String, _ message: String, hint: String = "") -> ZeroMQError {
        ZeroMQError(number: EINVAL, operation: operation, message: message, hint: hint)
    }

    private static func hint(for number: Int32) -> String {
        switch number {
        case EADDRINUSE: "Another process has this address: stop it or choose another port"
        case EADDRNOTAVAIL: "This host has no such address: use one of its own, or 0.0.0.0 for all"
        case EACCES: "This user may not use the address: ports below 1024 need a capability"
        case EMFILE: "Too many sockets: raise the context's maxSockets or the limit of open files (ulimit -n)"
        case ETERM: "The context is shut down: close the socket"
        case ENOTSOCK: "The socket is closed already"
        case EPROTONOSUPPORT: "Use tcp:// between processes or inproc:// inside one"
        default: ""
        }
    }
}
