import BusAgent
import BusBroker
import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol
import Testing

/// A bus whose broker lies: the real core of a broker, with what it says rewritten by its owner, between real cores of agents that sign
/// and check. In virtual time: nothing waits.
///
/// The owner has everything the broker has: its frames, its journal, its own keys, what it saw before. He has no agent's key unless a
/// test gives him an accomplice's, and never the authority's.
final class HostileBus {
    /// Where wall clocks begin, Unix milliseconds.
    static let epoch: Int64 = 1_790_000_000_000

    private(set) var broker: BrokerCore
    private(set) var log = MerkleLog()
    /// Of the records of the log.
    private(set) var shown = ShownLog()
    /// PROVEs of each agent.
    private(set) var asked: [String: [LogWish]] = [:]
    private var headers: [UInt64: [UInt8]] = [:]
    private var kept: [UInt64: LoadedMessage] = [:]
    private(set) var agents: [String: HostedAgent] = [:]
    /// Milliseconds since the beginning.
    private(set) var now: Int64 = 0
    /// What becomes of a frame for an agent: frames for any agents, or none.
    var lie: (_ agent: String, _ said: Said) -> [(String, Said)] = { [($0, $1)] }
    /// Messages that were delivered, as the honest core meant them, with the agent they were for.
    private(set) var delivered: [(to: String, message: OutgoingEnvelope)] = []
    /// Messages as they came to the broker.
    private(set) var submitted: [OutgoingEnvelope] = []
    /// Deliveries are numbered by the owner, so that nothing shows in their numbers. False: the core's numbers stay.
    var renumbers = true
    private var heads: [String: FrameHead] = [:]
    private var numbers: [String: UInt64] = [:]
    private var spaces: [SignedSpace]

    /// - Parameter spaces: versions of the space; the first is in force.
    init(_ spaces: [SignedSpace]? = nil, agents names: [String] = Country.places.map(\.agent)) throws {
        let spaces = try spaces ?? Country.versions([Country.space()])
        self.spaces = spaces
        broker = Self.broker(spaces[0], MerkleLog())
        for place in Country.places where names.contains(place.agent) {
            let system = agents.values.first { $0.place.system == place.system }
            agents[place.agent] = HostedAgent(place, system?.register ?? Register())
        }
        broker.recordStart(software: "test", at: moment)
        settle()
        for agent in agents.values { agent.start(self) }
        settle()
    }

    private static func broker(_ space: SignedSpace, _ log: MerkleLog) -> BrokerCore {
        BrokerCore(
            identity: BrokerIdentity(id: 9, name: "broker", software: "test"), space: space.snapshot,
            signature: space.signature, treeSize: log.size, treeRoot: log.root.bytes, random: SplitMix(state: 1))
    }

    /// An agent that was not there yet greets for the first time.
    func join(_ name: String, after prepare: () -> Void) {
        guard let place = Country.places.first(where: { $0.agent == name }) else { return }
        prepare()
        let agent = HostedAgent(place, Register())
        agents[name] = agent
        agent.start(self)
        settle()
    }

    subscript(agent: String) -> HostedAgent {
        guard let found = agents[agent] else { fatalError("there is no agent \(agent)") }
        return found
    }
    var portal: HostedAgent { self["portal-1"] }
    var bank: HostedAgent { self["bank-1"] }
    var register: HostedAgent { self["register-1"] }
    var register2: HostedAgent { self["register-2"] }
    var archive: HostedAgent { self["archive-1"] }

    var wall: Int64 { Self.epoch + now }
    private var moment: Moment { Moment(monotonic: 5_000_000 + now * 1000, wall: wall * 1000) }

    // MARK: - Time

    /// Time goes by in steps as the shells' ticks do.
    func pass(milliseconds: Int64, step: Int64 = 20) {
        let end = now + milliseconds
        while now < end {
            now = min(now + step, end)
            broker.tick(at: moment)
            settle()
        }
    }

    /// Everything that can happen now happens.
    func settle() {
        var isBusy = true
        while isBusy {
            isBusy = false
            for action in broker.takeActions() {
                isBusy = true
                perform(action)
            }
            if let batch = broker.takeBatch(at: moment) {
                isBusy = true
                let first = log.size + 1
                keep(batch, from: first)
                read(EncodedBatch(batch, appendingTo: &log), from: first)
                broker.committed(Committed(firstPosition: first, treeSize: log.size, root: log.root), at: moment)
            }
            for agent in agents.values.sorted(by: { $0.place.agent < $1.place.agent }) where agent.round(self) {
                isBusy = true
            }
            if !broker.actions.isEmpty { isBusy = true }
        }
        _ = broker.takeObservations()
    }

    // MARK: - The broker

    private func perform(_ action: BrokerAction) {
        switch action {
        case .send(let route, let frame): send(frame, to: route)
        case .load(let ticket, let positions):
            broker.loaded(ticket, positions.compactMap { kept[$0] }, at: moment)
        case .prove(let ticket, let question):
            broker.proven(ticket, .success(shown.proof(question) { headers[$0] }), at: moment)
        case .notice, .find, .sought, .resent, .drained: break
        }
    }

    private func read(_ batch: EncodedBatch, from first: UInt64) {
        do throws(Fault) {
            try StoredBatch(firstPosition: first, committedAt: 0, records: batch.blob).forEach {
                position, type, payload throws(Fault) in
                var copy = payload
                shown.leaves.append(try LogIndex.leaf(type, &copy))
                if type == RecordType.message.rawValue { headers[position] = try MessageRecord(&payload).header }
            }
        } catch { Issue.record("a batch of the broker cannot be read: \(error)") }
    }

    /// What a journal keeps of durable messages.
    private func keep(_ batch: JournalBatch, from first: UInt64) {
        for (index, entry) in batch.entries.enumerated() {
            guard case .message(let message) = entry, message.keepsBody else { continue }
            let frame = message.frame
            let bytes = MessageBytes(
                header: Array(frame[message.header]), body: Array(frame[message.body]),
                proof: Array(frame[message.proof]), signedRoot: Array(frame[message.signedRoot]))
            let position = first + UInt64(index)
            kept[position] = LoadedMessage(
                position: position, acceptedAt: message.receivedAt, bytes, hasBody: true)
        }
    }

    private func send(_ frame: [UInt8], to route: [UInt8]) {
        guard let agent = agents.values.first(where: { $0.route == route }) else {
            return broker.unreachable(route: route, at: moment)
        }
        let name = agent.place.agent
        do throws(Fault) {
            let said = try Said(frame)
            heads[name] = said.head
            if said.head.command == .welcome { numbers[name] = 0 }
            for envelope in said.envelopes { delivered.append((name, envelope)) }
            for (to, said) in lie(name, said) { give(said, to) }
        } catch { Issue.record("the broker's own frame cannot be read: \(error)") }
    }

    private func give(_ said: Said, _ name: String) {
        var said = said
        if renumbers, case .deliver(let envelopes) = said.what {
            guard !envelopes.isEmpty else { return }
            said.head.sequence = numbers[name, default: 0] + 1
            numbers[name, default: 0] += UInt64(envelopes.count)
        }
        agents[name]?.arrive(said.frame)
    }

    /// The owner says something of his own accord, in the session the agent has with him.
    func say(_ command: Command, _ what: Said.What, to name: String) {
        var head = heads[name] ?? FrameHead(command)
        head = FrameHead(command, version: head.version)
        head.messageLimit = heads[name]?.messageLimit ?? 0
        head.byteLimit = heads[name]?.byteLimit ?? 0
        give(Said(head: head, what), name)
        settle()
    }

    func bring(_ messages: OutgoingEnvelope..., to name: String) { say(.deliver, .deliver(messages), to: name) }

    /// A message as it came to the broker.
    func submission(_ id: MessageID) throws -> OutgoingEnvelope { try #require(submitted.last { $0.id == id }) }

    func take(_ frame: [UInt8], from agent: HostedAgent) {
        if let said = try? Said(frame) {
            if said.head.command == .submit { submitted += said.envelopes }
            if said.head.command == .prove, let wish = Self.wish(frame) {
                asked[agent.place.agent, default: []].append(wish)
            }
        }
        broker.receive(frame, from: agent.route, key: agent.place.curve, at: moment)
    }

    private static func wish(_ frame: [UInt8]) -> LogWish? {
        try? frame.reading { raw throws(Fault) in
            var fields = try FrameHead(raw).fields(of: raw)
            return try LogWish(&fields)
        }
    }

    /// The last message of a kind that was for an agent.
    func last(_ kind: MessageKind, to name: String) throws -> OutgoingEnvelope {
        try #require(delivered.last { $0.to == name && $0.message.kind == kind }?.message)
    }

    /// The space with this index takes effect at the broker.
    func apply(_ index: Int) {
        broker.apply(spaces[index].snapshot, signature: spaces[index].signature, at: moment)
        settle()
    }

    /// The broker's process begins anew.
    /// - Parameters:
    ///   - index: the space it has.
    ///   - log: what it shows as its log; nil: its own.
    func restart(space index: Int = 0, log shown: MerkleLog? = nil) {
        log = shown ?? log
        broker = Self.broker(spaces[index], log)
        for agent in agents.values { agent.reconnect(self) }
        settle()
    }

    /// An agent's connection is gone.
    func disconnect(_ agent: HostedAgent) { broker.unreachable(route: agent.route, at: moment) }

    // MARK: - Lies

    /// Changes the messages of a kind on their way to an agent.
    func change(_ kind: MessageKind, to name: String, _ change: @escaping (OutgoingEnvelope) -> OutgoingEnvelope?) {
        lie = { to, said in
            guard to == name else { return [(to, said)] }
            return [(to, said.delivering { $0.kind == kind ? change($0) : $0 })]
        }
    }

    /// Another log than the one there is, in everything that is said of it.
    func show(_ log: @escaping () -> ShownLog, to name: String) {
        lie = { [unowned self] to, said in
            guard to == name else { return [(to, said)] }
            let (size, root) = log().receipt
            var said = said
            switch said.what {
            case .welcome(var welcome):
                (welcome.treeSize, welcome.root) = (size, root)
                said.what = .welcome(welcome)
            case .accept(var acceptance):
                (acceptance.treeSize, acceptance.root) = (size, root)
                said.what = .accept(acceptance)
            case .proof:
                guard let wish = asked[to]?.last else { return [] }
                said.what = .proof(log().answer(wish))
            default: break
            }
            return [(to, said)]
        }
    }

    /// Another answer to PROVE than the right one.
    func answerProofs(of name: String, _ answer: @escaping (LogWish) -> LogAnswer) {
        lie = { [unowned self] to, said in
            guard to == name, case .proof = said.what, let wish = asked[to]?.last else { return [(to, said)] }
            return [(to, Said(head: said.head, .proof(answer(wish))))]
        }
    }

    func dropAll(_ kind: MessageKind, to name: String) { change(kind, to: name) { _ in nil } }

    func beHonest() { lie = { [($0, $1)] } }

    /// What somebody with this key signs, alone in its batch.
    func signed(_ message: OutgoingEnvelope, by key: SigningKey, at time: Int64? = nil) -> OutgoingEnvelope {
        let batch = BatchSigner(key).sign(
            [LogHash.messageLeaf(header: message.header, body: message.body)], at: time ?? wall)
        var message = message
        message.proof = batch.proof(0)
        message.signedRoot = batch.row[...]
        return message
    }

    var ids = MessageIDSource(random: SplitMix(state: 77))
    func id() -> MessageID { ids.next(unixMilliseconds: wall) }
}

/// A repeatable source of randomness.
struct SplitMix: RandomNumberGenerator, Sendable {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
