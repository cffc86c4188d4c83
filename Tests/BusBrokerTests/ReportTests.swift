import BusProtocol
import Testing

@testable import BusBroker
@testable import BusJournal

/// What agents report and how they go, as the rules of the plan are told.
@Suite struct ReportTests {
    private func row(_ consumer: String, _ target: String = Spaces.record, count: UInt32 = 3) -> AgentReport.Count {
        .init(target: target, consumer: consumer, code: 5021, hop: .providerSystem, count: count)
    }

    private func report(_ agent: TestAgent, _ rows: AgentReport.Count...) {
        agent.say(.report, AgentReport(uptimeMilliseconds: 1, systems: [], counts: rows).encoded())
    }

    private func reported(_ world: World) -> [(integration: UInt32, family: UInt16, count: UInt32)] {
        world.observations.compactMap {
            if case .reported(let integration, let family, let count, _) = $0 {
                (integration, family, count)
            } else {
                nil
            }
        }
    }

    @Test func countsOfAnEndAreErrorsOfItsIntegration() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        report(portal, row("portal"))
        report(register, row("portal", count: .max))
        #expect(reported(world).map(\.integration) == [3, 3])
        #expect(reported(world).map(\.family) == [502, 502])
        #expect(reported(world).map(\.count) == [3, 1000])
        world.pass(milliseconds: 100)
        let records = try world.journal.payloads(.reported).map { bytes in
            try bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try ReportedRecord(&reader)
            }
        }
        #expect(records.map(\.agent) == ["portal-1", "register-1"])
        #expect(records.map(\.count) == [3, 1000])
    }

    /// Nobody speaks ill of what it takes no part in, nor of what is not planned.
    @Test func countsOfOthersAreIgnored() throws {
        let world = try World()
        let bank = TestAgent.bank(world)
        report(
            bank, row("portal"), row("bank"), row("bank", "register.nothing.v1"), row("bank", Spaces.order, count: 0))
        #expect(reported(world).isEmpty)
    }

    private func goings(_ world: World) -> [String] {
        world.observations.compactMap {
            switch $0 {
            case .agentLeft(let agent, _, _): "\(agent) left"
            case .agentLost(let agent, _, _): "\(agent) lost"
            default: nil
            }
        }
    }

    @Test func onlyWhoSaysGoodbyeHasLeft() throws {
        let world = try World()
        let (portal, register, bank) = (TestAgent.portal(world), TestAgent.register(world), TestAgent.bank(world))
        portal.say(.bye)
        #expect(goings(world) == ["portal-1 left"])
        world.core.unreachable(route: bank.route, at: world.now)
        world.settle()
        #expect(goings(world) == ["portal-1 left", "bank-1 lost"])
        register.answersPings = false
        world.pass(milliseconds: 5000)
        #expect(goings(world) == ["portal-1 left", "bank-1 lost", "register-1 lost"])
    }
}
