import BusDirectory
import BusProtocol
import Testing

@testable import BusAgent

/// A right that the plan does not give, opened by the broker for an accomplice that signs. The asked agent notices when the message
/// arrives: it holds the plan as well.
@Suite struct PlanTests {
    /// What an agent signs of its own will, for a service.
    private func message(
        _ kind: MessageKind, _ target: String, from agent: String, _ bus: HostileBus
    ) throws -> OutgoingEnvelope {
        let place = try #require(Country.places.first { $0.agent == agent })
        var header = Header(kind: kind, id: bus.id(), created: bus.wall)
        header.target = target
        header.consumer = place.system
        header.remaining = kind == .request ? 1000 : 0
        let message = OutgoingEnvelope(header, "not planned")
        return place.signing.map { bus.signed(message, by: $0) } ?? message
    }

    @Test("a request or command without an integration: 4030, by both", arguments: [MessageKind.request, .command])
    func noIntegration(kind: MessageKind) throws {
        let bus = try HostileBus(agents: ["archive-1", "bank-1", "register-1"])
        let agent = kind == .request ? bus.bank : bus.archive
        let refused = kind == .request ? agent.ask(bus) : agent.order(bus)
        bus.pass(milliseconds: 100)
        #expect(agent.end(of: refused) == .fault(.noIntegration), "the honest core")
        let target = kind == .request ? Country.record : Country.order
        bus.bring(try message(kind, target, from: agent.place.agent, bus), to: "register-1")
        #expect(bus.register.acted.isEmpty && bus.register.turnedAway == [.noIntegration])
    }

    @Test("a request for a command's name, or the other way round: 4042", arguments: [MessageKind.request, .command])
    func otherKind(kind: MessageKind) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        let (target, right) = kind == .request ? (Country.order, MessageKind.command) : (Country.record, .request)
        // The right kind first, so that what was found for it is not taken for the other.
        bus.bring(try message(right, target, from: "portal-1", bus), to: "register-1")
        bus.bring(try message(kind, target, from: "portal-1", bus), to: "register-1")
        #expect(bus.register.acted.map(\.kind) == [right] && bus.register.turnedAway == [.wrongKind])
    }

    /// What was found for one pair is not taken for another, however many there are.
    @Test func manyPairs() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        for number in 0..<(2 * PlanCheck.limit) {
            bus.bring(try message(.request, "register.other-\(number).v1", from: "portal-1", bus), to: "register-1")
            bus.bring(try message(.request, Country.record, from: "portal-1", bus), to: "register-1")
        }
        #expect(bus.register.acted(.request).count == 2 * PlanCheck.limit)
        #expect(bus.register.turnedAway == [FaultCode](repeating: .noSuchService, count: 2 * PlanCheck.limit))
    }

    /// The portal's integrations with the register are retired.
    private func retired() throws -> [SignedSpace] {
        var space = try Country.space("retired")
        for index in space.integrations.indices where space.integrations[index].consumer == "portal" {
            space.integrations[index].stage = .retired
        }
        return try Country.versions([Country.space(), space])
    }

    @Test("a request through an integration that is closed: 4031 from when the space is here")
    func closedForRequests() throws {
        let bus = try HostileBus(retired(), agents: ["portal-1", "register-1"])
        bus.bring(try message(.request, Country.record, from: "portal-1", bus), to: "register-1")
        #expect(bus.register.acted(.request).count == 1)
        bus.apply(1)
        bus.bring(try message(.request, Country.record, from: "portal-1", bus), to: "register-1")
        #expect(bus.register.acted(.request).count == 1 && bus.register.turnedAway == [.stageForbids])
    }

    /// Limit: a command may have been accepted while its integration was open, so one through a closed integration is carried out.
    @Test("a command through an integration that is closed is carried out")
    func closedForCommands() throws {
        let bus = try HostileBus(retired(), agents: ["portal-1", "register-1"])
        bus.apply(1)
        bus.bring(try message(.command, Country.order, from: "portal-1", bus), to: "register-1")
        #expect(bus.register.acted(.command).count == 1 && bus.register.turnedAway.isEmpty)
    }
}
