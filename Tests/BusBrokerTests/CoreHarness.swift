import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusBroker
@testable import BusJournal

/// A repeatable source of randomness (SplitMix64).
struct Seeded: RandomNumberGenerator, Sendable {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A journal in memory: gives positions, remembers what it was given, and fails when it is told to.
struct MemoryJournal {
    var records: [JournalBatch.Entry] = []
    var batches: [JournalBatch] = []
    /// Positions whose body is gone.
    var erased: Set<UInt64> = []

    mutating func commit(_ batch: JournalBatch) -> Committed {
        let first = UInt64(records.count) + 1
        records += batch.entries
        batches.append(batch)
        var root = Digest32()
        root.a = UInt64(records.count)
        return Committed(firstPosition: first, treeSize: UInt64(records.count), root: root)
    }

    var finished: [FinishedRecord] { records.compactMap { if case .finished(let record) = $0 { record } else { nil } } }

    /// Payloads of one type, as their readers take them.
    func payloads(_ type: RecordType) -> [[UInt8]] {
        records.compactMap { if case .record(type, let payload) = $0 { payload } else { nil } }
    }

    var refused: [RefusedRecord] {
        payloads(.refused).compactMap { bytes in
            try? bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try RefusedRecord(&reader)
            }
        }
    }

    var settled: [SettledRecord] {
        payloads(.settled).compactMap { bytes in
            try? bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try SettledRecord(&reader)
            }
        }
    }

    var liveness: [LivenessRecord] {
        payloads(.liveness).compactMap { bytes in
            try? bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try LivenessRecord(&reader)
            }
        }
    }

    func loaded(_ position: UInt64) -> LoadedMessage {
        guard position >= 1, position <= records.count, case .message(let message) = records[Int(position) - 1] else {
            return LoadedMessage(position: position, acceptedAt: 0, MessageBytes(header: [], body: []), hasBody: false)
        }
        let isErased = erased.contains(position)
        let bytes = MessageBytes(message)
        return LoadedMessage(
            position: position, acceptedAt: message.receivedAt, isErased ? bytes.withoutBody : bytes, hasBody: !isErased
        )
    }

    /// A message as recovery reads it.
    func record(_ position: UInt64) -> MessageRecord? {
        guard case .message(let message) = records[Int(position) - 1] else { return nil }
        var log = MerkleLog()
        var batch = JournalBatch()
        batch.append(.message(message))
        var record: MessageRecord?
        try? StoredBatch(firstPosition: position, committedAt: 0, records: EncodedBatch(batch, appendingTo: &log).blob)
            .forEach { _, _, payload throws(Fault) in record = try MessageRecord(&payload) }
        return record
    }

    func events(_ type: String, from first: UInt64) -> [UInt64] {
        records.indices.compactMap { index in
            guard UInt64(index) + 1 >= first, case .message(let message) = records[index],
                let header = try? Header(decoding: Array(message.frame[message.header])), header.kind == .event,
                header.target == type
            else { return nil }
            return UInt64(index) + 1
        }
    }

    func messageIDs(_ kind: MessageKind) -> [MessageID] {
        records.compactMap { entry in
            guard case .message(let message) = entry,
                let header = try? Header(decoding: Array(message.frame[message.header])), header.kind == kind
            else { return nil }
            return header.id
        }
    }
}

/// A frame that reached an agent, decoded.
enum Got {
    case welcome(Welcome)
    case accept(Acceptance)
    case error(FaultNotice)
    case deliver(Delivered)
    case ping(UInt64)
    case state(StateAnswer)
    case done(Done)
    case space(SpaceFrame)
    case want(KeyWish)
    case keys(KeyAnswer)
    case other(Command)
}

struct Delivered {
    var sequence: UInt64
    var header: Header
    var annotations: Annotations
    var body: [UInt8]
    var proof: [UInt8] = []
    var signedRoot: [UInt8] = []
}

/// A core with a journal, clocks and the agents around it. Nothing here waits: time is a number.
final class World {
    var core: BrokerCore
    var journal = MemoryJournal()
    var now = Moment(monotonic: 5_000_000, wall: 1_790_000_000_000_000)
    var agents: [[UInt8]: TestAgent] = [:]
    var notices: [BrokerNotice] = []
    var observations: [Observation] = []
    var isDrained = false
    var ids = MessageIDSource(random: Seeded(7))
    /// Commits happen at once; false: only with `commit()`.
    var commitsAtOnce = true
    /// The batch that is being written.
    var writing: JournalBatch?
    /// Called for each frame that leaves, before it is decoded.
    var watch: ([UInt8], [UInt8]) -> Void = { _, _ in }

    init(limits: BrokerLimits = BrokerLimits(), _ space: Space? = nil, treeSize: UInt64 = 0) throws {
        let snapshot = try SpaceSnapshot(try space ?? Spaces.space())
        core = BrokerCore(
            identity: BrokerIdentity(id: 9, name: "broker", software: "test"), limits: limits, space: snapshot,
            treeSize: treeSize, treeRoot: LogHash.empty.bytes, random: Seeded(1))
    }

    func id() -> MessageID { ids.next(unixMilliseconds: now.wallMilliseconds) }

    enum Read {
        case load(UInt64, [UInt64])
        case find(UInt64, Seek)
    }
    /// Questions to the journal that are not answered yet.
    var reads: [Read] = []
    var sought: [UInt64: Int] = [:]
    /// Answers to orders to resend; an inner nil: it could not be written.
    var resent: [UInt64: [DeadLetter]?] = [:]
    /// Questions to the journal are answered at once; false: only with `read()`.
    var readsAtOnce = true

    /// Answers what the core asked of the journal.
    func read(fails: Bool = false) {
        let waiting = reads
        reads = []
        for item in waiting {
            switch item {
            case .load(let ticket, let positions):
                core.loaded(ticket, fails ? nil : positions.map { journal.loaded($0) }, at: now)
            case .find(let ticket, let wish):
                core.sought(ticket, fails ? nil : journal.events(wish.event, from: wish.value), at: now)
            }
        }
    }

    /// A broker that starts on what this one wrote.
    /// - Parameter first: the space the journal began with, where another one is in force now.
    func restarted(from first: SpaceSnapshot? = nil) throws -> World {
        let next = try World(limits: core.limits, core.rights.snapshot.space)
        next.now = now
        next.journal = journal
        var fold = DeliveryFold(core.limits)
        var log = MerkleLog()
        var position: UInt64 = 1
        try fold.fold(RecordType.space, (first ?? core.rights.snapshot).canonical)
        for batch in journal.batches {
            let blob = EncodedBatch(batch, appendingTo: &log).blob
            try StoredBatch(firstPosition: position, committedAt: 0, records: blob).forEach {
                at, type, payload throws(Fault) in
                try fold.fold(type, &payload, position: at)
            }
            position += UInt64(batch.count)
        }
        fold.readLetters { journal.record($0) }
        next.core.restore(fold.book)
        next.ids = ids
        return next
    }

    /// Performs what the core wants: sends, and commits unless the test holds them back.
    func settle() {
        pump()
        while readsAtOnce, !reads.isEmpty {
            read()
            pump()
        }
        observations += core.takeObservations()
    }

    private func pump() {
        deliverActions()
        while writing == nil, let batch = core.takeBatch(at: now) {
            if commitsAtOnce { core.committed(journal.commit(batch), at: now) } else { writing = batch }
            deliverActions()
        }
        deliverActions()
    }

    /// The batch that is being written becomes durable.
    func commit() {
        guard let batch = writing else { return }
        writing = nil
        core.committed(journal.commit(batch), at: now)
        settle()
    }

    func failCommit(_ code: FaultCode = .storageFull) {
        guard writing != nil else { return }
        writing = nil
        core.commitFailed(Fault(code, at: .broker, "no space"), at: now)
        settle()
    }

    private func deliverActions() {
        for action in core.takeActions() {
            switch action {
            case .send(let route, let frame):
                watch(route, frame)
                agents[route]?.take(frame)
            case .notice(let notice): notices.append(notice)
            case .load(let ticket, let positions): reads.append(.load(ticket, positions))
            case .find(let ticket, let wish): reads.append(.find(ticket, wish))
            case .sought(let order, let count): sought[order] = count
            case .resent(let order, let letters): resent[order] = letters
            case .drained: isDrained = true
            }
        }
    }

    /// Time goes by in steps as the shell's ticks do. Agents that are alive answer their PINGs.
    func pass(milliseconds: Int64, step: Int64 = 8) {
        var left = milliseconds
        while left > 0 {
            let part = min(step, left)
            left -= part
            now.monotonic += part * 1000
            now.wall += part * 1000
            core.tick(at: now)
            settle()
            for agent in agents.values where agent.answersPings { agent.answerPings() }
        }
    }

    func apply(_ space: Space) throws {
        core.apply(try SpaceSnapshot(space, after: core.rights.snapshot), at: now)
        settle()
    }

    /// Every table of the core is empty but for its sessions.
    func expectIdle(_ comment: Comment? = nil) {
        #expect(core.calls.count == 0, comment)
        #expect(core.committing == nil, comment)
        for slot in core.sessions.indices {
            #expect(core.sessions[slot].outstanding == 0, comment)
            #expect(core.sessions[slot].waiting.isEmpty, comment)
            #expect(core.sessions[slot].outgoing.isEmpty, comment)
        }
    }
}

/// One agent on one connection.
final class TestAgent {
    /// Strong both ways: a world lives as long as the test run, and is small.
    let world: World
    let key: String
    let systems: [String]
    var route: [UInt8]
    var instance: UInt128
    var sent: UInt64 = 0
    /// Signs what is submitted.
    var signer: BatchSigner?
    /// What happens to a signed message before it leaves.
    var tamper: (inout OutgoingEnvelope) -> Void = { _ in }
    /// Ids by their numbers in this session.
    private(set) var submitted: [UInt64: MessageID] = [:]
    var messageLimit: UInt64 = 4096
    var byteLimit: UInt64 = 16 * 1024 * 1024
    var answersPings = true
    private(set) var got: [Got] = []
    private var pings: [UInt64] = []

    init(_ world: World, _ key: String, _ systems: [String], instance: UInt128 = 1, route: String? = nil) {
        self.world = world
        self.key = key
        self.systems = systems
        self.instance = instance
        self.route = [0] + Array((route ?? key).utf8.prefix(6))
        world.agents[self.route] = self
    }

    static func register(_ world: World) -> TestAgent { TestAgent(world, Spaces.registerKey, ["register"]).greeted() }
    static func register2(_ world: World) -> TestAgent { TestAgent(world, Spaces.register2Key, ["register"]).greeted() }
    static func portal(_ world: World) -> TestAgent { TestAgent(world, Spaces.portalKey, ["portal"]).greeted() }
    static func bank(_ world: World) -> TestAgent { TestAgent(world, Spaces.bankKey, ["bank"]).greeted() }

    // MARK: - Out

    func raw(_ frame: [UInt8], as other: String? = nil) {
        world.core.receive(frame, from: route, key: other ?? key, at: world.now)
        world.settle()
    }

    private func head(_ command: Command) -> FrameHead {
        var head = FrameHead(command)
        head.messageLimit = messageLimit
        head.byteLimit = byteLimit
        return head
    }

    func hello(_ change: (inout Hello) -> Void = { _ in }) {
        var hello = Hello(instance: instance, agent: "test", software: "test", systems: systems)
        change(&hello)
        sent = 0
        submitted = [:]
        raw(head(.hello).frame(hello.encoded()))
    }

    func greeted() -> TestAgent {
        hello()
        return self
    }

    /// The connection broke and a new one came: another route, the same process.
    func reconnect(_ name: String, instance: UInt128? = nil) {
        world.agents[route] = nil
        route = [0] + Array(name.utf8)
        world.agents[route] = self
        if let instance { self.instance = instance }
        hello()
    }

    /// Frames no longer reach it, and it sends none.
    func vanish() {
        world.agents[route] = nil
        answersPings = false
    }

    func say(_ command: Command, _ fields: [UInt8] = [], version: UInt8 = 1) {
        var head = head(command)
        head.version = version
        raw(head.frame(fields))
    }

    func grant(messages: UInt64, bytes: UInt64 = .max / 4) {
        if answersPings { answerPings() }
        messageLimit = messages
        byteLimit = bytes
        say(.credit)
    }

    @discardableResult
    func submit(_ messages: [(Header, [UInt8])], sequence: UInt64? = nil) -> [MessageID] {
        var head = head(.submit)
        head.sequence = sequence ?? sent + 1
        if sequence == nil {
            for (index, message) in messages.enumerated() { submitted[sent + 1 + UInt64(index)] = message.0.id }
            sent += UInt64(messages.count)
        }
        raw(EnvelopeFrame.encode(head, signed(messages.map { ($0.0.encoded(), $0.1) })))
        return messages.map(\.0.id)
    }

    private func signed(_ messages: [(header: [UInt8], body: [UInt8])]) -> [OutgoingEnvelope] {
        var envelopes = messages.map { OutgoingEnvelope(header: $0.header[...], body: $0.body[...]) }
        guard let signer else { return envelopes }
        let batch = signer.sign(
            messages.map { LogHash.messageLeaf(header: $0.header[...], body: $0.body[...]) },
            at: world.now.wallMilliseconds)
        for index in envelopes.indices {
            envelopes[index].proof = batch.proof(index)
            envelopes[index].signedRoot = batch.row[...]
            tamper(&envelopes[index])
        }
        return envelopes
    }

    func request(
        _ target: String = Spaces.record, id: MessageID? = nil, remaining: UInt32 = 2000,
        _ change: (inout Header) -> Void = { _ in }
    ) -> Header {
        var header = Header(kind: .request, id: id ?? world.id(), created: world.now.wallMilliseconds)
        header.target = target
        header.consumer = systems.first ?? ""
        header.remaining = remaining
        change(&header)
        return header
    }

    /// Submits one request.
    @discardableResult
    func ask(
        _ target: String = Spaces.record, id: MessageID? = nil, remaining: UInt32 = 2000,
        body: [UInt8] = Array("{}".utf8),
        _ change: (inout Header) -> Void = { _ in }
    ) -> MessageID {
        let header = request(target, id: id, remaining: remaining, change)
        submit([(header, body)])
        return header.id
    }

    @discardableResult
    func answer(
        _ request: MessageID, outcome: UInt16 = 0, body: [UInt8] = Array("[]".utf8),
        change: (inout Header) -> Void = { _ in }
    ) -> MessageID {
        var header = Header(kind: .reply, id: world.id(), created: world.now.wallMilliseconds)
        header.correlation = request
        header.outcome = outcome
        header.target = Spaces.record
        change(&header)
        submit([(header, body)])
        return header.id
    }

    @discardableResult
    func publish(_ body: String = "changed", id: MessageID? = nil, _ change: (inout Header) -> Void = { _ in })
        -> MessageID
    {
        var header = Header(kind: .event, id: id ?? world.id(), created: 0)
        header.target = Spaces.changed
        header.consumer = systems.first ?? ""
        change(&header)
        submit([(header, Array(body.utf8))])
        return header.id
    }

    @discardableResult
    func send(
        _ body: String = "do", id: MessageID? = nil, key: UInt128? = nil, _ change: (inout Header) -> Void = { _ in }
    ) -> MessageID {
        let id = id ?? world.id()
        var header = Header(kind: .command, id: id, created: id.unixMilliseconds)
        header.target = Spaces.order
        header.consumer = systems.first ?? ""
        header.orderKey = key
        change(&header)
        submit([(header, Array(body.utf8))])
        return header.id
    }

    @discardableResult
    func conclude(
        _ command: MessageID, for consumer: String, outcome: UInt16 = 0, id: MessageID? = nil,
        _ change: (inout Header) -> Void = { _ in }
    ) -> MessageID {
        let id = id ?? world.id()
        var header = Header(kind: .outcome, id: id, created: id.unixMilliseconds)
        header.correlation = command
        header.outcome = outcome
        header.target = Spaces.order
        header.consumer = consumer
        header.provider = systems.first ?? ""
        change(&header)
        submit([(header, Array("done".utf8))])
        return header.id
    }

    func settle(_ command: Command, _ rows: Settlement.Row...) {
        if answersPings { answerPings() }
        say(command, Settlement(rows).encoded())
    }

    func answerPings() {
        let waiting = pings
        pings = []
        for token in waiting { say(.pong, Heartbeat.encode(token)) }
    }

    // MARK: - In

    func take(_ frame: [UInt8]) {
        do {
            try frame.reading { raw throws(Fault) in try read(raw) }
        } catch { Issue.record("a frame of the broker cannot be read: \(error)") }
    }

    private func read(_ raw: UnsafeRawBufferPointer) throws(Fault) {
        let head = try FrameHead(raw)
        var reader = head.fields(of: raw)
        switch head.command {
        case .welcome: got.append(.welcome(try Welcome(&reader)))
        case .accept: got.append(.accept(try Acceptance(&reader)))
        case .error: got.append(.error(try FaultNotice(&reader)))
        case .ping:
            let token = try Heartbeat.decode(&reader)
            pings.append(token)
            got.append(.ping(token))
        case .deliver:
            var faults: [Fault] = []
            try EnvelopeFrame.decode(raw, head) { index, result in
                switch result {
                case .failure(let fault): faults.append(fault)
                case .success(let view):
                    do throws(Fault) { try note(view, raw, head.sequence + UInt64(index)) } catch {
                        faults.append(error)
                    }
                }
            }
            if let fault = faults.first { throw fault }
        case .state: got.append(.state(try StateAnswer(&reader, version: head.version)))
        case .done: got.append(.done(try Done(&reader)))
        case .space: got.append(.space(try SpaceFrame(&reader)))
        case .want: got.append(.want(try KeyWish(&reader)))
        case .keys: got.append(.keys(try KeyAnswer(&reader)))
        default: got.append(.other(head.command))
        }
    }

    private func note(_ view: EnvelopeView, _ raw: UnsafeRawBufferPointer, _ sequence: UInt64) throws(Fault) {
        var reader = ByteReader(raw, from: view.annotations.lowerBound, to: view.annotations.upperBound)
        got.append(
            .deliver(
                Delivered(
                    sequence: sequence, header: try Header(decoding: raw, in: view.header.range),
                    annotations: try Annotations(&reader), body: Array(raw[view.body]), proof: Array(raw[view.proof]),
                    signedRoot: Array(raw[view.signedRoot]))))
    }

    func clear() { got = [] }

    var delivered: [Delivered] { got.compactMap { if case .deliver(let item) = $0 { item } else { nil } } }
    var requests: [Delivered] { delivered.filter { $0.header.kind == .request } }
    var replies: [Delivered] { delivered.filter { $0.header.kind == .reply } }
    var commandsGot: [Delivered] { delivered.filter { $0.header.kind == .command } }
    var outcomesGot: [Delivered] { delivered.filter { $0.header.kind == .outcome } }
    var states: [StateAnswer] { got.compactMap { if case .state(let item) = $0 { item } else { nil } } }
    var dones: [Done] { got.compactMap { if case .done(let item) = $0 { item } else { nil } } }
    var spaces: [SpaceFrame] { got.compactMap { if case .space(let item) = $0 { item } else { nil } } }
    var wants: [KeyWish] { got.compactMap { if case .want(let item) = $0 { item } else { nil } } }
    var keys: [KeyAnswer] { got.compactMap { if case .keys(let item) = $0 { item } else { nil } } }
    var events: [Delivered] { delivered.filter { $0.header.kind == .event } }
    var accepts: [Acceptance] { got.compactMap { if case .accept(let item) = $0 { item } else { nil } } }
    var refused: [Acceptance.Refused] { accepts.flatMap(\.refused) }
    var refusedCodes: [UInt16] { refused.map(\.code) }
    var errors: [UInt16] { got.compactMap { if case .error(let item) = $0 { item.code } else { nil } } }
    var welcomes: [Welcome] { got.compactMap { if case .welcome(let item) = $0 { item } else { nil } } }
    var commands: [Command] { got.compactMap { if case .other(let item) = $0 { item } else { nil } } }
    func outcomes(of request: MessageID) -> [UInt16] {
        replies.filter { $0.header.correlation == request }.map(\.header.outcome)
    }
}

extension DeliveryFold {
    mutating func fold(_ type: RecordType, _ payload: [UInt8]) throws {
        let result: Result<Void, Fault> = payload.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            do throws(Fault) { return .success(try fold(type.rawValue, &reader, position: 0)) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
