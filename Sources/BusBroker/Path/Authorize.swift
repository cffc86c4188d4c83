import BusDirectory
import BusEvidence
import BusIntegrations
import BusProtocol

/// Step 2: who may call what. A right exists only through a registered integration in testing or approved; all else is
/// refused and counted as traffic nobody planned.
///
/// Decisions are remembered per (agent, consumer, service) by the bytes of the header.
struct Rights: Sendable {
    struct Right: Sendable, Equatable {
        /// Dense index of the integration in the space in force.
        var integration: UInt32
        var stage: UInt8
        /// Indices of the systems.
        var provider: Int
        var consumer: Int
    }
    enum Decision: Sendable {
        case allowed(Right)
        case refused(FaultCode)
    }
    enum Publication: Sendable {
        case allowed(Int)
        case refused(FaultCode)
    }

    /// A key of the directory.
    struct Agent: Sendable {
        let name: String
        let key: String
        let systems: [String]
        let validity: KeyValidity
        /// With which it signs; nil: an agent of before, which signs nothing.
        let sign: SenderKey?
        /// When an agent of before may speak, Unix milliseconds; nil: never unsigned.
        let unsigned: ClosedRange<Int64>?
        var quota: TrafficQuota?
    }

    /// One subscription: an integration whose service is an event.
    struct Subscription: Sendable {
        let integration: UInt32
        let stage: UInt8
        let subscriber: Int
    }

    let snapshot: SpaceSnapshot
    /// The keys, as receivers look them up.
    let directory: Directory
    let agents: [Agent]
    let systems: [String]
    /// Their names as they stand in headers.
    private let systemBytes: [[UInt8]]
    /// Usually there are none, and nothing is counted then.
    let hasQuotas: Bool
    /// Event types by index, and who subscribes to each.
    let eventTypes: [String]
    let subscriptions: [[Subscription]]

    private let agentByKey: [String: Int]
    private let systemIndex: [String: Int]
    private let eventIndex: [String: Int]
    let routes: Routes
    private let services: [String: OfferedService]
    let seals: RequiredSeals
    /// Live sessions that serve each system.
    private(set) var providers: [[Int]]
    private var turn: [Int]
    private(set) var recent = RecentDecisions()

    init(_ snapshot: SpaceSnapshot) {
        let space = snapshot.space
        self.snapshot = snapshot
        directory = Directory(snapshot)
        agents = space.keys.map { key in
            Agent(
                name: key.agent, key: key.curve, systems: key.systems, validity: key.validity, sign: key.senderKey,
                unsigned: key.sign == nil ? key.validity.times : nil, quota: key.quota)
        }
        hasQuotas = space.keys.contains { $0.quota != nil } || space.integrations.contains { $0.quota != nil }
        systems = space.systems.map(\.id)
        systemBytes = systems.map { Array($0.utf8) }
        agentByKey = Dictionary(agents.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        systemIndex = Dictionary(systems.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        eventTypes = space.services.filter { $0.kind == .event }.map(\.name)
        eventIndex = Dictionary(eventTypes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        routes = Routes(snapshot)
        services = Dictionary(space.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        providers = systems.map { _ in [] }
        turn = systems.map { _ in 0 }
        var subscriptions = eventTypes.map { _ in [Subscription]() }
        for (index, integration) in space.integrations.enumerated() where integration.stage.permitsTraffic {
            guard let event = eventIndex[integration.service], let subscriber = systemIndex[integration.consumer] else {
                continue
            }
            subscriptions[event].append(
                Subscription(integration: UInt32(index), stage: integration.stage.number, subscriber: subscriber))
        }
        self.subscriptions = subscriptions
        seals = RequiredSeals(directory, systems: systems, events: eventTypes)
    }

    func agent(key: String) -> Int? { agentByKey[key] }

    /// Why a key may not be used now; nil: it may.
    func refusal(ofKey key: String, _ now: Moment) -> Fault? {
        guard let agent = agentByKey[key] else {
            return Fault(.unknownKey, at: .broker, "the key \(key) is not in the space")
        }
        let state = agents[agent].validity.state(at: now.wallMilliseconds)
        guard state != .valid else { return nil }
        return Fault(.keyNotValid, at: .broker, "the key \(key) of \(agents[agent].name) \(state.words)")
    }
    func system(_ name: String) -> Int? { systemIndex[name] }
    /// Whether these bytes are a system's name.
    func isName(_ bytes: UnsafeRawBufferPointer, of system: Int) -> Bool {
        systemBytes.indices.contains(system) && bytes.isSame(as: systemBytes[system])
    }
    func event(_ name: String) -> Int? { eventIndex[name] }
    func service(_ name: String) -> OfferedService? { services[name] }

    // MARK: - Who is there

    func hasLiveAgent(_ system: Int) -> Bool { providers.indices.contains(system) && !providers[system].isEmpty }

    mutating func join(slot: Int, systems names: [String]) {
        for name in names { if let system = systemIndex[name] { providers[system].append(slot) } }
    }

    mutating func leave(slot: Int) {
        for system in providers.indices { providers[system].removeAll { $0 == slot } }
    }

    /// Whether one of a system's agents takes this work, and is as wanted.
    func hasTaker(
        _ system: Int, of work: Work, _ sessions: SessionTable, where isWanted: (Session) -> Bool
    ) -> Bool {
        providers.indices.contains(system)
            && providers[system].contains { slot in
                !sessions[slot].isDraining && sessions[slot].fit(work) != .none && isWanted(sessions[slot])
            }
    }

    /// The session of a system's agent, where it has one alone.
    func onlyProvider(of system: Int) -> Int? {
        guard providers.indices.contains(system), providers[system].count == 1 else { return nil }
        return providers[system][0]
    }

    /// The next agent of a system that takes this work: who names it first, then who has the fewest open requests, in turn among
    /// equals.
    mutating func choose(_ system: Int, for work: Work, _ sessions: SessionTable, cost: Int) -> Int? {
        // A system that left the space while a request to it was open has no index any more.
        guard providers.indices.contains(system) else { return nil }
        let candidates = providers[system]
        if candidates.count == 1 {
            // Field by field: a copy of the whole session would cost more than the rest of the choice.
            let slot = candidates[0]
            return sessions[slot].isDraining || sessions[slot].fit(work) == .none ? nil : slot
        }
        var best: (slot: Int, fit: TakenWork.Fit, load: Int)?
        for step in candidates.indices {
            let slot = candidates[(turn[system] + step) % candidates.count]
            if sessions[slot].isDraining { continue }
            let fit = sessions[slot].fit(work)
            if fit == .none { continue }
            let load =
                sessions[slot].outstanding + sessions[slot].unsettled.count
                + (sessions[slot].hasRoom(for: cost) ? 0 : 1_000_000)
            if best.map({ fit > $0.fit || (fit == $0.fit && load < $0.load) }) ?? true { best = (slot, fit, load) }
        }
        turn[system] += 1
        return best?.slot
    }

    // MARK: - Decisions

    mutating func decide(
        agent: Int, consumer: Range<Int>, target: Range<Int>, in raw: UnsafeRawBufferPointer,
        for kind: OfferedService.Kind
    ) -> RecentDecisions.Answer {
        let question = RecentDecisions.Question(
            agent: agent, isCommand: kind == .command, consumer: raw.part(consumer), target: raw.part(target))
        if let known = recent.answer(to: question) { return known }
        let decision = judge(
            agent, String(decoding: raw[consumer], as: UTF8.self), String(decoding: raw[target], as: UTF8.self), kind)
        return recent.keep(decision, for: question)
    }

    private func judge(
        _ agent: Int, _ consumer: String, _ target: String, _ kind: OfferedService.Kind
    ) -> Decision {
        guard agents[agent].systems.contains(consumer) else { return .refused(.keyNotForSystem) }
        switch routes.way(from: consumer, to: target) {
        case .success(let way):
            // The right to receive an event is no right to ask its publisher, and an order is no question.
            guard way.service.kind == kind else { return .refused(.wrongKind) }
            guard let provider = systemIndex[way.service.provider] else { return .refused(.noSuchService) }
            return .allowed(
                Right(
                    integration: UInt32(way.index), stage: way.stage.number, provider: provider,
                    consumer: systemIndex[consumer] ?? -1))
        case .failure(.noSuchService): return .refused(.noSuchService)
        case .failure(.noIntegration): return .refused(.noIntegration)
        case .failure(.stageForbids): return .refused(.stageForbids)
        }
    }

    /// Publishing needs no integration: an event belongs to its system. Only agents of that system may publish it.
    func mayPublish(
        agent: Int, _ publisher: Range<Int>, _ target: Range<Int>, in raw: UnsafeRawBufferPointer
    ) -> Publication {
        let publisher = String(decoding: raw[publisher], as: UTF8.self)
        let target = String(decoding: raw[target], as: UTF8.self)
        guard agents[agent].systems.contains(publisher) else { return .refused(.keyNotForSystem) }
        guard let event = eventIndex[target] else {
            return .refused(services[target] == nil ? .noSuchService : .wrongKind)
        }
        guard Names.system(of: target) == publisher else { return .refused(.keyNotForSystem) }
        return .allowed(event)
    }
}

/// A pair of undeclared traffic and the code it was refused with.
struct RefusalKey: Hashable, Comparable, Sendable {
    var consumer: String
    var target: String
    var code: FaultCode

    static func < (a: RefusalKey, b: RefusalKey) -> Bool {
        (a.consumer, a.target, a.code.number) < (b.consumer, b.target, b.code.number)
    }
}

extension Integration.Stage {
    /// The stage as one byte of a record: its number in the plan's own order.
    var number: UInt8 { Stage(name: rawValue)?.rawValue ?? .max }
}

extension BrokerCore {
    /// Counts a call that had no right. Names that are no names are counted together, so that noise cannot fill the table.
    mutating func noteRefused(_ raw: UnsafeRawBufferPointer, _ view: EnvelopeView, _ code: FaultCode) {
        func name(_ range: Range<Int>, _ isValid: (Slice<UnsafeRawBufferPointer>) -> Bool) -> String {
            isValid(raw[range]) ? String(decoding: raw[range], as: UTF8.self) : "(unreadable)"
        }
        let key = RefusalKey(
            consumer: name(view.header.consumer, Names.isSystem), target: name(view.header.target, Names.isService),
            code: code)
        if refusals[key] != nil || refusals.count < limits.refusedPairs { refusals[key, default: 0] += 1 }
    }
}
