import BusBroker
import BusDirectory
import BusEvidence
import BusProtocol

@testable import BusJournal

/// Frames for a broker's core in the middle of its work: three agents, an open request, an event that waits for its ACK.
struct BrokerFuzz: Sendable {
    struct Peer: Sendable {
        var route: [UInt8]
        var key: String
        var systems: [String]
    }

    static let peers = [
        Peer(route: [0, 1], key: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", systems: ["register"]),
        Peer(route: [0, 2], key: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", systems: ["portal"]),
        Peer(route: [0, 3], key: "Zne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", systems: ["bank"]),
    ]
    static let now = Moment(monotonic: 5_000_000, wall: 1_790_000_000_000_000)

    private let core: BrokerCore
    private let treeSize: UInt64
    private let mutator: Mutator

    init() throws {
        let reading = Space.load([SpaceFile(name: "space.yaml", text: SmallSpace.text)])
        guard let space = reading.space else { throw Broken(what: "\(reading.findings)") }
        var core = BrokerCore(
            identity: BrokerIdentity(id: 9, name: "broker", software: "test"), space: try SpaceSnapshot(space),
            treeSize: 0, treeRoot: LogHash.empty.bytes, random: SplitMix(1))
        var size: UInt64 = 0
        for peer in Self.peers { core.receive(Self.hello(peer), from: peer.route, key: peer.key, at: Self.now) }
        let asked = Self.submit([Self.request(1)], sequence: 1)
        core.receive(asked, from: Self.peers[1].route, key: Self.peers[1].key, at: Self.now)
        core.receive(
            Self.submit([Self.event(2)], sequence: 1), from: Self.peers[0].route, key: Self.peers[0].key, at: Self.now)
        _ = try Self.settle(&core, &size)
        self.core = core
        treeSize = size
        mutator = Mutator(
            vectors: Self.valid() + (try WireVectors.read("frames")) + (try WireVectors.read("lenient")),
            words: [Array("register.record-get.v1".utf8), Array("portal".utf8), Array("bank".utf8)],
            mend: WireVectors.mend)
    }

    var target: FuzzTarget {
        FuzzTarget(name: "broker", fewInputs: 3000) { random in
            [UInt8(random.below(3))] + mutator.grow(&random)
        } judge: {
            try judge($0)
        }
    }

    /// The first byte says who sends.
    private func judge(_ input: [UInt8]) throws -> Verdict {
        var core = core
        var size = treeSize
        let peer = Self.peers[Int(input[0]) % 3]
        let frame = Array(input.dropFirst())
        core.receive(frame, from: peer.route, key: peer.key, at: Self.now)
        var outcomes = try Self.settle(&core, &size)
        // Everything ends: deadlines, heartbeats, redeliveries.
        var later = Self.now
        for _ in 0..<3 {
            later.monotonic += 3_000_000
            later.wall += 3_000_000
            core.tick(at: later)
            outcomes += try Self.settle(&core, &size, at: later)
        }
        guard core.isQuiet else { throw Broken(what: "something is never written") }
        guard core.openCalls <= Limits.envelopesPerFrame + 1 else { throw Broken(what: "\(core.openCalls) open calls") }
        return Verdict(isPastHead: WireVectors.isPastHead(frame), outcomes: Array(Set(outcomes)))
    }

    private static func settle(_ core: inout BrokerCore, _ size: inout UInt64, at now: Moment = now) throws -> [String]
    {
        var outcomes: [String] = []
        for _ in 0..<100 {
            for action in core.takeActions() {
                switch action {
                case .send(_, let frame): outcomes += try WireVectors.outcomes(written: frame)
                case .notice(let notice): outcomes.append("notice \(notice.message)")
                case .drained: outcomes.append("drained")
                case .load(let ticket, _): core.loaded(ticket, [], at: now)
                case .find(let ticket, _): core.sought(ticket, [], at: now)
                case .prove(let ticket, _):
                    core.proven(ticket, .success(ProvenLog(checkpoint: "", consistency: [], rows: [])), at: now)
                case .sought: outcomes.append("sought")
                case .resent: outcomes.append("resent")
                }
            }
            _ = core.takeObservations()
            guard let batch = core.takeBatch(at: now) else { return outcomes }
            let first = size + 1
            size += UInt64(batch.count)
            var root = Digest32()
            root.a = size
            core.committed(Committed(firstPosition: first, treeSize: size, root: root), at: now)
        }
        throw Broken(what: "a hundred batches for one frame")
    }

    // MARK: - Valid frames

    private static func head(_ command: Command) -> FrameHead {
        var head = FrameHead(command)
        head.messageLimit = 4096
        head.byteLimit = 1 << 24
        return head
    }

    static func id(_ number: UInt64) -> MessageID {
        MessageID(value: UInt128(1_790_000_000_000) << 80 | 7 << 76 | UInt128(0b10) << 62 | UInt128(number))
    }

    private static func hello(_ peer: Peer) -> [UInt8] {
        head(.hello).frame(Hello(instance: 5, agent: "a", software: "test", systems: peer.systems).encoded())
    }

    private static func request(_ number: UInt64, remaining: UInt32 = 2000) -> Header {
        var header = Header(kind: .request, id: id(number), created: now.wallMilliseconds)
        header.target = "register.record-get.v1"
        header.consumer = "portal"
        header.remaining = remaining
        return header
    }

    private static func event(_ number: UInt64) -> Header {
        var header = Header(kind: .event, id: id(number), created: now.wallMilliseconds)
        header.target = "register.record-changed.v1"
        header.consumer = "register"
        return header
    }

    private static func reply(_ number: UInt64, outcome: UInt16) -> Header {
        var header = Header(kind: .reply, id: id(100 + number), created: now.wallMilliseconds)
        header.correlation = id(number)
        header.outcome = outcome
        header.target = "register.record-get.v1"
        return header
    }

    private static func submit(_ headers: [Header], sequence: UInt64) -> [UInt8] {
        var head = head(.submit)
        head.sequence = sequence
        return EnvelopeFrame.encode(
            head, headers.map { OutgoingEnvelope(header: $0.encoded()[...], body: Array("{}".utf8)[...]) })
    }

    private static func valid() -> [[UInt8]] {
        let settled = [Settlement.Row(position: 2), Settlement.Row(position: 3, delayMilliseconds: 5, code: 5020)]
        let report = AgentReport(
            uptimeMilliseconds: 5, systems: [.init(system: "register", dataUpdatedAt: 5, healthy: true)],
            counts: [
                .init(target: "register.record-get.v1", consumer: "portal", code: 0, hop: .providerAgent, count: 3)
            ])
        return [
            hello(peers[0]), hello(peers[1]), submit([request(10)], sequence: 2),
            submit([request(11), request(12, remaining: 0), request(11)], sequence: 2),
            submit([reply(1, outcome: 0)], sequence: 2), submit([reply(1, outcome: 2040)], sequence: 2),
            submit([event(20), event(21)], sequence: 2), submit([request(10), event(22)], sequence: 1),
            head(.ack).frame(Settlement(settled).encoded()), head(.nak).frame(Settlement(settled).encoded()),
            head(.term).frame(Settlement(settled).encoded()), head(.report).frame(report.encoded()),
            head(.credit).frame(), head(.ping).frame(Heartbeat.encode(4)), head(.pong).frame(Heartbeat.encode(4)),
            head(.drain).frame(), head(.bye).frame(),
        ]
    }
}
