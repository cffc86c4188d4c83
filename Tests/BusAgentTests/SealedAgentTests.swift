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
    static let canary = Array("canary 990101500016".utf8)

    private func leaks(_ broker: MiniBroker) -> Int {
        broker.seen.withLock { bodies in bodies.count { Data($0).range(of: Data(Self.canary)) != nil } }
    }

    @Test("what is asked and answered is open at both ends and closed in between, and one record serves many messages")
    func sealedBothWays() async throws {
        let stage = try SealStage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let register = try await stage.agent("register-1", broker) { agent in
            agent.answer(SealStage.service) { inquiry in inquiry.body + Array(" answered".utf8) }
        }
        let portal = try await stage.agent("portal-1", broker)
        for _ in 0..<20 {
            let answer = try await portal.ask(SealStage.service, Self.canary)
            #expect(answer.body == Self.canary + Array(" answered".utf8))
        }
        // A fault's words are for the asker alone, too.
        await expectFault(4040, at: portal) {
            register.answer(SealStage.service) { _ in
                throw BusFault(.noSuchService, at: .providerSystem, String(decoding: Self.canary, as: UTF8.self))
            }
            _ = try await portal.ask(SealStage.service, Self.canary)
        }
        #expect(leaks(broker) == 0 && broker.seen.withLock { $0.count } >= 42)
        #expect(broker.records.withLock { $0.map(\.header.kind) } == [.keyEpoch, .keyEpoch])
        await portal.close()
        await register.close()
        broker.stop()
    }

    @Test("a message waits for its key; without it the asker learns the reason")
    func keyComesLate() async throws {
        let stage = try SealStage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let register = try await stage.agent("register-1", broker) { $0.answer(SealStage.service) { $0.body } }
        let portal = try await stage.agent("portal-1", broker)
        broker.change { $0.withholdsKeys = true }
        let asking = Task { try await portal.ask(SealStage.service, Self.canary, deadline: .seconds(20)) }
        #expect(await comes { !broker.records.withLock { $0.isEmpty } })
        broker.change { $0.withholdsKeys = false }
        #expect(try await asking.value.body == Self.canary)
        await register.close()
        // Another agent of the system, which has not met the epoch, and is given nothing.
        let other = try await stage.agent("register-1", broker) { $0.answer(SealStage.service) { $0.body } }
        broker.change { $0.withholdsKeys = true }
        await expectFault(4015, at: portal) {
            _ = try await portal.ask(SealStage.service, Self.canary, deadline: .seconds(30))
        }
        await portal.close()
        await other.close()
        broker.stop()
    }

    @Test("who does not seal is refused by the agent that is asked, and by the agent that asks")
    func openIsRefused() async throws {
        let stage = try SealStage()
        // The portal's agent knows no space, and sends as before there were seals.
        let broker = try MiniBroker(stage.behaviour("register-1"))
        let register = try await stage.agent("register-1", broker) { agent in
            agent.answer(SealStage.service) { _ in
                Issue.record("an open message reached the handler")
                return []
            }
        }
        let portal = try await stage.agent("portal-1", broker)
        // The refusal comes sealed, and can be read by an agent that has the key.
        await expectFault(4014, at: portal) { _ = try await portal.ask(SealStage.service, Self.canary) }
        await register.close()
        broker.stop()
        await portal.close()

        let second = try MiniBroker(stage.behaviour("portal-1"))
        let ignorant = try await stage.agent("register-1", second) { $0.answer(SealStage.service) { $0.body } }
        let asker = try await stage.agent("portal-1", second)
        await expectFault(4014, at: asker) { _ = try await asker.ask(SealStage.service, Self.canary) }
        await asker.close()
        await ignorant.close()
        second.stop()
    }

    @Test("an agent with another key cannot open it, and says so; events become dead letters")
    func wrongKey() async throws {
        let stage = try SealStage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let stranger = SealFile(system: "register", secret: try SystemKey())
        let register = try await stage.agent("register-1", broker, seals: [stranger]) { agent in
            agent.answer(SealStage.service) { _ in
                Issue.record("opened with a wrong key")
                return []
            }
        }
        let lost = try await stage.agent("portal-1", broker, seals: []) { agent in
            agent.subscribe(SealStage.event) { _ in Issue.record("opened without a key") }
        }
        await expectFault(4015, at: lost) { _ = try await lost.ask(SealStage.service, Self.canary) }
        _ = try await register.publish(SealStage.event, Self.canary)
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
        let stage = try SealStage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let next = SealFile(system: "register", secret: try SystemKey())
        let register = try await stage.agent("register-1", broker, seals: [next, stage.register]) { agent in
            agent.answer(SealStage.service) { $0.body }
        }
        let portal = try await stage.agent("portal-1", broker)
        #expect(try await portal.ask(SealStage.service, Self.canary).body == Self.canary)
        await portal.close()
        await register.close()
        broker.stop()
    }

    @Test(
        "an event is sealed once for all; a subscriber that came later gets its key from the publisher, also after its restart"
    )
    func events() async throws {
        let stage = try SealStage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let register = try await stage.agent("register-1", broker)
        let got = Received()
        let portal = try await stage.agent("portal-1", broker) { $0.subscribe(SealStage.event) { got.add($0.body) } }
        for _ in 0..<3 { _ = try await register.publish(SealStage.event, Self.canary) }
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
        _ = try await heir.publish(SealStage.event, Self.canary)
        #expect(wraps("bank") == 0)
        await portal.close()
        await heir.close()
        broker.stop()
    }

    @Test("a message that was sealed and stored by a process that is gone is opened all the same")
    func storedMessage() async throws {
        let stage = try SealStage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "portal-2", "register-1"))
        let got = Received()
        let portal = try await stage.agent("portal-1", broker)
        let stored = try portal.prepareCommand(SealStage.order, Self.canary)
        await portal.close()
        #expect(broker.records.withLock { $0.isEmpty }, "nothing of it has left")
        let register = try await stage.agent("register-1", broker) { agent in
            agent.perform(SealStage.order) { command in
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

    @Test("a key that has expired opens nothing: what was sealed to it waits for a new one")
    func expiredKey() async throws {
        let stage = try SealStage(KeyValidity(until: CalendarDate("2026-01-31")))
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let portal = try await stage.agent("portal-1", broker)
        await expectFault(5030, at: portal) { _ = try await portal.ask(SealStage.service, Self.canary) }
        await expectFault(5030, at: portal) { _ = try portal.prepareCommand(SealStage.order, Self.canary) }
        #expect(broker.seen.withLock { $0.isEmpty })
        await portal.close()
        broker.stop()
    }

    @Test("a body that does not fit when it is sealed is refused with the size that does")
    func largestBody() async throws {
        let stage = try SealStage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let register = try await stage.agent("register-1", broker) { $0.answer(SealStage.service) { $0.body } }
        let portal = try await stage.agent("portal-1", broker)
        let most = [UInt8](repeating: 0x20, count: Limits.body - SealSender.growth)
        #expect(try await portal.ask(SealStage.service, most).body == most)
        await expectFault(4130, at: portal) { _ = try await portal.ask(SealStage.service, most + [0x20]) }
        await portal.close()
        await register.close()
        broker.stop()
    }

    @Test("an answer for a system whose key has expired leaves neither open nor for ever unfinished")
    func answerWithoutKey() async throws {
        let stage = try SealStage(portalValidity: KeyValidity(until: CalendarDate("2026-01-31")))
        let broker = try MiniBroker(stage.behaviour("register-1"))
        let register = try await stage.agent("register-1", broker) { $0.answer(SealStage.service) { $0.body } }
        // It knows no space and asks open, which is refused; but the refusal cannot be sealed for it, and must not go open.
        let portal = try await stage.agent("portal-1", broker)
        await expectFault(4080, at: portal) {
            _ = try await portal.ask(SealStage.service, Self.canary, deadline: .milliseconds(400))
        }
        let begin = ContinuousClock.now
        await register.drain()
        #expect(ContinuousClock.now - begin < .seconds(5), "the drain waits for nothing")
        // The request alone went through the broker.
        #expect(broker.seen.withLock { $0 } == [Self.canary])
        await portal.close()
        await register.close()
        broker.stop()
    }
}
