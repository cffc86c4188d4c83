import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// What was said once is said again: signed by its sender, and not meant any more.
@Suite struct ReplayTests {
    /// A request that was asked and answered.
    private func asked(_ bus: HostileBus) throws -> OutgoingEnvelope {
        let request = bus.portal.ask(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: request) == .answer(code: 0, body: "register: {}"))
        return try #require(bus.delivered.first { $0.message.id == request }?.message)
    }

    @Test("a request to the agent that answered it: 4090 in its log, no answer", arguments: [false, true])
    func request(inAnotherSession: Bool) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        let request = try asked(bus)
        if inAnotherSession { bus.restart() }
        let replies = bus.delivered.filter { $0.message.kind == .reply }.count
        bus.bring(request.at(900), request.at(901), to: "register-1")
        bus.pass(milliseconds: 100)
        #expect(bus.register.acted(.request).count == 1)
        #expect(bus.register.notices.suffix(2) == [.idReused, .idReused])
        #expect(bus.register.core.counters.misused == 2)
        #expect(bus.delivered.filter { $0.message.kind == .reply }.count == replies)
        #expect(bus.register.core.isQuiet)
    }

    @Test("a request to an agent of another system: 4011")
    func toAnotherSystem() throws {
        let bus = try HostileBus()
        let request = try asked(bus)
        bus.bring(request, to: "bank-1")
        #expect(bus.bank.acted.isEmpty && bus.bank.turnedAway == [.keyNotForSystem])
    }

    /// Limit: agents of one system know nothing of each other, and a new process nothing of the one before it. Once the request's
    /// time and five minutes have passed, all of them refuse it: 4081.
    @Test("a request to who does not remember it: answered within its time and five minutes", arguments: [false, true])
    func toAnotherAgent(_ isNewProcess: Bool) throws {
        let bus = try HostileBus()
        let request = try asked(bus)
        let first = bus.register.acted.isEmpty ? bus.register2 : bus.register
        let agent = isNewProcess ? first : (first === bus.register ? bus.register2 : bus.register)
        if isNewProcess { agent.restart(bus) }
        let name = agent.place.agent
        let before = agent.acted(.request).count
        bus.bring(request, to: name)
        #expect(agent.acted(.request).count == before + 1)
        bus.pass(milliseconds: 2000 + Freshness.clockAllowance, step: 500)
        agent.restart(bus)
        bus.bring(request, to: name)
        #expect(agent.acted(.request).count == before + 1 && agent.turnedAway == [.expiredOnArrival])
    }

    @Test("a command, anywhere in its system: its handler is asked again and finds that it was taken")
    func command() throws {
        let bus = try HostileBus()
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        let command = try #require(bus.delivered.first { $0.message.id == order }?.message)
        for name in ["register-1", "register-2"] { bus.bring(command.at(900), command.at(901), to: name) }
        bus.pass(milliseconds: 100)
        #expect(bus.register.acted(.command).count + bus.register2.acted(.command).count == 5)
        #expect(bus.register.register.effects == [order])
        #expect(bus.portal.acted(.outcome).count == 1)
        bus.bring(command, to: "bank-1")
        #expect(bus.bank.acted(.command).isEmpty && bus.bank.turnedAway == [.keyNotForSystem])
    }

    @Test("an event, under another position: taken once")
    func event() throws {
        let bus = try HostileBus()
        let id = bus.register.publish(bus)
        bus.pass(milliseconds: 100)
        let event = try bus.last(.event, to: "portal-1")
        bus.bring(event.at(900), event.at(901), to: "portal-1")
        #expect(bus.portal.acted(.event).count == 3 && bus.portal.register.effects == [id])
    }

    @Test("an outcome: taken once by whom it is for, and 4011 by anybody else")
    func outcome() throws {
        let bus = try HostileBus()
        bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        let outcome = try bus.last(.outcome, to: "portal-1")
        bus.bring(outcome.at(900), to: "portal-1")
        #expect(bus.portal.register.effects == [outcome.id])
        bus.bring(outcome.at(901), to: "bank-1")
        #expect(bus.bank.acted(.outcome).isEmpty && bus.bank.turnedAway == [.keyNotForSystem])
    }

    @Test("a reply: nobody waits for it any more, here or elsewhere")
    func reply() throws {
        let bus = try HostileBus()
        _ = try asked(bus)
        let reply = try bus.last(.reply, to: "portal-1")
        bus.bring(reply, to: "portal-1")
        bus.bring(reply, to: "bank-1")
        #expect(bus.portal.ends.count == 1 && bus.portal.core.counters.strayReplies == 1)
        #expect(bus.bank.ends.isEmpty && bus.bank.core.counters.strayReplies == 1)
    }

    @Test("the memory of requests forgets the elder half, never the newest")
    func memory() {
        var memory = RequestMemory(limit: 8)
        func note(_ number: UInt64) -> Bool {
            var leaf = Digest32()
            leaf.a = number
            return memory.note(leaf, signature: [1, 2, 3, 4, 5, 6, 7, 8])
        }
        for number in 1...100 as ClosedRange<UInt64> { #expect(note(number)) }
        for number in 97...100 as ClosedRange<UInt64> { #expect(!note(number)) }
        #expect(note(1))
    }
}
