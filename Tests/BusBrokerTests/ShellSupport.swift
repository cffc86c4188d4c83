import BusDirectory
import BusProtocol
import Foundation
import Glibc
import Logging
import Testing

@testable import BusBroker
@testable import ZeroMQ

/// Long enough for a loaded machine; nobody waits that long when things work.
let patience = Duration.seconds(20)

struct NothingCame: Error { var what: String }

/// Looks again and again until the condition holds or the patience ends.
func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    let end = ContinuousClock.now.advanced(by: patience)
    while ContinuousClock.now < end {
        if try condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw NothingCame(what: what)
}

struct KeyPair: Sendable {
    let publicKey: CurveKey
    let secret: CurveSecretKey
    init() throws { (publicKey, secret) = try CurveKey.generatePair() }
}

/// A broker on a free port with a folder of its own, and the keys of its agents.
final class BrokerHouse {
    let folder: String
    let server: KeyPair
    let register: KeyPair
    let portal: KeyPair
    let bank: KeyPair
    var broker: Broker

    init() throws {
        folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("kerege-broker-\(UUID().uuidString)").path
        (server, register, portal, bank) = (try KeyPair(), try KeyPair(), try KeyPair(), try KeyPair())
        broker = try Self.start(folder, server, try Self.space(register, portal, bank))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func space(
        _ register: KeyPair, _ portal: KeyPair, _ bank: KeyPair, _ change: (inout Space) -> Void = { _ in }
    ) throws -> Space {
        try Spaces.space(
            keys: Spaces.keys(register: register.publicKey.z85, portal: portal.publicKey.z85, bank: bank.publicKey.z85),
            change)
    }

    static func start(_ folder: String, _ server: KeyPair, _ space: Space, listen: String = "tcp://127.0.0.1:*") throws
        -> Broker
    {
        var logger = Logger(label: "broker")
        logger.logLevel = .critical
        return try Broker(
            BrokerConfiguration(listen: listen, data: folder, name: "test", secretKey: server.secret, space: space),
            logger: logger)
    }

    func restart(_ change: (inout Space) -> Void = { _ in }) throws {
        broker = try Self.start(folder, server, try Self.space(register, portal, bank, change))
    }

    func agent(_ keys: KeyPair, _ systems: [String], routingID: [UInt8]? = nil) throws -> RawAgent {
        try RawAgent(broker.endpoint, server.publicKey, keys, systems, routingID: routingID)
    }

    func counters() -> BrokerCounters { broker.readModel.overview.counters }
}

/// A DEALER with CURVE that writes frames by hand.
final class RawAgent {
    private let context: Context
    private var socket: Socket
    private let systems: [String]
    private var sent: UInt64 = 0

    init(_ endpoint: String, _ server: CurveKey, _ keys: KeyPair, _ systems: [String], routingID: [UInt8]? = nil) throws
    {
        self.systems = systems
        context = try Context()
        var options = SocketOptions()
        options.curve = .client(server: server, public: keys.publicKey, secret: keys.secret)
        options.lingerMs = 0
        options.reconnectMs = 20
        options.maxMessageSize = 16 * 1024 * 1024
        options.sendHighWater = 100_000
        options.receiveHighWater = 100_000
        options.routingID = routingID
        socket = try Socket(context, .dealer, options: options)
        try socket.connect(endpoint)
    }

    func isConnected(within limit: Duration = patience) throws -> Bool {
        var poller = Poller()
        poller.add(socket, for: .writable)
        return try poller.wait(atMost: limit) > 0
    }

    func send(_ frame: [UInt8]) throws {
        guard try isConnected(), try socket.send(frame) == .sent else { throw NothingCame(what: "a way to the broker") }
    }

    func send(parts: [[UInt8]], unfinished: Bool = false) throws {
        guard try isConnected() else { throw NothingCame(what: "a way to the broker") }
        for (index, part) in parts.enumerated() {
            _ = try socket.sendPart(part, more: unfinished || index < parts.count - 1)
        }
    }

    func hello() throws {
        sent = 0
        let hello = Hello(instance: .random(in: 1 ... .max), agent: "raw", software: "test", systems: systems)
        var head = FrameHead(.hello)
        head.messageLimit = 100_000
        head.byteLimit = .max / 4
        try send(head.frame(hello.encoded()))
    }

    func submit(_ header: Header, _ body: [UInt8]) throws {
        sent += 1
        var head = FrameHead(.submit)
        head.sequence = sent
        head.messageLimit = 100_000
        head.byteLimit = .max / 4
        try send(EnvelopeFrame.encode(head, [OutgoingEnvelope(header: header.encoded()[...], body: body[...])]))
    }

    /// The next frame of one command; others are passed over. PINGs are answered.
    func next(_ command: Command, within limit: Duration = patience) throws -> [UInt8] {
        var poller = Poller()
        poller.add(socket)
        let end = ContinuousClock.now.advanced(by: limit)
        repeat {
            while let received = try socket.receive() {
                let head = try received.payload.reading { raw throws(Fault) in try FrameHead(raw) }
                if head.command == command { return received.payload }
                if head.command == .ping { try send(FrameHead(.pong).frame(Array(received.payload[48..<56]))) }
            }
            try poller.wait(atMost: ContinuousClock.now.duration(to: end))
        } while ContinuousClock.now < end
        throw NothingCame(what: "a frame \(command)")
    }

    /// Takes everything that waits; the number of it.
    func drain() throws -> Int {
        var count = 0
        while try socket.receive() != nil { count += 1 }
        return count
    }

    func welcome() throws -> Welcome {
        let frame = try next(.welcome)
        return try frame.reading { raw throws(Fault) in
            var reader = try FrameHead(raw).fields(of: raw)
            return try Welcome(&reader)
        }
    }

    func error() throws -> UInt16 {
        let frame = try next(.error)
        return try frame.reading { raw throws(Fault) in
            var reader = try FrameHead(raw).fields(of: raw)
            return try FaultNotice(&reader).code
        }
    }

    func acceptance() throws -> Acceptance {
        let frame = try next(.accept)
        return try frame.reading { raw throws(Fault) in
            var reader = try FrameHead(raw).fields(of: raw)
            return try Acceptance(&reader)
        }
    }

    /// The first message of the next DELIVER.
    func delivered() throws -> (header: Header, body: [UInt8]) {
        let frame = try next(.deliver)
        var found: [(Header, [UInt8])] = []
        _ = try frame.reading { raw throws(Fault) in
            try EnvelopeFrame.decode(raw, try FrameHead(raw)) { _, result in
                if case .success(let view) = result, let header = try? Header(decoding: raw, in: view.header.range) {
                    found.append((header, Array(raw[view.body])))
                }
            }
        }
        return try #require(found.first)
    }

    func request(_ ids: inout MessageIDSource) -> Header {
        var header = Header(kind: .request, id: ids.next(unixMilliseconds: 1_790_000_000_000), created: 0)
        header.target = Spaces.record
        header.consumer = systems.first ?? ""
        header.remaining = 20_000
        return header
    }

    func reply(to request: MessageID, _ ids: inout MessageIDSource) -> Header {
        var header = Header(kind: .reply, id: ids.next(unixMilliseconds: 1_790_000_000_000), created: 0)
        header.correlation = request
        header.target = Spaces.record
        return header
    }
}

/// Bytes of this process in memory.
func residentBytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
}
