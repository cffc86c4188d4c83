import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// An agent signs what leaves, and acts on nothing that is not its sender's.
@Suite("Signatures of an agent")
struct SignedSessionTests {
    private let ours = SigningKey()
    private let theirs = SigningKey()

    /// A portal that signs, and knows whose key the register signs with.
    private func bench() throws -> (CoreBench, ScriptedBroker) {
        var broker = ScriptedBroker()
        var bench = CoreBench()
        bench.core.signer = BatchSigner(ours)
        let curve = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
        let space = Space(
            id: "small", title: LocalizedName(en: "Small"), broker: BrokerFacts(id: "b", endpoint: "tcp://127.0.0.1:1"),
            keys: [
                AgentKey(
                    agent: "individuals-1", systems: ["individuals"], curve: curve, sign: theirs.publicKey.bytes.hex),
                AgentKey(agent: "portal-1", systems: ["portal"], curve: curve, sign: ours.publicKey.bytes.hex),
                AgentKey(agent: "archive-1", systems: ["archive"], curve: curve),
            ])
        bench.core.senders = SenderCheck(Directory(try SpaceSnapshot(space)))
        bench.open(&broker)
        return (bench, broker)
    }

    @Test(
        "every message of what leaves together leads to the one root that was signed, in one frame or three",
        arguments: [(10, 1), (40_000, 3)])
    func signsOnce(size: Int, frames expected: Int) throws {
        var (bench, _) = try bench()
        for number in 1...5 { bench.submit(UInt64(number), body: [UInt8](repeating: 1, count: size)) }
        bench.flush()
        let frames = bench.take().frames.suffix(expected)
        var checker = ProofChecker()
        var roots: Set<[UInt8]> = []
        var proven = 0
        for frame in frames {
            _ = try frame.withUnsafeBytes { raw in
                try EnvelopeFrame.decode(raw, FrameHead(raw)) { _, result in
                    guard case .success(let view) = result else { return }
                    let leaf = LogHash.messageLeaf(view, in: raw)
                    roots.insert(Array(raw[view.signedRoot]))
                    let key = try? checker.check(
                        leaf: leaf, proof: Array(raw[view.proof]), signedRoot: Array(raw[view.signedRoot])
                    ) { $0 == ours.id ? SenderKey(ours.publicKey) : nil }
                    if key == ours.id { proven += 1 }
                }
            }
        }
        #expect(proven == 5 && roots.count == 1)
    }

    enum Answer: String, CaseIterable {
        case signed, unsigned, otherKey, changed, ofAnotherRequest, withoutDigest, fromTheBroker, successFromTheBroker
    }

    @Test("only the provider's own answer to this very request ends it", arguments: Answer.allCases)
    func answers(_ answer: Answer) throws {
        var (bench, broker) = try bench()
        bench.submit(1)
        bench.submit(2, body: [2])
        bench.flush()
        let requests = bench.take().submitted
        let asked = answer == .ofAnotherRequest ? requests[1] : requests[0]
        var header = Header(kind: .reply, id: ScriptedBroker.id(9), created: 3)
        header.correlation = ScriptedBroker.id(1)
        header.target = "individuals.person-get.v1"
        header.provider = "individuals"
        if answer != .withoutDigest {
            header.extensions = [
                Header.Extension(
                    type: RequestDigest.type,
                    value: LogHash.messageLeaf(header: asked.header[...], body: asked.body[...]).bytes)
            ]
        }
        if answer == .fromTheBroker || answer == .successFromTheBroker {
            header.provider = ""
            header.target = ""
            header.outcome = answer == .fromTheBroker ? 5030 : 0
            header.extensions = []
        }
        let isSigned = ![.unsigned, .fromTheBroker, .successFromTheBroker].contains(answer)
        bench.receive(
            broker.deliver(
                header, body: [7], signedBy: isSigned ? (answer == .otherKey ? ours : theirs) : nil,
                changing: answer == .changed))
        let ends = bench.take().completions.map(\.ticket)
        let isTaken = answer == .signed || answer == .fromTheBroker
        #expect(ends == (isTaken ? [1] : []), "\(answer)")
        #expect(bench.core.counters.badProofs == (isTaken ? 0 : 1))
        // The right one may still come.
        #expect(bench.core.pendingCount == (isTaken ? 1 : 2))
    }

    @Test(
        "a request that is not its sender's reaches no handler, one of an agent without a key does",
        arguments: [true, false])
    func requests(isFromArchive: Bool) throws {
        var (bench, broker) = try bench()
        var header = Header(kind: .request, id: ScriptedBroker.id(4), created: 3)
        header.target = "portal.status-get.v1"
        header.consumer = isFromArchive ? "archive" : "individuals"
        header.remaining = 1000
        bench.receive(broker.deliver(header, body: [1], signedBy: nil))
        let deliveries = bench.take().deliveries
        #expect(deliveries.map { $0.refusal?.code } == [isFromArchive ? nil : .badSignature])
    }
}

extension ScriptedBroker {
    /// One message for the agent.
    mutating func deliver(
        _ header: Header, body: [UInt8], signedBy key: SigningKey?, changing: Bool = false
    ) -> [UInt8] {
        var head = head(.deliver)
        delivered += 1
        head.sequence = delivered
        let bytes = header.encoded()
        var envelope = OutgoingEnvelope(header: bytes[...], body: body[...], annotations: Annotations())
        if let key {
            let batch = BatchSigner(key).sign(
                [LogHash.messageLeaf(header: bytes[...], body: body[...])], at: 1_700_000_000_000)
            envelope.proof = batch.proof(0)
            envelope.signedRoot = batch.row[...]
        }
        if changing { envelope.body = (body + [0])[...] }
        return EnvelopeFrame.encode(head, [envelope])
    }
}
