import BusDirectory
import BusProtocol
import Synchronization
import ZeroMQ

/// The smallest broker that routes: a ROUTER on a free port, no rights, no journal. Enough to drive agents over real sockets.
final class MiniBroker: Sendable {
    struct Behaviour: Sendable {
        /// Requests are accepted and never delivered.
        var swallowsRequests = false
        /// This many SUBMIT frames are lost on the way.
        var losesSubmits = 0
        /// Nothing that comes is accepted, as by a broker that is about to die.
        var withholdsAccept = false
        /// The next messages of a kind are refused with these.
        var refuses: [MessageKind: [FaultCode]] = [:]
        var heartbeatMilliseconds: UInt32 = 1000
        /// By agent: the space it is sent, which nobody signed.
        var spaces: [String: SpaceSnapshot] = [:]
        /// WANT is not answered.
        var withholdsKeys = false
        /// Answers HELLO with this fault.
        var refusesHello: FaultCode?
    }

    let endpoint: String
    private let context: Context
    private let thread: SocketThread
    private let wakeup: Wakeup
    private let behaviour: Mutex<Behaviour>
    private let forget = Atomic(false)
    private let stopping = Atomic(false)
    /// Settlements seen, by command.
    let settled = Mutex<[(Command, Settlement.Row)]>([])
    /// The same, with the system that settled.
    let settledBy = Mutex<[(system: String, command: Command, row: Settlement.Row)]>([])
    let events = Mutex<[[UInt8]]>([])
    /// Commands and outcomes as they came, with every repetition.
    let durable = Mutex<[Envelope]>([])

    struct Envelope: Sendable, Equatable {
        let header: [UInt8]
        let body: [UInt8]
        /// Refused with a code of `Behaviour.refuses`.
        var isRefused = false
        var fields: Header { get throws { try Header(decoding: header) } }
    }

    func durable(_ kind: MessageKind) -> [Envelope] {
        durable.withLock { $0.filter { (try? $0.fields.kind) == kind } }
    }
    let submits = Atomic(0)
    /// Every body that came, as the broker sees it.
    let seen = Mutex<[[UInt8]]>([])
    /// Records of epochs that came.
    let records = Mutex<[(header: Header, body: [UInt8])]>([])
    /// What agents are asked at the next round: by system.
    let wishes = Mutex<[(system: String, wish: KeyWish)]>([])
    /// Headers of requests and replies as they came.
    let exchanged = Mutex<[[UInt8]]>([])

    func exchanged(_ kind: MessageKind) -> [Header] {
        exchanged.withLock { $0.compactMap { try? Header(decoding: $0) } }.filter { $0.kind == kind }
    }

    /// Kept as long as the broker runs: a CURVE server needs it.
    private let authenticator: ZAPHandler?

    /// - Parameters:
    ///   - secret: makes it a CURVE server.
    ///   - admitted: keys it lets in, Z85.
    init(
        _ behaviour: Behaviour = Behaviour(), endpoint wanted: String = "tcp://127.0.0.1:*",
        secret: CurveSecretKey? = nil,
        admitting admitted: Set<String> = []
    ) throws {
        self.behaviour = Mutex(behaviour)
        context = try Context()
        wakeup = try Wakeup()
        let endpoints = Mutex("")
        let bound = try Wakeup()
        let holder = Holder()
        let (context, wakeup) = (context, wakeup)
        authenticator = try secret.map { _ in
            try ZAPHandler(context: context) { admitted.contains($0.z85) ? $0.z85 : nil }
        }
        thread = try SocketThread(name: "mini-broker") {
            do throws(ZeroMQError) {
                var options = SocketOptions()
                options.sendHighWater = 10_000
                options.receiveHighWater = 10_000
                options.handover = true
                options.curve = secret.map { .server(secret: $0) }
                var socket = try Socket(context, .router, options: options)
                try socket.bind(wanted)
                let endpoint = try socket.lastEndpoint()
                endpoints.withLock { $0 = endpoint }
                bound.signal()
                guard let broker = holder.wait() else { return }
                try broker.run(socket, wakeup)
            } catch {
                bound.signal()
            }
        }
        _ = bound.wait(atMost: .seconds(5))
        endpoint = endpoints.withLock { $0 }
        holder.give(self)
    }

    deinit { stop() }

    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        wakeup.signal()
        thread.join()
    }

    /// Forgets every session, as a restarted broker would.
    func forgetSessions() {
        forget.store(true, ordering: .sequentiallyConsistent)
        wakeup.signal()
    }

    func change(_ body: (inout Behaviour) -> Void) { behaviour.withLock { body(&$0) } }

    // MARK: - On the thread

    private struct Session {
        var systems: [String]
        var received: UInt64 = 0
        var delivered: UInt64 = 0
        var outgoing: [OutgoingEnvelope] = []
        var owesAccept = false
        var refused: [Acceptance.Refused] = []
    }

    private struct State {
        var sessions: [[UInt8]: Session] = [:]
        var calls: [MessageID: [UInt8]] = [:]
        var treeSize: UInt64 = 0
    }

    private func run(_ socket: consuming Socket, _ wakeup: Wakeup) throws(ZeroMQError) {
        var socket = socket
        var poller = Poller()
        poller.add(socket)
        poller.add(wakeup)
        var state = State()
        while !stopping.load(ordering: .sequentiallyConsistent) {
            try poller.wait(atMost: .seconds(1))
            wakeup.drain()
            if forget.exchange(false, ordering: .sequentiallyConsistent) { state.sessions = [:] }
            for (frame, route) in takeWishes(state) { _ = try socket.send(frame, to: route) }
            var taken = 0
            while taken < 256, let received = try socket.receive() {
                taken += 1
                for (route, frame) in take(received.payload, received.route, &state) {
                    _ = try socket.send(frame, to: route)
                }
            }
            for route in state.sessions.keys {
                for frame in flush(route, &state) { _ = try socket.send(frame, to: route) }
            }
        }
    }

    private func take(_ frame: [UInt8], _ route: [UInt8], _ state: inout State) -> [([UInt8], [UInt8])] {
        frame.withUnsafeBytes { raw in
            guard let head = try? FrameHead(raw) else { return [] }
            var fields = head.fields(of: raw)
            switch head.command {
            case .hello:
                guard let hello = try? Hello(&fields) else { return [] }
                if let code = behaviour.withLock({ $0.refusesHello }) { return [(route, Self.error(code))] }
                state.sessions[route] = Session(systems: hello.systems)
                let space = behaviour.withLock { $0.spaces[hello.agent] }
                return welcome(state, space).map { (route, $0) }
            case .want:
                guard let wish = try? KeyWish(&fields), !behaviour.withLock({ $0.withholdsKeys }) else { return [] }
                return [(route, FrameHead(.keys, version: 3).frame(keys(wish).encoded()))]
            case .submit:
                guard state.sessions[route] != nil else { return [(route, Self.error(.notGreeted))] }
                submits.add(1, ordering: .relaxed)
                let loses = behaviour.withLock { behaviour in
                    guard behaviour.losesSubmits > 0 else { return false }
                    behaviour.losesSubmits -= 1
                    return true
                }
                if loses { return [] }
                guard head.sequence == (state.sessions[route]?.received ?? 0) + 1 else {
                    return [(route, Self.error(.outOfSequence))]
                }
                submitted(frame, raw, head, route, &state)
            case .ack, .nak, .term:
                if let rows = try? Settlement(&fields).rows {
                    settled.withLock { settled in for row in rows { settled.append((head.command, row)) } }
                    let system = state.sessions[route]?.systems.first ?? ""
                    settledBy.withLock { settled in for row in rows { settled.append((system, head.command, row)) } }
                }
            case .bye: state.sessions[route] = nil
            case .report: if state.sessions[route] == nil { return [(route, Self.error(.notGreeted))] }
            default: break
            }
            return []
        }
    }

    private func submitted(
        _ frame: [UInt8], _ raw: UnsafeRawBufferPointer, _ head: FrameHead, _ from: [UInt8], _ state: inout State
    ) {
        let swallows = behaviour.withLock { $0.swallowsRequests }
        _ = try? EnvelopeFrame.decode(raw, head) { _, result in
            guard case .success(let view) = result else { return }
            state.sessions[from]?.received += 1
            state.sessions[from]?.owesAccept = true
            seen.withLock { $0.append(Array(frame[view.body])) }
            if refuse(view, frame, from, &state) { return }
            let envelope = OutgoingEnvelope(
                header: frame[view.header.range], body: frame[view.body], annotations: Self.annotations(&state))
            if view.header.kind == .request || view.header.kind == .reply {
                exchanged.withLock { $0.append(Array(frame[view.header.range])) }
            }
            switch view.header.kind {
            case .request:
                state.calls[view.header.id] = from
                let target = String(decoding: frame[view.header.target], as: UTF8.self)
                let provider = state.sessions.first { $0.value.systems.contains(Names.system(of: target)) }
                if !swallows, let provider { state.sessions[provider.key]?.outgoing.append(envelope) }
            case .reply:
                if let consumer = state.calls.removeValue(forKey: view.header.correlation) {
                    state.sessions[consumer]?.outgoing.append(envelope)
                }
            case .event:
                events.withLock { $0.append(Array(frame[view.header.range])) }
                for route in state.sessions.keys where route != from {
                    state.sessions[route]?.outgoing.append(envelope)
                }
            case .command:
                keep(view, frame)
                let target = String(decoding: frame[view.header.target], as: UTF8.self)
                let provider = state.sessions.first { $0.value.systems.contains(Names.system(of: target)) }
                if let provider { state.sessions[provider.key]?.outgoing.append(envelope) }
            case .outcome:
                keep(view, frame)
                let system = String(decoding: frame[view.header.consumer], as: UTF8.self)
                let consumer = state.sessions.first { $0.value.systems.contains(system) }
                if let consumer { state.sessions[consumer.key]?.outgoing.append(envelope) }
            case .keyEpoch, .keyWrap:
                guard let header = try? Header(decoding: raw, in: view.header.range) else { return }
                records.withLock { $0.append((header, Array(frame[view.body]))) }
            }
        }
    }

    private func keys(_ wish: KeyWish) -> KeyAnswer {
        let found = records.withLock { records in
            records.filter { record in
                record.header.provider == wish.system
                    && wish.epochs.contains { name in
                        let isOrderSecret = record.header.target == record.header.consumer
                        return name.sender == record.header.consumer
                            && (name.epoch == record.header.keyEpoch || (name.epoch == 0 && isOrderSecret))
                    }
            }
        }
        return KeyAnswer(
            token: wish.token,
            rows: found.map {
                KeyAnswer.Row(
                    EpochName($0.header.keyEpoch ?? 0, of: $0.header.consumer), event: $0.header.target, record: $0.body
                )
            })
    }

    func sendsSpace(to agent: String) -> Bool { behaviour.withLock { $0.spaces[agent] != nil } }

    /// Asks the agents of a system for keys of their events.
    func ask(_ system: String, _ wish: KeyWish) {
        wishes.withLock { $0.append((system, wish)) }
        wakeup.signal()
    }

    private func takeWishes(_ state: State) -> [([UInt8], [UInt8])] {
        let taken = wishes.withLock { wishes in
            defer { wishes = [] }
            return wishes
        }
        return taken.flatMap { item in
            state.sessions.filter { $0.value.systems.contains(item.system) }.map {
                (FrameHead(.want, version: 3).frame(item.wish.encoded()), $0.key)
            }
        }
    }

    private func keep(_ view: EnvelopeView, _ frame: [UInt8], isRefused: Bool = false) {
        let envelope = Envelope(
            header: Array(frame[view.header.range]), body: Array(frame[view.body]), isRefused: isRefused)
        durable.withLock { $0.append(envelope) }
    }

    private func refuse(_ view: EnvelopeView, _ frame: [UInt8], _ from: [UInt8], _ state: inout State) -> Bool {
        let code = behaviour.withLock { behaviour -> FaultCode? in
            guard behaviour.refuses[view.header.kind]?.isEmpty == false else { return nil }
            return behaviour.refuses[view.header.kind]?.removeFirst()
        }
        guard let code, let sequence = state.sessions[from]?.received else { return false }
        keep(view, frame, isRefused: true)
        state.sessions[from]?.refused.append(.init(sequence: sequence, code: code.number, hop: .broker))
        return true
    }

    private static func annotations(_ state: inout State) -> Annotations {
        state.treeSize += 1
        var annotations = Annotations()
        annotations.position = state.treeSize
        annotations.attempt = 1
        return annotations
    }

    private func flush(_ route: [UInt8], _ state: inout State) -> [[UInt8]] {
        guard let session = state.sessions[route] else { return [] }
        var frames: [[UInt8]] = []
        if session.owesAccept, !behaviour.withLock({ $0.withholdsAccept }) {
            let accept = Acceptance(
                sequence: session.received, treeSize: state.treeSize, root: [UInt8](repeating: 1, count: 32),
                refused: session.refused)
            state.sessions[route]?.refused = []
            frames.append(head(.accept, session).frame(accept.encoded()))
        }
        var left = session.outgoing[...]
        var delivered = session.delivered
        while !left.isEmpty {
            let batch = left.prefix(60)
            left = left.dropFirst(60)
            var head = head(.deliver, session)
            head.sequence = delivered + 1
            delivered += UInt64(batch.count)
            frames.append(EnvelopeFrame.encode(head, batch))
        }
        state.sessions[route]?.delivered = delivered
        state.sessions[route]?.outgoing.removeAll(keepingCapacity: true)
        state.sessions[route]?.owesAccept = false
        return frames
    }

    private func head(_ command: Command, _ session: Session?) -> FrameHead {
        var head = FrameHead(command)
        head.messageLimit = (session?.received ?? 0) + Limits.creditMessages
        head.byteLimit = .max
        return head
    }

    /// WELCOME, and behind it the space where this agent gets one.
    private func welcome(_ state: State, _ space: SpaceSnapshot?) -> [[UInt8]] {
        var welcome = Welcome(
            heartbeatMilliseconds: behaviour.withLock { $0.heartbeatMilliseconds },
            session: UInt64.random(in: 1...1 << 40),
            broker: 1, spaceVersion: space?.version ?? 1, treeSize: state.treeSize,
            root: [UInt8](repeating: 1, count: 32), name: "mini")
        guard let space else { return [head(.welcome, nil).frame(welcome.encoded())] }
        welcome.version = 3
        welcome.spaceDigest = space.digest.bytes
        let frame = SpaceFrame(
            version: space.version, signature: SignedSpace.noSignature, canonical: space.canonical)
        var head = head(.welcome, nil)
        head.version = 3
        return [head.frame(welcome.encoded()), FrameHead(.space, version: 3).frame(frame.encoded())]
    }

    private static func error(_ code: FaultCode) -> [UInt8] {
        FrameHead(.error).frame(FaultNotice(Fault(code, at: .broker, "mini"), at: .broker).encoded())
    }

    /// Hands the broker to its thread without making it own itself.
    private final class Holder: Sendable {
        private let given = Mutex<Unowned?>(nil)
        private let wakeup = try? Wakeup()
        private struct Unowned: Sendable { unowned let broker: MiniBroker }
        func give(_ broker: MiniBroker) {
            given.withLock { $0 = Unowned(broker: broker) }
            wakeup?.signal()
        }
        func wait() -> MiniBroker? {
            _ = wakeup?.wait(atMost: .seconds(5))
            return given.withLock { $0?.broker }
        }
    }
}
