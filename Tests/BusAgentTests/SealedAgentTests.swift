import BusContracts
import BusDirectory
import BusEvidence
import BusProtocol
import Foundation
import Synchronization
import Testing

@testable import BusAgent

/// Agents over real sockets that seal what they send and open what they get; the broker between them keeps everything it sees.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct SealedAgentTests {
    /// Two systems with their keys, and the space that states them.
    struct Stage {
        let portal: SealFile
        let register: SealFile
        let space: SpaceSnapshot
        static let service = "register.record-get.v1"
        static let event = "register.changed.v1"
        static let order = "register.record-order.v1"

        /// - Parameters:
        ///   - validity: of the register's key.
        ///   - order: id of its secret for order keys, where the space is to state another than it has.
        init(_ validity: KeyValidity = KeyValidity(), order: String? = nil) throws {
            portal = SealFile(system: "portal", secret: try SystemKey())
            register = SealFile(system: "register", secret: try SystemKey())
            let day = try #require(CalendarDate("2030-12-31"))
            func integration(_ id: String, _ service: String) -> Integration {
                Integration(
                    id: id, consumer: "portal", service: service, owner: "a", planYear: 2026, due: day, stage: .approved
                )
            }
            let space = Space(
                id: "small", title: LocalizedName(en: "Small"),
                broker: BrokerFacts(id: "b", endpoint: "tcp://127.0.0.1:7400"),
                agencies: [Agency(id: "a", name: LocalizedName(en: "A"))],
                systems: ["portal", "register"].map { InformationSystem(id: $0, owner: "a", status: .operation) },
                services: [
                    OfferedService(name: Self.service, kind: .request, system: "register"),
                    OfferedService(name: Self.event, kind: .event, system: "register"),
                    OfferedService(name: Self.order, kind: .command, system: "register"),
                ],
                integrations: [
                    integration("one", Self.service), integration("three", Self.order), integration("two", Self.event),
                ],
                // They sign nothing here.
                keys: [
                    AgentKey(agent: "portal-1", systems: ["portal"], curve: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"),
                    AgentKey(
                        agent: "register-1", systems: ["register"], curve: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"),
                ],
                seals: [
                    SystemSeal(system: "portal", seal: "\(portal.publicKey)"),
                    SystemSeal(
                        system: "register", seal: "\(register.publicKey)", order: order ?? register.order.name,
                        validity: validity),
                ])
            self.space = try SpaceSnapshot(space)
        }

        func behaviour(_ agents: String...) -> MiniBroker.Behaviour {
            var behaviour = MiniBroker.Behaviour()
            behaviour.heartbeatMilliseconds = 20_000
            for agent in agents { behaviour.spaces[agent] = space }
            return behaviour
        }

        func agent(
            _ name: String, _ broker: MiniBroker, seals: [SealFile]? = nil, contracts: ContractLibrary? = nil,
            _ prepare: (Agent) -> Void = { _ in }
        ) async throws -> Agent {
            let system = String(name.prefix { $0 != "-" })
            var configuration = AgentConfiguration(broker: broker.endpoint, name: name, systems: [system])
            configuration.timing.keyPatience = 500_000
            configuration.contracts = contracts
            configuration.seals = seals ?? [system == "portal" ? portal : register]
            let agent = try await Agent.connect(configuration, preparing: prepare)
            // The space follows WELCOME.
            if broker.sendsSpace(to: name) { #expect(await comes { agent.spaceVersion == 1 }) }
            return agent
        }
    }

    static let canary = Array("canary 990101500016".utf8)

    private func leaks(_ broker: MiniBroker) -> Int {
        broker.seen.withLock { bodies in bodies.count { Data($0).range(of: Data(Self.canary)) != nil } }
    }

    @Test("what is asked and answered is open at both ends and closed in between, and one record serves many messages")
    func sealedBothWays() async throws {
        let stage = try Stage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let register = try await stage.agent("register-1", broker) { agent in
            agent.answer(Stage.service) { inquiry in inquiry.body + Array(" answered".utf8) }
        }
        let portal = try await stage.agent("portal-1", broker)
        for _ in 0..<20 {
            let answer = try await portal.ask(Stage.service, Self.canary)
            #expect(answer.body == Self.canary + Array(" answered".utf8))
        }
        // A fault's words are for the asker alone, too.
        await expectFault(4040, at: portal) {
            register.answer(Stage.service) { _ in
                throw BusFault(.noSuchService, at: .providerSystem, String(decoding: Self.canary, as: UTF8.self))
            }
            _ = try await portal.ask(Stage.service, Self.canary)
        }
        #expect(leaks(broker) == 0 && broker.seen.withLock { $0.count } >= 42)
        #expect(broker.records.withLock { $0.map(\.header.kind) } == [.keyEpoch, .keyEpoch])
        await portal.close()
        await register.close()
        broker.stop()
    }

    @Test("a message waits for its key; without it the asker learns the reason")
    func keyComesLate() async throws {
        let stage = try Stage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let register = try await stage.agent("register-1", broker) { $0.answer(Stage.service) { $0.body } }
        let portal = try await stage.agent("portal-1", broker)
        broker.change { $0.withholdsKeys = true }
        let asking = Task { try await portal.ask(Stage.service, Self.canary, deadline: .seconds(20)) }
        #expect(await comes { !broker.records.withLock { $0.isEmpty } })
        broker.change { $0.withholdsKeys = false }
        #expect(try await asking.value.body == Self.canary)
        await register.close()
        // Another agent of the system, which has not met the epoch, and is given nothing.
        let other = try await stage.agent("register-1", broker) { $0.answer(Stage.service) { $0.body } }
        broker.change { $0.withholdsKeys = true }
        await expectFault(4015, at: portal) {
            _ = try await portal.ask(Stage.service, Self.canary, deadline: .seconds(30))
        }
        await portal.close()
        await other.close()
        broker.stop()
    }

    @Test("who does not seal is refused by the agent that is asked, and by the agent that asks")
    func openIsRefused() async throws {
        let stage = try Stage()
        // The portal's agent knows no space, and sends as before there were seals.
        let broker = try MiniBroker(stage.behaviour("register-1"))
        let register = try await stage.agent("register-1", broker) { agent in
            agent.answer(Stage.service) { _ in
                Issue.record("an open message reached the handler")
                return []
            }
        }
        let portal = try await stage.agent("portal-1", broker)
        // The refusal comes sealed, and can be read by an agent that has the key.
        await expectFault(4014, at: portal) { _ = try await portal.ask(Stage.service, Self.canary) }
        await register.close()
        broker.stop()
        await portal.close()

        let second = try MiniBroker(stage.behaviour("portal-1"))
        let ignorant = try await stage.agent("register-1", second) { $0.answer(Stage.service) { $0.body } }
        let asker = try await stage.agent("portal-1", second)
        await expectFault(4014, at: asker) { _ = try await asker.ask(Stage.service, Self.canary) }
        await asker.close()
        await ignorant.close()
        second.stop()
    }

    @Test("an agent with another key cannot open it, and says so; events become dead letters")
    func wrongKey() async throws {
        let stage = try Stage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let stranger = SealFile(system: "register", secret: try SystemKey())
        let register = try await stage.agent("register-1", broker, seals: [stranger]) { agent in
            agent.answer(Stage.service) { _ in
                Issue.record("opened with a wrong key")
                return []
            }
        }
        let lost = try await stage.agent("portal-1", broker, seals: []) { agent in
            agent.subscribe(Stage.event) { _ in Issue.record("opened without a key") }
        }
        await expectFault(4015, at: lost) { _ = try await lost.ask(Stage.service, Self.canary) }
        _ = try await register.publish(Stage.event, Self.canary)
        #expect(
            await comes {
                broker.settledBy.withLock { rows in
                    rows.contains { $0.system == "portal" && $0.command == .term && $0.row.code == 4015 }
                }
            })
        await lost.close()
        await register.close()
        broker.stop()
    }

    @Test("the key that was replaced still opens what was sealed to it")
    func rotation() async throws {
        let stage = try Stage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let next = SealFile(system: "register", secret: try SystemKey())
        let register = try await stage.agent("register-1", broker, seals: [next, stage.register]) { agent in
            agent.answer(Stage.service) { $0.body }
        }
        let portal = try await stage.agent("portal-1", broker)
        #expect(try await portal.ask(Stage.service, Self.canary).body == Self.canary)
        await portal.close()
        await register.close()
        broker.stop()
    }

    @Test(
        "an event is sealed once for all; a subscriber that came later gets its key from the publisher, also after its restart"
    )
    func events() async throws {
        let stage = try Stage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let register = try await stage.agent("register-1", broker)
        let got = Received()
        let portal = try await stage.agent("portal-1", broker) { $0.subscribe(Stage.event) { got.add($0.body) } }
        for _ in 0..<3 { _ = try await register.publish(Stage.event, Self.canary) }
        #expect(await comes { got.bodies == [Self.canary, Self.canary, Self.canary] })
        #expect(leaks(broker) == 0)
        func wraps(_ system: String) -> Int {
            broker.records.withLock { $0.count { $0.header.kind == .keyWrap && $0.header.provider == system } }
        }
        #expect(wraps("portal") == 1 && wraps("register") == 1)
        let epoch = try #require(broker.records.withLock { $0.first { $0.header.kind == .keyWrap }?.header.keyEpoch })
        let wish = KeyWish(token: 0, system: "portal", epochs: [EpochName(epoch, of: "register")])
        broker.ask("register", wish)
        #expect(await comes { wraps("portal") == 2 })
        // An agent that did not make the key takes its system's own copy from the broker.
        await register.close()
        let heir = try await stage.agent("register-1", broker)
        #expect(
            await comes {
                broker.ask("register", wish)
                return wraps("portal") >= 3
            })
        // Nobody is given it who may not receive the event.
        broker.ask("register", KeyWish(token: 0, system: "bank", epochs: [EpochName(epoch, of: "register")]))
        _ = try await heir.publish(Stage.event, Self.canary)
        #expect(wraps("bank") == 0)
        await portal.close()
        await heir.close()
        broker.stop()
    }

    @Test("a message that was sealed and stored by a process that is gone is opened all the same")
    func storedMessage() async throws {
        let stage = try Stage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "portal-2", "register-1"))
        let got = Received()
        let portal = try await stage.agent("portal-1", broker)
        let stored = try portal.prepareCommand(Stage.order, Self.canary)
        await portal.close()
        #expect(broker.records.withLock { $0.isEmpty }, "nothing of it has left")
        let register = try await stage.agent("register-1", broker) { agent in
            agent.perform(Stage.order) { command in
                got.add(command.body)
                return .taken
            }
        }
        let heir = try await stage.agent("portal-2", broker)
        // As the outbox has it after a restart: read back from bytes.
        let keys = KeyMessage.read(KeyMessage.stored(stored.keys))
        #expect(keys == stored.keys && keys.count == 1)
        let again = PreparedMessage(
            kind: stored.kind, id: stored.id, header: stored.header, body: stored.body, keys: keys)
        _ = try await heir.submit(again)
        _ = try await heir.submit(again)
        #expect(await comes { got.bodies.count == 2 })
        #expect(got.bodies.allSatisfy { $0 == Self.canary } && broker.records.withLock { $0.count } == 1)
        await heir.close()
        await register.close()
        broker.stop()
    }

    private static let ordered = """
        {"contract":"register.record-order.v1","kind":"command","title":{"kk":"а","ru":"б","en":"c"},"summary":"An order.",
         "request":{"type":"object","properties":{"iin":{"type":"string"}}},"reply":{"type":"object"},"x-order-key":"/iin",
         "examples":[{"request":{"iin":"1"},"reply":{}},{"request":{"iin":"2"},"reply":{}}]}
        """

    @Test(
        "order keys are made with the provider's secret, which a consumer waits for, and which says nothing to others")
    func orderKeys() async throws {
        let stage = try Stage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let library = ContractLibrary([try Contract.parse(Array(Self.ordered.utf8))])
        let portal = try await stage.agent("portal-1", broker, contracts: library)
        let body = Array(#"{"iin":"000000000000"}"#.utf8)
        // Nobody is there to give it: an outbox tries again, a caller is told when its time is over.
        await expectFault(5030, at: portal) { _ = try portal.prepareCommand(Stage.order, body) }
        await expectFault(5030, at: portal) {
            _ = try await portal.send(Stage.order, body, deadline: .milliseconds(50))
        }
        let sending = Task { try await portal.send(Stage.order, body, deadline: .seconds(20)) }
        let register = try await stage.agent("register-1", broker, contracts: library) { agent in
            agent.perform(Stage.order) { _ in .taken }
        }
        broker.ask("register", KeyWish(token: 0, system: "portal", epochs: [EpochName(0, of: "register")]))
        _ = try await sending.value
        let key = try #require(try broker.durable(.command).last?.fields.orderKey)
        let value = Array(#""000000000000""#.utf8)
        #expect(key == stage.register.order.orderKey(of: value))
        #expect(key != OrderKey.open(value, provider: "register"), "whoever tries all numbers finds it")
        #expect(key != stage.portal.order.orderKey(of: value))
        // The provider's own messages about the object have the same key; a renewed seal key changes nothing.
        #expect(
            try Header(decoding: register.prepareCommand(Stage.order, body, as: "register").header).orderKey == key)
        let kept = SealFile(system: "register", secret: try SystemKey(), order: stage.register.order)
        #expect(kept.order.orderKey(of: value) == key)
        // It is given to no system that has nothing to send there.
        broker.ask("register", KeyWish(token: 0, system: "register", epochs: [EpochName(0, of: "register")]))
        _ = try await portal.send(Stage.order, body)
        #expect(
            broker.records.withLock { $0.filter { $0.header.target == "register" }.map(\.header.provider) } == [
                "portal"
            ])
        await portal.close()
        await register.close()
        broker.stop()
    }

    @Test("a key that has expired opens nothing: what was sealed to it waits for a new one")
    func expiredKey() async throws {
        let stage = try Stage(KeyValidity(until: CalendarDate("2026-01-31")))
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let portal = try await stage.agent("portal-1", broker)
        await expectFault(5030, at: portal) { _ = try await portal.ask(Stage.service, Self.canary) }
        await expectFault(5030, at: portal) { _ = try portal.prepareCommand(Stage.order, Self.canary) }
        #expect(broker.seen.withLock { $0.isEmpty })
        await portal.close()
        broker.stop()
    }

    @Test("two agents of a system that ask each other for a key nobody has come to an end")
    func wantedInVain() throws {
        var waiting = WaitingForKeys(patience: 5_000_000)
        let name = EpochName(7, of: "register")
        for now in stride(from: 0 as UInt64, to: 10_000_000, by: 500_000) {
            waiting.add(nil, name, for: "register", at: now)
            _ = waiting.due(at: now)
            _ = waiting.expired(at: now)
            if now == 4_500_000 { #expect(waiting.wants(name)) }
            if now == 5_000_000 { #expect(!waiting.wants(name)) }
        }
        // Without a session there is nothing to wake up for but the end.
        waiting = WaitingForKeys(patience: 5_000_000)
        waiting.add(nil, EpochName(8, of: "register"), for: "register", at: 20_000_000)
        #expect(waiting.nextTime(canAsk: true) == 20_000_000 && waiting.nextTime(canAsk: false) == 25_000_000)
        for epoch in 100...3000 as ClosedRange<UInt64> {
            waiting.add(nil, EpochName(epoch, of: "register"), for: "register", at: 20_000_000)
        }
        #expect(!waiting.wants(EpochName(3000, of: "register")), "others may ask again later")
    }

    @Test("a secret for order keys that the space does not state is nobody's, whoever wrapped it")
    func foreignOrderSecret() async throws {
        let stage = try Stage(order: OrderSecret(system: "register").name)
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let library = ContractLibrary([try Contract.parse(Array(Self.ordered.utf8))])
        let portal = try await stage.agent("portal-1", broker, contracts: library)
        let register = try await stage.agent("register-1", broker, contracts: library)
        let sending = Task {
            try await portal.send(Stage.order, Array(#"{"iin":"1"}"#.utf8), deadline: .milliseconds(300))
        }
        broker.ask("register", KeyWish(token: 0, system: "portal", epochs: [EpochName(0, of: "register")]))
        #expect(await comes { broker.records.withLock { $0.contains { $0.header.target == "register" } } })
        await expectFault(5030, at: portal) { _ = try await sending.value }
        #expect(broker.durable(.command).isEmpty)
        await portal.close()
        await register.close()
        broker.stop()
    }

    @Test("who sends what nobody can open holds only its own share")
    func share() {
        var waiting = WaitingForKeys(patience: 5_000_000)
        let answer = WaitingForKeys.Item.state(token: 1, StateAnswer(token: 1, rows: []))
        for count in 0..<WaitingForKeys.mostOfOneSender {
            #expect(waiting.hasRoom(for: EpochName(1, of: "portal")), "\(count)")
            waiting.add(answer, EpochName(1, of: "portal"), for: "register", at: 0)
        }
        #expect(!waiting.hasRoom(for: EpochName(1, of: "portal")) && waiting.hasRoom(for: EpochName(1, of: "bank")))
        for epoch in 0..<UInt64(WaitingForKeys.epochsOfOneSender) {
            waiting.add(answer, EpochName(epoch, of: "bank"), for: "register", at: 0)
        }
        #expect(!waiting.hasRoom(for: EpochName(1000, of: "bank")) && waiting.hasRoom(for: EpochName(3, of: "bank")))
    }

    @Test("a body that does not fit when it is sealed is refused with the size that does")
    func largestBody() async throws {
        let stage = try Stage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let register = try await stage.agent("register-1", broker) { $0.answer(Stage.service) { $0.body } }
        let portal = try await stage.agent("portal-1", broker)
        let most = [UInt8](repeating: 0x20, count: Limits.body - SealSender.growth)
        #expect(try await portal.ask(Stage.service, most).body == most)
        await expectFault(4130, at: portal) { _ = try await portal.ask(Stage.service, most + [0x20]) }
        await portal.close()
        await register.close()
        broker.stop()
    }

    private func expectFault(_ number: UInt16, at agent: Agent, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("no fault, \(number) was expected")
        } catch {
            #expect((error as? BusFault)?.number == number, "\(error)")
        }
    }
}

/// Waits until something is so, ten seconds at most.
private func comes(_ isSo: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while !isSo() {
        guard ContinuousClock.now < end else { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// Bodies that reached a handler.
final class Received: Sendable {
    private let lock = NSLock()
    // Guarded by `lock`.
    nonisolated(unsafe) private var all: [[UInt8]] = []
    func add(_ body: [UInt8]) { lock.withLock { all.append(body) } }
    var bodies: [[UInt8]] { lock.withLock { all } }
}
