import BusProtocol
import Testing

@testable import BusAgent

/// Messages come in another order than the one they were accepted in.
@Suite struct ReorderTests {
    @Test("frames as they were numbered: 4008 at the first that is too early, and nothing of it is acted on")
    func frames() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.renumbers = false
        var frames: [Said] = []
        bus.lie = { to, said in
            guard to == "register-1", !said.envelopes.isEmpty, frames.count < 2 else { return [(to, said)] }
            frames.append(said)
            return frames.count < 2 ? [] : frames.reversed().map { (to, $0) }
        }
        let first = bus.portal.order(bus, "first")
        bus.settle()
        let second = bus.portal.order(bus, "second")
        bus.settle()
        #expect(bus.register.notices == [.outOfSequence])
        bus.pass(milliseconds: 2000)
        // The agent greeted anew, and what it had not settled came again.
        #expect(Set(bus.register.register.effects) == [first, second] && bus.register.acted.count == 2)
        #expect(bus.register.core.counters.sessions == 2)
    }

    @Test("replies: each ends the question it answers, whatever the order")
    func replies() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.register.holdsRequests = true
        let asked = (0..<4).map { bus.portal.ask(bus, Country.record, "\($0)") }
        bus.settle()
        bus.lie = { to, said in
            guard to == "portal-1", case .deliver(let envelopes) = said.what else { return [(to, said)] }
            return [(to, Said(head: said.head, .deliver(envelopes.reversed())))]
        }
        bus.register.answerHeld(bus)
        bus.pass(milliseconds: 100)
        for (number, request) in asked.enumerated() {
            #expect(bus.portal.end(of: request) == .answer(code: 0, body: "register: \(number)"))
        }
    }

    /// Limit: the order among commands of one object is the broker's word. Their ids tell, afterwards, in which order their sender
    /// made them.
    @Test("commands of one order key: carried out as they come")
    func commands() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.dropAll(.command, to: "register-1")
        let first = bus.portal.order(bus, "first", key: 7)
        bus.settle()
        let command = try bus.last(.command, to: "register-1")
        let second = bus.portal.order(bus, "second", key: 7)
        bus.settle()
        // The honest core holds the second back until the first is settled; its owner has both.
        bus.beHonest()
        bus.bring(try bus.submission(second), command, to: "register-1")
        #expect(bus.register.acted(.command).prefix(2).map(\.body) == ["second", "first"])
        #expect(bus.register.register.effects == [second, first] && first < second)
        #expect(bus.register.notices.isEmpty)
    }
}
