import BusDirectory
import BusProtocol

@testable import BusAgent

/// Frames as a broker would write them, and a reader of what the agent sent. No sockets, no time of its own.
struct ScriptedBroker {
    var messageLimit: UInt64 = 1000
    var byteLimit: UInt64 = 1 << 20
    var heartbeatMilliseconds: UInt32 = 1000
    var treeSize: UInt64 = 0
    var delivered: UInt64 = 0
    var session: UInt64 = 6

    func head(_ command: Command) -> FrameHead {
        var head = FrameHead(command)
        head.messageLimit = messageLimit
        head.byteLimit = byteLimit
        return head
    }

    static func root(_ size: UInt64) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: size), count: 32) }

    mutating func welcome(_ change: (inout Welcome) -> Void = { _ in }) -> [UInt8] {
        delivered = 0
        session += 1
        var welcome = Welcome(
            heartbeatMilliseconds: heartbeatMilliseconds, session: session, broker: 1, spaceVersion: 1,
            treeSize: treeSize,
            root: Self.root(treeSize), name: "scripted")
        change(&welcome)
        return head(.welcome).frame(welcome.encoded())
    }

    mutating func accept(_ sequence: UInt64, refused: [Acceptance.Refused] = []) -> [UInt8] {
        treeSize += 1
        let acceptance = Acceptance(sequence: sequence, treeSize: treeSize, root: Self.root(treeSize), refused: refused)
        return head(.accept).frame(acceptance.encoded())
    }

    func space(_ space: SignedSpace) -> [UInt8] {
        let fields = SpaceFrame(
            version: space.snapshot.version, signature: space.signature, canonical: space.snapshot.canonical)
        return head(.space).frame(fields.encoded())
    }

    func credit() -> [UInt8] { head(.credit).frame() }
    func ping(_ token: UInt64) -> [UInt8] { head(.ping).frame(Heartbeat.encode(token)) }
    func bye() -> [UInt8] { head(.bye).frame() }
    func drain() -> [UInt8] { head(.drain).frame() }
    func error(_ code: FaultCode) -> [UInt8] {
        head(.error).frame(FaultNotice(Fault(code, at: .broker, "scripted"), at: .broker).encoded())
    }

    mutating func reply(to request: MessageID, outcome: FaultCode? = nil, body: [UInt8] = [1, 2]) -> [UInt8] {
        var header = Header(kind: .reply, id: Self.id(9_000_000 + delivered), created: 5)
        header.correlation = request
        header.outcome = outcome?.number ?? 0
        return deliver(header, body)
    }

    mutating func request(_ service: String, body: [UInt8] = [7], position: UInt64 = 1) -> [UInt8] {
        var header = Header(kind: .request, id: Self.id(8_000_000 + delivered), created: 5)
        header.target = service
        header.consumer = "portal"
        header.remaining = 5000
        return deliver(header, body, position: position)
    }

    mutating func event(_ name: String, position: UInt64, body: [UInt8] = [7]) -> [UInt8] {
        var header = Header(kind: .event, id: Self.id(7_000_000 + position), created: 5)
        header.target = name
        return deliver(header, body, position: position)
    }

    mutating func deliver(_ header: Header, _ body: [UInt8], position: UInt64 = 0) -> [UInt8] {
        var head = head(.deliver)
        head.sequence = delivered + 1
        delivered += 1
        var annotations = Annotations()
        annotations.position = position
        annotations.attempt = 1
        return EnvelopeFrame.encode(
            head, [OutgoingEnvelope(header: header.encoded()[...], body: body[...], annotations: annotations)])
    }

    static func id(_ number: UInt64) -> MessageID {
        MessageID(value: UInt128(1_700_000_000_000) << 80 | UInt128(7) << 76 | UInt128(2) << 62 | UInt128(number))
    }
}

/// One envelope the agent sent, as the broker sees it.
struct Seen: Equatable {
    let header: [UInt8]
    let body: [UInt8]
    let id: MessageID
    let kind: MessageKind
}

/// A core with its clock and everything it asked for, sorted by kind.
struct CoreBench {
    var core: AgentCore
    var now: UInt64 = 1_000_000
    var actions: [AgentAction] = []

    init(
        timing: AgentTiming = AgentTiming(), seed: UInt64 = 42, receipt: LogReceipt = .none,
        trust: SpaceTrust = SpaceTrust(authority: nil), isGuest: Bool = false
    ) {
        core = AgentCore(
            AgentCore.Identity(
                agent: "portal-1", systems: ["portal"], instance: 77, software: "test", isGuest: isGuest),
            timing: timing,
            receipt: receipt, trust: trust, started: 1_000_000, random: SplitMix(seed))
    }

    var clock: ClockReading { ClockReading(now: now, wall: 1_700_000_000_000) }

    mutating func start() { core.start(clock, into: &actions) }
    mutating func open(_ broker: inout ScriptedBroker) {
        start()
        receive(broker.welcome())
        _ = take()
    }
    mutating func receive(_ frame: [UInt8]) {
        core.receive(frame, clock, into: &actions)
        core.flush(clock, into: &actions)
    }
    mutating func advance(milliseconds: UInt64) {
        now += milliseconds * 1000
        core.tick(clock, into: &actions)
        core.flush(clock, into: &actions)
    }
    mutating func submit(
        _ number: UInt64, kind: MessageKind = .request, body: [UInt8] = [1], deadlineMilliseconds: UInt64 = 5000,
        mayBeKnown: Bool = false
    ) {
        var header = Header(kind: kind, id: ScriptedBroker.id(number), created: 3)
        header.target = "individuals.person-get.v1"
        var submission = Submission(
            kind: kind, id: header.id, header: header.encoded(), body: body,
            deadline: now + deadlineMilliseconds * 1000, ticket: number)
        submission.mayBeKnown = mayBeKnown
        core.submit(submission, clock, into: &actions)
    }
    mutating func flush() { core.flush(clock, into: &actions) }
    /// What has been asked for since the last call.
    mutating func take() -> [AgentAction] {
        let taken = actions
        actions = []
        return taken
    }
}

extension [AgentAction] {
    var frames: [[UInt8]] { compactMap { if case .send(let frame) = $0 { frame } else { nil } } }
    var commands: [Command] { frames.compactMap { try? $0.withUnsafeBytes { try FrameHead($0) }.command } }
    func heads(_ command: Command) -> [FrameHead] {
        frames.compactMap { try? $0.withUnsafeBytes { try FrameHead($0) } }.filter { $0.command == command }
    }
    var completions: [(ticket: UInt64, completion: Completion)] {
        compactMap { if case .completed(let ticket, let completion) = $0 { (ticket, completion) } else { nil } }
    }
    var deliveries: [Delivery] { compactMap { if case .deliver(let delivery) = $0 { delivery } else { nil } } }
    var faults: [Fault] {
        completions.compactMap { if case .fault(let fault) = $0.completion { fault } else { nil } }
    }
    var reopens: Int { count { if case .reopen = $0 { true } else { false } } }

    /// Envelopes of all SUBMIT frames, in order.
    var submitted: [Seen] {
        var seen: [Seen] = []
        for frame in frames {
            frame.withUnsafeBytes { raw in
                guard let head = try? FrameHead(raw), head.command == .submit else { return }
                _ = try? EnvelopeFrame.decode(raw, head) { _, result in
                    guard case .success(let view) = result else { return }
                    seen.append(
                        Seen(
                            header: [UInt8](frame[view.header.range]), body: [UInt8](frame[view.body]),
                            id: view.header.id,
                            kind: view.header.kind))
                }
            }
        }
        return seen
    }

    func settlements(_ command: Command) -> [Settlement.Row] {
        frames.flatMap { frame -> [Settlement.Row] in
            frame.withUnsafeBytes { raw in
                guard let head = try? FrameHead(raw), head.command == command else { return [] }
                var fields = head.fields(of: raw)
                return (try? Settlement(&fields).rows) ?? []
            }
        }
    }
}

/// SplitMix64: small, seeded, the same everywhere.
struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
