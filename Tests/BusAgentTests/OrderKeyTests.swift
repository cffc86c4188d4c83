import BusContracts
import BusDirectory
import BusEvidence
import BusProtocol
import Foundation
import Synchronization
import Testing

@testable import BusAgent

/// Order keys: made with a secret that the provider gives its consumers, and that no broker can put in its place.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct OrderKeyTests {
    private static let ordered = """
        {"contract":"register.record-order.v1","kind":"command","title":{"kk":"а","ru":"б","en":"c"},"summary":"An order.",
         "request":{"type":"object","properties":{"iin":{"type":"string"}}},"reply":{"type":"object"},"x-order-key":"/iin",
         "examples":[{"request":{"iin":"1"},"reply":{}},{"request":{"iin":"2"},"reply":{}}]}
        """

    @Test(
        "order keys are made with the provider's secret, which a consumer waits for, and which says nothing to others")
    func orderKeys() async throws {
        let stage = try SealStage()
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let library = ContractLibrary([try Contract.parse(Array(Self.ordered.utf8))])
        let portal = try await stage.agent("portal-1", broker, contracts: library)
        let body = Array(#"{"iin":"000000000000"}"#.utf8)
        // Nobody is there to give it: an outbox tries again, a caller is told when its time is over.
        await expectFault(5030, at: portal) { _ = try portal.prepareCommand(SealStage.order, body) }
        await expectFault(5030, at: portal) {
            _ = try await portal.send(SealStage.order, body, deadline: .milliseconds(50))
        }
        let sending = Task { try await portal.send(SealStage.order, body, deadline: .seconds(20)) }
        let register = try await stage.agent("register-1", broker, contracts: library) { agent in
            agent.perform(SealStage.order) { _ in .taken }
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
            try Header(decoding: register.prepareCommand(SealStage.order, body, as: "register").header).orderKey == key)
        let kept = SealFile(system: "register", secret: try SystemKey(), order: stage.register.order)
        #expect(kept.order.orderKey(of: value) == key)
        // It is given to no system that has nothing to send there.
        broker.ask("register", KeyWish(token: 0, system: "register", epochs: [EpochName(0, of: "register")]))
        _ = try await portal.send(SealStage.order, body)
        #expect(
            broker.records.withLock { $0.filter { $0.header.target == "register" }.map(\.header.provider) } == [
                "portal"
            ])
        await portal.close()
        await register.close()
        broker.stop()
    }

    @Test("a secret for order keys that the space does not state is nobody's, whoever wrapped it")
    func foreignOrderSecret() async throws {
        let stage = try SealStage(order: OrderSecret(system: "register").name)
        let broker = try MiniBroker(stage.behaviour("portal-1", "register-1"))
        let library = ContractLibrary([try Contract.parse(Array(Self.ordered.utf8))])
        let portal = try await stage.agent("portal-1", broker, contracts: library)
        let register = try await stage.agent("register-1", broker, contracts: library)
        let sending = Task {
            try await portal.send(SealStage.order, Array(#"{"iin":"1"}"#.utf8), deadline: .milliseconds(300))
        }
        broker.ask("register", KeyWish(token: 0, system: "portal", epochs: [EpochName(0, of: "register")]))
        #expect(await comes { broker.records.withLock { $0.contains { $0.header.target == "register" } } })
        await expectFault(5030, at: portal) { _ = try await sending.value }
        #expect(broker.durable(.command).isEmpty)
        await portal.close()
        await register.close()
        broker.stop()
    }
}
