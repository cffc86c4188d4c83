import CZeroMQ
import Glibc

/// The raw socket with its two message slots. One owner (`Socket`) closes it; a `Poller` may hold it longer and then
/// sees it closed, so no pointer of a closed socket ever reaches libzmq.
@safe final class SocketHandle {
    let context: Context
    let kind: Socket.Kind
    private let isCurveServer: Bool
    private(set) var pointer: UnsafeMutableRawPointer?

    // Messages of up to 33 bytes live inside the struct, so the structs have to stay where they are: on the heap.
    private let inbound: UnsafeMutablePointer<zmq_msg_t>
    private let outbound: UnsafeMutablePointer<zmq_msg_t>
    private let outboundRoute: UnsafeMutablePointer<zmq_msg_t>

    init(_ context: Context, _ kind: Socket.Kind, isCurveServer: Bool) throws(ZeroMQError) {
        self.context = context
        self.kind = kind
        self.isCurveServer = isCurveServer
        unsafe pointer = try context.open(type: kind.type, isCurveServer: isCurveServer)
        unsafe inbound = .allocate(capacity: 1)
        unsafe outbound = .allocate(capacity: 1)
        unsafe outboundRoute = .allocate(capacity: 1)
        unsafe zmq_msg_init(inbound)
        unsafe zmq_msg_init(outbound)
        unsafe zmq_msg_init(outboundRoute)
    }

    deinit {
        close()
        unsafe Self.free(inbound)
        unsafe Self.free(outbound)
        unsafe Self.free(outboundRoute)
    }

    private static func free(_ slot: UnsafeMutablePointer<zmq_msg_t>) {
        unsafe zmq_msg_close(slot)
        unsafe slot.deallocate()
    }

    func close() {
        guard let open = unsafe pointer else { return }
        unsafe pointer = nil
        unsafe context.close(open, isCurveServer: isCurveServer)
    }
}

// MARK: - Options and endpoints

extension SocketHandle {
    func set(_ option: Int32, _ value: Int) throws(ZeroMQError) {
        var number = Int32(clamping: value)
        guard unsafe zmq_setsockopt(pointer, option, &number, MemoryLayout<Int32>.size) == 0 else {
            throw .last("set socket option \(option) to \(value)")
        }
    }

    func set(_ option: Int32, wide value: Int64) throws(ZeroMQError) {
        var number = value
        guard unsafe zmq_setsockopt(pointer, option, &number, MemoryLayout<Int64>.size) == 0 else {
            throw .last("set socket option \(option) to \(value)")
        }
    }

    func set(_ option: Int32, bytes: [UInt8]) throws(ZeroMQError) {
        guard unsafe bytes.withUnsafeBytes({ unsafe zmq_setsockopt(pointer, option, $0.baseAddress, $0.count) }) == 0
        else {
            throw .last("set socket option \(option)")
        }
    }

    /// The address of the last `bind`, with the port that `*` became.
    func lastEndpoint() throws(ZeroMQError) -> String {
        var text = [CChar](repeating: 0, count: 1_024)
        var length = text.count
        guard unsafe zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else {
            throw .last("read a socket's last endpoint")
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func bind(_ endpoint: String) throws(ZeroMQError) {
        unsafe try call("bind", endpoint) { unsafe zmq_bind($0, $1) }
    }

    func connect(_ endpoint: String) throws(ZeroMQError) {
        unsafe try call("connect", endpoint) { unsafe zmq_connect($0, $1) }
    }

    func unbind(_ endpoint: String) throws(ZeroMQError) {
        unsafe try call("unbind", endpoint) { unsafe zmq_unbind($0, $1) }
    }

    func disconnect(_ endpoint: String) throws(ZeroMQError) {
        unsafe try call("disconnect", endpoint) { unsafe zmq_disconnect($0, $1) }
    }

    /// - Parameter endpoint: nil stops the monitor.
    func monitor(at endpoint: String?, events: Int32) throws(ZeroMQError) {
        let result =
            if let endpoint {
                unsafe endpoint.withCString { unsafe zmq_socket_monitor(pointer, $0, events) }
            } else {
                unsafe zmq_socket_monitor(pointer, nil, 0)
            }
        guard result == 0 else { throw .last("monitor a socket") }
    }

    private func call(
        _ name: String, _ endpoint: String, _ body: (UnsafeMutableRawPointer?, UnsafePointer<CChar>) -> Int32
    ) throws(ZeroMQError) {
        // libzmq may be interrupted while it processes its own commands, before it did anything of what was asked.
        while unsafe endpoint.withCString({ unsafe body(pointer, $0) }) != 0 {
            guard zmq_errno() == EINTR else { throw .last("\(name) \(endpoint)") }
        }
    }
}

// MARK: - Receiving frames

extension SocketHandle {
    /// Takes the next frame that waits into the inbound slot; false when none does.
    func receiveFrame() throws(ZeroMQError) -> Bool {
        while unsafe zmq_msg_recv(inbound, pointer, ZMQ_DONTWAIT) < 0 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return false
            default: throw .last("receive")
            }
        }
        return true
    }

    /// Bytes of the frame in the inbound slot. The size is the frame's own, never what a caller's buffer could hold.
    var frameSize: Int { unsafe zmq_msg_size(inbound) }

    /// Whether the message of the frame in the inbound slot has more frames.
    var hasMoreFrames: Bool { unsafe zmq_msg_more(inbound) != 0 }

    /// A copy of the frame in the inbound slot.
    func copyFrame() -> [UInt8] {
        let size = frameSize
        guard size > 0, let data = unsafe zmq_msg_data(inbound) else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { target, initialized in
            if let start = target.baseAddress { unsafe memcpy(start, data, size) }
            initialized = size
        }
    }

    /// The inbound frame as bytes, valid inside `body` only.
    func withFrame<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        unsafe body(UnsafeRawBufferPointer(start: zmq_msg_data(inbound), count: frameSize))
    }

    /// The `User-Id` that the ZAP handler gave to the sender of the inbound frame, valid inside `body` only.
    func withUserID<R>(_ body: (UnsafePointer<CChar>) -> R) -> R? {
        unsafe zmq_msg_gets(inbound, "User-Id").map { unsafe body($0) }
    }

    /// The descriptor of the connection that the inbound frame came from; nil for `inproc`.
    var sourceDescriptor: Int32? {
        let descriptor = unsafe zmq_msg_get(inbound, ZMQ_SRCFD)
        return descriptor < 0 ? nil : descriptor
    }

    /// Frees the inbound frame now rather than at the next receive, since it may be big.
    func releaseFrame() {
        unsafe zmq_msg_close(inbound)
        unsafe zmq_msg_init(inbound)
    }

    /// Drops the rest of the message whose frame is in the inbound slot, one frame at a time, so that a message of any
    /// number of parts costs no memory here. libzmq hands over whole messages only, so all its frames are there
    /// already.
    /// - Returns: the number of frames dropped.
    func dropRemainingFrames() throws(ZeroMQError) -> Int {
        var dropped = 0
        while hasMoreFrames, try receiveFrame() { dropped += 1 }
        return dropped
    }
}

// MARK: - Sending frames

extension SocketHandle {
    /// Which of the two outbound slots: a routed message fills both before it sends the first, so that running out of
    /// memory cannot leave half a message behind.
    enum Slot { case route, payload }

    /// Copies bytes into an outbound slot.
    func fill(_ slot: Slot, with bytes: UnsafeRawBufferPointer) throws(ZeroMQError) {
        let message = unsafe message(in: slot)
        unsafe zmq_msg_close(message)
        guard unsafe zmq_msg_init_size(message, bytes.count) == 0 else {
            let failure = ZeroMQError.last("make a message of \(bytes.count) bytes")
            unsafe zmq_msg_init(message)
            throw failure
        }
        if bytes.count > 0, let source = bytes.baseAddress, let target = unsafe zmq_msg_data(message) {
            unsafe memcpy(target, source, bytes.count)
        }
    }

    /// Sends the frame of an outbound slot without waiting.
    func sendFrame(_ slot: Slot, more: Bool) throws(ZeroMQError) -> SendResult {
        let flags = more ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT
        while unsafe zmq_msg_send(message(in: slot), pointer, flags) < 0 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EHOSTUNREACH: return .unreachable
            default: throw .last("send")
            }
        }
        return .sent
    }

    /// Frees what a refused send left in the outbound slots.
    func releaseOutbound() {
        for slot in [Slot.route, .payload] {
            unsafe zmq_msg_close(message(in: slot))
            unsafe zmq_msg_init(message(in: slot))
        }
    }

    private func message(in slot: Slot) -> UnsafeMutablePointer<zmq_msg_t> {
        switch slot {
        case .route: unsafe outboundRoute
        case .payload: unsafe outbound
        }
    }
}
