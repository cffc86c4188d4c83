import Foundation
import Glibc

/// One HTTP/1.1 request to this machine and its response, over a socket of its own, with a deadline over all of it.
struct HTTPExchange: Sendable {
    struct Response: Sendable {
        var status: Int
        var body: Data
    }

    /// Why there is no response.
    struct Problem: Error, Sendable, CustomStringConvertible {
        let description: String
        /// The time was over before the answer was there.
        var isLate = false
    }

    /// Largest response that is taken, bytes.
    static let largestResponse = 64 * 1024 * 1024
    private static let chunk = 64 * 1024

    let host: String
    let port: UInt16

    func send(
        _ method: String, _ path: String, token: String?, body: Data?, within limit: Duration
    ) throws(Problem) -> Response {
        let deadline = ContinuousClock.now + limit
        let socket = try connect(deadline)
        defer { close(socket) }
        var head =
            "\(method) \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nConnection: close\r\nAccept: application/json\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if let body { head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n" }
        try write(Array((head + "\r\n").utf8) + (body.map(Array.init) ?? []), to: socket, deadline)
        return try Self.parse(try readAll(socket, deadline))
    }

    /// Whether something listens there at all.
    func isListening(within limit: Duration) -> Bool {
        guard let socket = try? connect(ContinuousClock.now + limit) else { return false }
        close(socket)
        return true
    }

    // MARK: - Socket

    private func connect(_ deadline: ContinuousClock.Instant) throws(Problem) -> Int32 {
        let family = host.contains(":") ? AF_INET6 : AF_INET
        let descriptor = socket(
            family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw Self.problem("no socket") }
        if start(descriptor, family) != 0, errno != EINPROGRESS {
            defer { close(descriptor) }
            throw Self.problem("cannot connect to \(host):\(port)")
        }
        do throws(Problem) { try wait(descriptor, POLLOUT, deadline) } catch {
            close(descriptor)
            throw error
        }
        var failure: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
        guard failure == 0 else {
            close(descriptor)
            throw Problem(description: "cannot connect to \(host):\(port): \(String(cString: strerror(failure)))")
        }
        return descriptor
    }

    private func start(_ descriptor: Int32, _ family: Int32) -> Int32 {
        if family == AF_INET6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            inet_pton(AF_INET6, host, &address.sin6_addr)
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func wait(_ descriptor: Int32, _ events: Int32, _ deadline: ContinuousClock.Instant) throws(Problem) {
        while true {
            let left = (deadline - .now) / .milliseconds(1)
            guard left > 0 else { throw Problem(description: "\(host):\(port) did not answer in time", isLate: true) }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let found = poll(&entry, 1, Int32(min(left, 60_000)) + 1)
            if found > 0 { return }
            if found < 0, errno != EINTR { throw Self.problem("waiting for \(host):\(port) failed") }
        }
    }

    private func write(_ bytes: [UInt8], to socket: Int32, _ deadline: ContinuousClock.Instant) throws(Problem) {
        var sent = 0
        while sent < bytes.count {
            try wait(socket, POLLOUT, deadline)
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(socket, raw.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno != EAGAIN, errno != EINTR {
                throw Self.problem("sending to \(host):\(port) failed")
            }
        }
    }

    private func readAll(_ socket: Int32, _ deadline: ContinuousClock.Instant) throws(Problem) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        while true {
            try wait(socket, POLLIN, deadline)
            let count = recv(socket, &buffer, buffer.count, 0)
            if count == 0 { return received }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { continue }
                throw Self.problem("\(host):\(port) broke off")
            }
            received += buffer[..<count]
            guard received.count <= Self.largestResponse else {
                throw Problem(description: "the answer is larger than \(Self.largestResponse) bytes")
            }
            if Self.isComplete(received) { return received }
        }
    }

    private static func problem(_ what: String) -> Problem {
        Problem(description: "\(what): \(String(cString: strerror(errno)))")
    }

    // MARK: - HTTP

    private static let headEnd = Array("\r\n\r\n".utf8)

    private static func head(of bytes: [UInt8]) -> (fields: [Substring], bodyStart: Int)? {
        guard let end = bytes.firstRange(of: headEnd) else { return nil }
        let text = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        return (text.split(separator: "\r\n", omittingEmptySubsequences: true), end.upperBound)
    }

    private static func length(_ fields: [Substring]) -> Int? {
        let name = "content-length:"
        return fields.first { $0.lowercased().hasPrefix(name) }.flatMap {
            Int($0.dropFirst(name.count).drop { $0 == " " })
        }
    }

    private static func isComplete(_ bytes: [UInt8]) -> Bool {
        guard let (fields, start) = head(of: bytes), let length = length(fields) else { return false }
        return bytes.count - start >= length
    }

    /// The admin API always says how long its bodies are.
    private static func parse(_ bytes: [UInt8]) throws(Problem) -> Response {
        guard let (fields, start) = head(of: bytes), let line = fields.first, line.hasPrefix("HTTP/1.1 "),
            let status = Int(line.dropFirst(9).prefix(3)), let length = length(fields), bytes.count - start >= length
        else { throw Problem(description: "the answer is not whole HTTP/1.1") }
        return Response(status: status, body: Data(bytes[start..<start + length]))
    }
}
