import BusProtocol

@testable import BusAgent

/// Frames for an agent's core with an open session, submissions under way and a delivery at work.
struct AgentFuzz: Sendable {
    private let core: AgentCore
    private let mutator: Mutator
    private static let clock = ClockReading(now: 1_000_000, wall: 1_790_000_000_000)

    init() throws {
        var core = AgentCore(
            AgentCore.Identity(agent: "portal-1", systems: ["portal"], instance: 77, software: "test"),
            timing: AgentTiming(), receipt: .none, started: Self.clock.now, random: SplitMix(1))
        var actions: [AgentAction] = []
        core.start(Self.clock, into: &actions)
        core.receive(Self.welcome(), Self.clock, into: &actions)
        for number in 1...4 as ClosedRange<UInt64> {
            let kind: MessageKind = number == 4 ? .event : .request
            var header = Header(kind: kind, id: BrokerFuzz.id(number), created: 3)
            header.target = "register.record-get.v1"
            core.submit(
                Submission(
                    kind: kind, id: header.id, header: header.encoded(), body: [1],
                    deadline: Self.clock.now + 5_000_000,
                    ticket: number), Self.clock, into: &actions)
        }
        core.flush(Self.clock, into: &actions)
        core.receive(Self.deliver(.event, 50, sequence: 1), Self.clock, into: &actions)
        guard core.isOpen else { throw Broken(what: "the session did not open") }
        self.core = core
        mutator = Mutator(
            vectors: Self.valid() + (try WireVectors.read("frames")) + (try WireVectors.read("lenient")),
            words: [Array("register.record-get.v1".utf8), Array("portal".utf8)], mend: WireVectors.mend)
    }

    var target: FuzzTarget {
        FuzzTarget(name: "agent", fewInputs: 3000) {
            mutator.grow(&$0)
        } judge: {
            try judge($0)
        }
    }

    private func judge(_ frame: [UInt8]) throws -> Verdict {
        var core = core
        var actions: [AgentAction] = []
        core.receive(frame, Self.clock, into: &actions)
        core.flush(Self.clock, into: &actions)
        // Whatever the broker said, everybody who waits is answered in the end, once.
        for step in 1...4 as ClosedRange<UInt64> {
            let later = ClockReading(now: Self.clock.now + step * 3_000_000, wall: Self.clock.wall + Int64(step) * 3000)
            core.tick(later, into: &actions)
            core.flush(later, into: &actions)
        }
        var outcomes: Set<String> = []
        var tickets: [UInt64: Int] = [:]
        for action in actions {
            switch action {
            case .send(let frame): outcomes.formUnion(try WireVectors.outcomes(written: frame).map { "sent \($0)" })
            case .completed(let ticket, let completion):
                tickets[ticket, default: 0] += 1
                switch completion {
                case .answer(let reply):
                    guard reply.body.upperBound <= reply.frame.count else {
                        throw Broken(what: "a body behind the end")
                    }
                    outcomes.insert("answer \(reply.outcome)")
                case .accepted: outcomes.insert("accepted")
                case .fault(let fault): outcomes.insert("fault \(fault.code.number)")
                }
            case .deliver(let delivery):
                guard delivery.envelope.body.upperBound <= delivery.frame.count else {
                    throw Broken(what: "a body behind the end")
                }
                outcomes.insert("deliver")
            case .disconnected(let fault): outcomes.insert("disconnected \(fault.code.number)")
            case .notice(let fault): outcomes.insert("notice \(fault.code.number)")
            case .reopen: outcomes.insert("reopen")
            case .welcomed: outcomes.insert("welcomed")
            case .remember: outcomes.insert("remember")
            case .keepCheckpoint: throw Broken(what: "a checkpoint was believed")
            case .keepFork: outcomes.insert("fork")
            case .inquired: outcomes.insert("inquired")
            case .keys: outcomes.insert("keys")
            case .wanted: outcomes.insert("wanted")
            case .inquiriesRefused(let fault): outcomes.insert("inquiries refused \(fault.code.number)")
            case .drained: outcomes.insert("drained")
            }
        }
        guard tickets.values.allSatisfy({ $0 == 1 }) else { throw Broken(what: "answered twice: \(tickets)") }
        guard (1...3 as ClosedRange<UInt64>).allSatisfy({ tickets[$0] == 1 }) else {
            throw Broken(what: "a request was never answered: \(tickets)")
        }
        return Verdict(isPastHead: WireVectors.isPastHead(frame), outcomes: Array(outcomes))
    }

    // MARK: - Valid frames

    private static func head(_ command: Command) -> FrameHead {
        var head = FrameHead(command)
        head.messageLimit = 1000
        head.byteLimit = 1 << 20
        return head
    }

    private static let root = [UInt8](repeating: 7, count: 32)

    private static func welcome(size: UInt64 = 3) -> [UInt8] {
        head(.welcome).frame(
            Welcome(
                heartbeatMilliseconds: 1000, session: 7, broker: 1, spaceVersion: 1, treeSize: size, root: root,
                name: "b"
            ).encoded())
    }

    private static func accept(_ sequence: UInt64, _ refused: [Acceptance.Refused] = []) -> [UInt8] {
        head(.accept).frame(Acceptance(sequence: sequence, treeSize: 9, root: root, refused: refused).encoded())
    }

    private static func deliver(_ kind: MessageKind, _ number: UInt64, sequence: UInt64) -> [UInt8] {
        var header = Header(kind: kind, id: BrokerFuzz.id(1000 + number), created: 5)
        header.target = "register.record-get.v1"
        if kind == .reply { header.correlation = BrokerFuzz.id(number) } else { header.consumer = "portal" }
        if kind == .request { header.remaining = 5000 }
        var annotations = Annotations()
        annotations.position = number
        annotations.attempt = 1
        var head = head(.deliver)
        head.sequence = sequence
        return EnvelopeFrame.encode(
            head, [OutgoingEnvelope(header: header.encoded()[...], body: [1, 2][...], annotations: annotations)])
    }

    private static func valid() -> [[UInt8]] {
        func error(_ code: FaultCode) -> [UInt8] {
            head(.error).frame(FaultNotice(Fault(code, at: .broker, "scripted"), at: .broker).encoded())
        }
        return [
            welcome(), welcome(size: 1), accept(2), accept(4),
            accept(4, [.init(sequence: 2, code: FaultCode.noIntegration.number), .init(sequence: 4, code: 5070)]),
            deliver(.reply, 1, sequence: 2), deliver(.reply, 2, sequence: 2), deliver(.request, 60, sequence: 2),
            deliver(.event, 61, sequence: 2), head(.credit).frame(), head(.ping).frame(Heartbeat.encode(3)),
            head(.pong).frame(Heartbeat.encode(3)), head(.bye).frame(), head(.drain).frame(), error(.draining),
            error(.outOfSequence), error(.logForked), error(.unknownKey),
        ]
    }
}
