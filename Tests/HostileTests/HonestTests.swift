import BusAgent
import BusProtocol
import Testing

/// What an honest broker does is refused by nobody: the other suites would prove nothing else.
@Suite struct HonestTests {
    @Test func everyKindOfMessageArrives() throws {
        let bus = try HostileBus()
        let request = bus.portal.ask(bus, Country.record, "who")
        let order = bus.portal.order(bus)
        let event = bus.register.publish(bus)
        let paper = bus.portal.ask(bus, Country.paper, "which")
        let unsigned = bus.archive.ask(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: request) == .answer(code: 0, body: "register: who"))
        #expect(bus.portal.end(of: paper) == .answer(code: 0, body: "archive: which"))
        #expect(bus.archive.end(of: unsigned) == .answer(code: 0, body: "register: {}"))
        #expect(bus.portal.end(of: order) == .accepted && bus.register.register.effects == [order])
        #expect(bus.register.end(of: event) == .accepted)
        #expect(bus.portal.acted(.event).map(\.id) == [event] && bus.bank.acted(.event).map(\.id) == [event])
        #expect(bus.portal.acted(.outcome).map(\.code) == [0])
        for agent in bus.agents.values {
            #expect(agent.turnedAway.isEmpty && agent.notices.isEmpty, "\(agent.place.agent)")
            #expect(agent.core.counters.badProofs == 0 && agent.core.counters.misused == 0)
        }
    }

    /// An answer that was lost with its session: the request is asked again, under a new signature, and answered again.
    @Test func whatIsAskedAgainIsAnsweredAgain() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.dropAll(.reply, to: "portal-1")
        let request = bus.portal.ask(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: request) == nil && bus.register.acted(.request).count == 1)
        bus.beHonest()
        bus.disconnect(bus.portal)
        bus.portal.reconnect(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: request) == .answer(code: 0, body: "register: {}"))
        #expect(bus.register.acted(.request).count == 2 && bus.register.core.counters.misused == 0)
    }

    @Test func aBrokerThatBeginsAnewIsTaken() throws {
        let bus = try HostileBus()
        bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        bus.restart()
        let request = bus.portal.ask(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: request) == .answer(code: 0, body: "register: {}"))
    }
}
