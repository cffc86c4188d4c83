import BusDirectory
import BusEvidence
import BusProtocol

@testable import BusAgent

/// The shell around an agent's real core, as `SocketLoop` is it, over no socket: it signs, pins the authority, does with deliveries
/// what the shell does, and remembers who acted on what.
final class HostedAgent {
    /// A message a handler got.
    struct Acted: Equatable {
        let kind: MessageKind
        let id: MessageID
        let body: String
        let code: UInt16
    }

    /// How something this agent sent ended.
    enum End: Equatable {
        case answer(code: UInt16, body: String)
        case accepted
        case fault(FaultCode)
    }

    let place: Country.Place
    /// Shared by the agents of one system, and durable.
    let register: Register
    private(set) var core: AgentCore
    private(set) var route: [UInt8] = []
    /// How far this host's wall clock is off, milliseconds.
    var wallOffset: Int64 = 0
    /// What its handlers got, in order.
    private(set) var acted: [Acted] = []
    /// Reasons why deliveries were acted on by nobody.
    private(set) var turnedAway: [FaultCode] = []
    /// What an operator reads in its log.
    private(set) var notices: [FaultCode] = []
    /// How what it sent ended, and when: milliseconds since the beginning.
    private(set) var ends: [MessageID: (end: End, at: Int64)] = [:]
    private(set) var states: [StateAnswer] = []
    /// What became of `prove`.
    private(set) var proofs: [Result<ProvenClaims, Fault>] = []
    /// Notes by which the broker signed another history.
    private(set) var forks: [String] = []
    private var receipts: [MessageID: LogReceipt] = [:]
    private var bytes: [MessageID: SentBytes] = [:]
    private var kept: KnownCheckpoint?
    /// The receipt in its file.
    private var remembered = LogReceipt.none
    /// Requests wait for `answerHeld`.
    var holdsRequests = false
    private var held: [Delivery] = []
    private var waiting: [[UInt8]] = []
    private var actions: [AgentAction] = []
    private var ids: MessageIDSource
    private var tickets: [UInt64: MessageID] = [:]
    private var nextTicket: UInt64 = 0
    private var lives: UInt8 = 0
    private var connections: UInt8 = 0

    init(_ place: Country.Place, _ register: Register) {
        self.place = place
        self.register = register
        ids = MessageIDSource(random: SplitMix(state: UInt64(place.curve.utf8.first ?? 0)))
        core = Self.core(place, life: 0, .none, nil, SpaceTrust(authority: nil), at: 0)
    }

    private static func core(
        _ place: Country.Place, life: UInt8, _ receipt: LogReceipt, _ checkpoint: KnownCheckpoint?, _ trust: SpaceTrust,
        at now: UInt64
    ) -> AgentCore {
        var core = AgentCore(
            AgentCore.Identity(
                agent: place.agent, systems: [place.system], instance: UInt128(life) + 1, software: "test"),
            receipt: receipt, checkpoint: checkpoint, trust: trust, started: now, random: SplitMix(state: 3))
        core.signer = place.signing.map { BatchSigner($0) }
        return core
    }

    /// A process begins.
    /// - Parameter remembers: whether it has the files of the one before it.
    func start(_ bus: HostileBus, remembers: Bool = true) {
        let held = remembers ? core.trust.held : nil
        if core.mayKeepReceipt { remembered = core.receipt }
        lives += 1
        core = Self.core(
            place, life: lives, remembers ? remembered : .none, remembers ? kept : nil,
            SpaceTrust(authority: Country.authority.publicKey, held: held), at: clock(bus).now)
        connect()
        core.start(clock(bus), into: &actions)
    }

    private func connect() {
        connections += 1
        route = [0, connections] + Array(place.agent.utf8)
        waiting = []
    }

    /// The file of an agent of an earlier version.
    func forgetCheckpoint() { kept = nil }

    /// Its process ends without a word and begins anew; the broker is told that the connection is gone.
    func restart(_ bus: HostileBus, remembers: Bool = true) {
        bus.disconnect(self)
        actions = []
        held = []
        start(bus, remembers: remembers)
        bus.settle()
    }

    /// The broker it was connected to is gone, and one listens at its place: as ZeroMQ does it, without a word.
    func reconnect(_ bus: HostileBus) {
        connect()
        core.receive(
            FrameHead(.error).frame(FaultNotice(Fault(.notGreeted, at: .broker), at: .broker).encoded()), clock(bus),
            into: &actions)
    }

    private func clock(_ bus: HostileBus) -> ClockReading {
        ClockReading(now: UInt64(bus.now) * 1000 + 1_000_000, wall: bus.wall + wallOffset)
    }

    // MARK: - The loop

    func arrive(_ frame: [UInt8]) { waiting.append(frame) }

    /// - Returns: whether there was anything to do.
    func round(_ bus: HostileBus) -> Bool {
        var isBusy = false
        let clock = clock(bus)
        let frames = waiting
        waiting = []
        for frame in frames {
            isBusy = true
            core.receive(frame, clock, into: &actions)
            execute(bus)
        }
        if clock.now >= core.nextTimer { core.tick(clock, into: &actions) }
        core.flush(clock, into: &actions)
        if !actions.isEmpty { isBusy = true }
        execute(bus)
        return isBusy
    }

    private func execute(_ bus: HostileBus) {
        while !actions.isEmpty {
            let now = actions
            actions = []
            for action in now { execute(action, bus) }
        }
    }

    private func execute(_ action: AgentAction, _ bus: HostileBus) {
        switch action {
        case .send(let frame): bus.take(frame, from: self)
        case .reopen: connect()
        case .completed(let ticket, let completion): end(ticket, completion, bus)
        case .deliver(let delivery): deliver(delivery, bus)
        case .notice(let fault): notices.append(fault.code)
        case .inquired(_, .state(let answer)): states.append(answer)
        case .inquired(_, .proof(let result)): proofs.append(result)
        case .keepCheckpoint(let checkpoint): kept = checkpoint
        case .keepFork(let note): forks.append(note)
        case .inquired, .welcomed, .remember, .disconnected, .drained, .inquiriesRefused, .keys, .wanted: break
        }
    }

    private func end(_ ticket: UInt64, _ completion: Completion, _ bus: HostileBus) {
        guard let id = tickets.removeValue(forKey: ticket) else { return }
        switch completion {
        case .answer(let reply):
            let body = String(decoding: reply.frame[reply.body], as: UTF8.self)
            ends[id] = (.answer(code: reply.outcome, body: body), bus.now)
        case .accepted(_, let receipt):
            receipts[id] = receipt
            ends[id] = (.accepted, bus.now)
        case .fault(let fault): ends[id] = (.fault(fault.code), bus.now)
        }
    }

    // MARK: - Work

    private func deliver(_ delivery: Delivery, _ bus: HostileBus) {
        guard let header = delivery.header else { return }
        if let refusal = delivery.refusal {
            turnedAway.append(refusal.code)
            guard header.kind == .request else { return core.settle(delivery, .never(refusal.code)) }
            return reply(delivery, refusal.code.number, "", bus)
        }
        acted.append(
            Acted(
                kind: header.kind, id: header.id, body: String(decoding: delivery.body, as: UTF8.self),
                code: header.outcome))
        switch header.kind {
        case .request:
            if holdsRequests { held.append(delivery) } else { answer(delivery, bus) }
        case .command:
            if register.take(header.id) { conclude(header, bus) }
            core.settle(delivery, .handled)
        case .event, .outcome:
            _ = register.take(header.id)
            core.settle(delivery, .handled)
        case .reply, .keyEpoch, .keyWrap: break
        }
    }

    func answerHeld(_ bus: HostileBus) {
        let waiting = held
        held = []
        for delivery in waiting { answer(delivery, bus) }
        bus.settle()
    }

    private func answer(_ delivery: Delivery, _ bus: HostileBus) {
        reply(delivery, 0, "\(place.system): \(String(decoding: delivery.body, as: UTF8.self))", bus)
    }

    private func reply(_ delivery: Delivery, _ code: UInt16, _ body: String, _ bus: HostileBus) {
        let clock = clock(bus)
        let id = ids.next(unixMilliseconds: clock.wall)
        let route = ReplyRoute(delivery.header?.target ?? "", contract: nil, bindsRequest: core.signer != nil)
        let header = route.template.reply(
            id, created: clock.wall, to: delivery.envelope.header.id, outcome: code,
            digest: route.bindsRequest ? delivery.digest : nil)
        core.submit(
            Submission(kind: .reply, id: id, header: header, body: Array(body.utf8), answers: delivery.mark), clock,
            into: &actions)
    }

    private func conclude(_ command: Header, _ bus: HostileBus) {
        let clock = clock(bus)
        var header = Header(kind: .outcome, id: ids.next(unixMilliseconds: clock.wall), created: clock.wall)
        header.correlation = command.id
        header.target = command.target
        header.consumer = command.consumer
        header.provider = place.system
        submit(header, "done", bus)
    }

    // MARK: - Sending

    @discardableResult
    func ask(
        _ bus: HostileBus, _ target: String = Country.record, _ body: String = "{}", within milliseconds: UInt32 = 2000,
        id: MessageID? = nil
    ) -> MessageID {
        let clock = clock(bus)
        let id = id ?? ids.next(unixMilliseconds: clock.wall)
        let header = Route(.request, target, as: place.system, contract: nil).template.message(
            id, created: clock.wall, remaining: milliseconds)
        let deadline = clock.now + UInt64(milliseconds) * 1000
        submit(.request, id, header, body, deadline, bus)
        return id
    }

    @discardableResult
    func order(_ bus: HostileBus, _ body: String = "do", key: UInt128? = nil) -> MessageID {
        var header = fresh(.command, Country.order, bus)
        header.orderKey = key
        return submit(header, body, bus)
    }

    @discardableResult
    func publish(_ bus: HostileBus, _ body: String = "changed") -> MessageID {
        submit(fresh(.event, Country.changed, bus), body, bus)
    }

    private func fresh(_ kind: MessageKind, _ target: String, _ bus: HostileBus) -> Header {
        let clock = clock(bus)
        var header = Header(kind: kind, id: ids.next(unixMilliseconds: clock.wall), created: clock.wall)
        header.target = target
        header.consumer = place.system
        return header
    }

    /// What was sent before goes out again, as from an outbox: the same bytes.
    @discardableResult
    func submit(_ header: Header, _ body: String, _ bus: HostileBus) -> MessageID {
        submit(header.kind, header.id, header.encoded(), body, clock(bus).now + Self.patience, bus)
        return header.id
    }

    /// How long it waits for ACCEPT, microseconds.
    static let patience: UInt64 = 3_000_000

    private func submit(
        _ kind: MessageKind, _ id: MessageID, _ header: [UInt8], _ body: String, _ deadline: UInt64, _ bus: HostileBus
    ) {
        nextTicket += 1
        tickets[nextTicket] = id
        bytes[id] = SentBytes(header: header, body: Array(body.utf8))
        core.submit(
            Submission(
                kind: kind, id: id, header: header, body: Array(body.utf8), deadline: deadline, ticket: nextTicket),
            clock(bus), into: &actions)
    }

    func query(_ command: MessageID, _ bus: HostileBus) {
        let query = StateQuery(token: 1, consumer: place.system, commands: [command])
        _ = core.inquire(.query, query.encoded(), into: &actions)
        bus.settle()
    }

    /// Has the broker prove that a message is in its log, as `Agent.prove` does it.
    func prove(_ id: MessageID, _ bus: HostileBus, change: (inout LogClaim) -> Void = { _ in }) {
        guard let receipt = receipts[id], let head = TreeHead(receipt), let sent = bytes[id] else { return }
        var claim = LogClaim(id: id, leaf: sent.leaf, accepted: head)
        change(&claim)
        nextTicket += 1
        if let fault = core.prove([claim], of: place.system, token: nextTicket, into: &actions) {
            proofs.append(.failure(fault))
        }
        bus.settle()
    }

    // MARK: - What a test asks

    func acted(_ kind: MessageKind) -> [Acted] { acted.filter { $0.kind == kind } }
    func end(of id: MessageID) -> End? { ends[id]?.end }
}

/// The durable store of a system: a message's id goes in together with its effect, as `EffectWalk` has it.
final class Register {
    private(set) var effects: [MessageID] = []

    /// - Returns: whether this is the first time.
    func take(_ id: MessageID) -> Bool {
        guard !effects.contains(id) else { return false }
        effects.append(id)
        return true
    }
}
