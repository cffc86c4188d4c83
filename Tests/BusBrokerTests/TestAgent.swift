import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusBroker
@testable import BusJournal

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
    case proof(LogAnswer)
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
        case .proof: got.append(.proof(try LogAnswer(&reader)))
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
    var proofs: [LogAnswer] { got.compactMap { if case .proof(let item) = $0 { item } else { nil } } }
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
