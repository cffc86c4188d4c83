import Testing

@testable import ZeroMQ

/// All tests that open sockets, one after the other: some count descriptors and threads' time.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ZeroMQTests {}

/// Long enough for a loaded machine; nobody waits that long when things work.
let patience = Duration.seconds(20)
/// How long a test looks for something that must not happen.
let glimpse = Duration.milliseconds(300)

struct NothingCame: Error {}

func context() throws -> Context { try Context() }

func options(_ change: (inout SocketOptions) -> Void = { _ in }) -> SocketOptions {
    var options = SocketOptions()
    options.lingerMs = 0
    options.reconnectMs = 10
    change(&options)
    return options
}

/// A socket bound to a free port of this host.
func bound(_ context: Context, _ kind: Socket.Kind, _ options: SocketOptions = options()) throws -> Socket {
    var socket = try Socket(context, kind, options: options)
    try socket.bind("tcp://127.0.0.1:*")
    return socket
}

func connected(
    _ context: Context, _ kind: Socket.Kind, _ endpoint: String, _ options: SocketOptions = options()
) throws -> Socket {
    var socket = try Socket(context, kind, options: options)
    try socket.connect(endpoint)
    return socket
}

/// The next message, nil when none comes in time.
func next(
    _ socket: inout Socket, within limit: Duration = patience, limits: ReceiveLimits = ReceiveLimits()
) throws -> Received? {
    var poller = Poller()
    poller.add(socket)
    let end = ContinuousClock.now.advanced(by: limit)
    repeat {
        if let received = try socket.receive(limits: limits) { return received }
        try poller.wait(atMost: ContinuousClock.now.duration(to: end))
    } while ContinuousClock.now < end
    return try socket.receive(limits: limits)
}

func expectNext(_ socket: inout Socket) throws -> Received {
    guard let received = try next(&socket) else { throw NothingCame() }
    return received
}

/// Waits until the socket takes messages, which with `immediate` means that its peer's handshake is done.
func waitUntilWritable(_ socket: borrowing Socket, within limit: Duration = patience) throws -> Bool {
    var poller = Poller()
    poller.add(socket, for: .writable)
    return try poller.wait(atMost: limit) > 0
}

func expectSent(_ socket: inout Socket, _ payload: [UInt8]) throws {
    #expect(try waitUntilWritable(socket))
    #expect(try socket.send(payload) == .sent)
}
