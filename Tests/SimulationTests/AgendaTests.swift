import Testing

@testable import BusTesting

@Suite("Agenda of the simulator")
struct AgendaTests {
    /// A pause is made longer while frames wait for its end: what came before the change was overtaken by what came after it, and an
    /// agent took an old receipt for a log that is gone (seed 3390475376).
    @Test func whatIsHeldUpTwiceKeepsItsOrder() throws {
        var agenda = Agenda()
        for agent in 0..<2 { agenda.add(.agentStarts(agent: agent), at: Int64(10 + agent)) }
        func next() throws -> Agenda.Entry {
            let entry = agenda.next()
            return try #require(entry)
        }
        agenda.postpone(try next(), to: 20)
        agenda.postpone(try next(), to: 30)
        agenda.postpone(try next(), to: 30)
        let order = [agenda.next(), agenda.next()].compactMap { entry -> Int? in
            guard case .agentStarts(let agent) = entry?.what else { return nil }
            return agent
        }
        #expect(order == [0, 1])
    }
}
