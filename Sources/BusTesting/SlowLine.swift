import Foundation
import Glibc

/// A slow line between an agent and the broker: every piece that passes is held back for a while, in both directions.
///
/// A relay of TCP on the loopback interface; what it carries stays encrypted. Closing it cuts the line.
public final class SlowLine: Sendable {
    /// Bytes taken at once. Pieces follow one another, so a line also has a bandwidth: one piece a delay.
    static let pieceBytes = 64 * 1024

    /// Where the agent connects.
    public let port: Int
    private let target: Int
    private let delayMicroseconds: UInt32
    private let state = Lock(State())

    private struct State {
        var listener: Int32 = -1
        var ends: [Int32] = []
        var isClosed = false
    }

    /// Listens on a free port and relays to `target`, both on 127.0.0.1.
    public init(to target: Int, delay: Duration) throws {
        self.target = target
        let (seconds, attoseconds) = delay.components
        delayMicroseconds = UInt32(clamping: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        let listener = Self.open()
        guard listener >= 0, let port = Self.listen(listener) else {
            throw MeshError("no slow line can be opened", remedy: "close programs that hold many sockets")
        }
        self.port = port
        state.withLock { $0.listener = listener }
        Thread.detachNewThread { [self] in takeConnections(listener) }
    }

    deinit { cut() }

    /// Ends every connection and takes no new ones.
    public func cut() {
        let ends = state.withLock { state in
            state.isClosed = true
            defer {
                state.ends = []
                state.listener = -1
            }
            return state.ends + [state.listener]
        }
        // `shutdown` wakes the threads that wait in these; each closes its own.
        for end in ends where end >= 0 { _ = shutdown(end, Int32(SHUT_RDWR)) }
    }

    private func takeConnections(_ listener: Int32) {
        defer { close(listener) }
        while true {
            let near = accept(listener, nil, nil)
            guard near >= 0 else { return }
            let far = Self.open()
            guard far >= 0, Self.connect(far, target), remember([near, far]) else {
                close(near)
                if far >= 0 { close(far) }
                continue
            }
            let pair = Pair(near, far)
            Thread.detachNewThread { [self] in carry(near, far, pair) }
            Thread.detachNewThread { [self] in carry(far, near, pair) }
        }
    }

    private func remember(_ ends: [Int32]) -> Bool {
        state.withLock { state in
            if !state.isClosed { state.ends += ends }
            return !state.isClosed
        }
    }

    private func carry(_ from: Int32, _ to: Int32, _ pair: Pair) {
        var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
        while true {
            let count = recv(from, &piece, piece.count, 0)
            guard count > 0 else { break }
            usleep(delayMicroseconds)
            guard Self.sendAll(to, piece[0..<count]) else { break }
        }
        _ = shutdown(from, Int32(SHUT_RDWR))
        _ = shutdown(to, Int32(SHUT_RDWR))
        if pair.isLast() {
            state.withLock { state in state.ends.removeAll { $0 == from || $0 == to } }
            close(from)
            close(to)
        }
    }

    private static func sendAll(_ to: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// The two directions of a connection; the second to end closes both sockets.
    private final class Pair: Sendable {
        private let left = Lock(2)
        init(_: Int32, _: Int32) {}
        func isLast() -> Bool {
            left.withLock { left in
                left -= 1
                return left == 0
            }
        }
    }

    // MARK: - Sockets of the loopback interface

    private static func open() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }

    private static func listen(_ descriptor: Int32) -> Int? {
        withAddress(port: 0) { address, size in
            guard bind(descriptor, address, size) == 0, Glibc.listen(descriptor, 64) == 0 else { return nil }
            var size = size
            guard getsockname(descriptor, address, &size) == 0 else { return nil }
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
    }

    private static func connect(_ descriptor: Int32, _ port: Int) -> Bool {
        withAddress(port: UInt16(clamping: port)) { address, size in Glibc.connect(descriptor, address, size) == 0 }
    }

    /// The pointer lives for the call only.
    private static func withAddress<Result>(
        port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
