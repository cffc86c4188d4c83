import Glibc

/// A peer that speaks ZMTP 3.0 by hand over TCP, to send what libzmq would not.
final class RawPeer {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard descriptor >= 0, result == 0 else { throw NothingCame() }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw NothingCame() }
    }

    /// Reads the other side's greeting and READY; a message sent earlier would break the handshake.
    func expectReady() throws {
        _ = try receive(Self.greeting.count)
        let header = try receive(2)
        guard header[0] == 4 else { throw NothingCame() }
        _ = try receive(Int(header[1]))
    }

    private func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var taken = 0
        while taken < count {
            guard poll(&waiting, 1, 20_000) > 0 else { throw NothingCame() }
            let result = bytes.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: taken), count - taken, 0)
            }
            guard result > 0 else { throw NothingCame() }
            taken += result
        }
        return bytes
    }

    /// Signature, version 3.0, mechanism NULL, not a server.
    static let greeting: [UInt8] =
        [0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, 0] + pad(Array("NULL".utf8), to: 20) + [UInt8](repeating: 0, count: 32)

    static func ready(_ properties: [(name: String, value: String)]) -> [UInt8] {
        var body: [UInt8] = [5] + Array("READY".utf8)
        for (name, value) in properties {
            body += [UInt8(name.utf8.count)] + Array(name.utf8)
            body += [0, 0, 0, UInt8(value.utf8.count)] + Array(value.utf8)
        }
        return [4, UInt8(body.count)] + body
    }

    private static func pad(_ bytes: [UInt8], to count: Int) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }
}
