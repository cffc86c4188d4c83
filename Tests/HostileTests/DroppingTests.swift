import BusProtocol
import Testing

@testable import BusAgent

/// Something is kept back. Only who waits for it can notice, when his time is over.
@Suite struct DroppingTests {
    @Test(
        "a request or its reply: the sender's agent says 4080 a tenth of a second after the deadline",
        arguments: [true, false])
    func question(isRequest: Bool) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        // The broker's own word that the time is over is kept back as well.
        bus.lie = { to, said in
            [(to, said.delivering { isRequest || to == "portal-1" ? nil : $0 })]
        }
        let request = bus.portal.ask(bus, within: 1000)
        bus.pass(milliseconds: 1080)
        #expect(bus.portal.end(of: request) == nil)
        bus.pass(milliseconds: 40)
        #expect(bus.portal.end(of: request) == .fault(.deadlinePassed))
        #expect(bus.portal.ends[request]?.at == 1100)
        #expect(bus.register.acted(.request).count == (isRequest ? 0 : 1))
    }

    @Test(
        "ACCEPT: the sender does not know, says so when its patience ends, sends the same again, and there is one effect"
    )
    func acceptance() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.lie = { to, said in
            if to == "portal-1", case .accept = said.what { [] } else { [(to, said)] }
        }
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: Int64(HostedAgent.patience / 1000) + 200)
        #expect(bus.portal.end(of: order) == .fault(.deadlinePassed))
        #expect(bus.register.register.effects == [order])
        bus.beHonest()
        let header = try #require(bus.delivered.first { $0.message.id == order }?.message.fields)
        bus.portal.submit(header, "do", bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: order) == .accepted)
        #expect(bus.register.register.effects == [order])
    }

    @Test("everything: the agent gives the broker up after the missed heartbeats that WELCOME names")
    func everything() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.lie = { _, _ in [] }
        let request = bus.portal.ask(bus, within: 60_000)
        bus.pass(milliseconds: 2900)
        #expect(bus.portal.core.isOpen)
        bus.pass(milliseconds: 200)
        #expect(!bus.portal.core.isOpen && bus.portal.core.lastFault?.code == .brokerUnreachable)
        bus.pass(milliseconds: 58_000, step: 200)
        #expect(bus.portal.end(of: request) == .fault(.deadlinePassed))
    }

    @Test("a frame of deliveries whose number is missed: 4008 with the next one")
    func numberedFrame() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.renumbers = false
        var isKept = false
        bus.lie = { to, said in
            guard !isKept, to == "register-1", !said.envelopes.isEmpty else { return [(to, said)] }
            isKept = true
            return []
        }
        let first = bus.portal.order(bus, "first")
        bus.settle()
        let second = bus.portal.order(bus, "second")
        bus.settle()
        #expect(bus.register.notices == [.outOfSequence])
        bus.pass(milliseconds: 2000)
        #expect(Set(bus.register.register.effects) == [first, second])
    }

    /// Limit: a command that was accepted and is never delivered looks like one whose provider is away. Its sender has a receipt,
    /// which is a number and a root, and no outcome.
    @Test("a command or event after its ACCEPT: nobody notices", arguments: [MessageKind.command, .event])
    func durable(kind: MessageKind) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        let (sender, receiver) =
            kind == .command ? (bus.portal, bus.register) : (bus.register, bus.portal)
        bus.dropAll(kind, to: receiver.place.agent)
        let id = kind == .command ? sender.order(bus) : sender.publish(bus)
        bus.pass(milliseconds: 60_000, step: 500)
        #expect(sender.end(of: id) == .accepted)
        #expect(receiver.acted.isEmpty && receiver.notices.isEmpty && sender.notices.isEmpty)
        #expect(sender.acted(.outcome).isEmpty)
    }
}
