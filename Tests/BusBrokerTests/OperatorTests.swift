import BusProtocol
import Testing

@testable import BusBroker

@Suite struct OperatorTests {
    private func known(_ id: MessageID, _ world: World) -> MessageWhereabouts? { world.core.whereabouts(of: id) }

    private func take(_ item: Delivered?, _ agent: TestAgent) {
        agent.settle(.ack, .init(position: item?.annotations.position ?? 0))
    }

    @Test func aCommandIsFoundByItsIdAlone() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        let delivered = try #require(known(command, world))
        #expect(delivered.sender == "portal" && delivered.kind == .command && delivered.state == .delivering)
        #expect(delivered.owed.map(\.receiver) == ["register"])
        #expect(delivered.owed.first?.agent != nil && delivered.owed.first?.attempts == 1)
        take(register.commandsGot.first, register)
        register.conclude(command, for: "portal")
        let found = try #require(known(command, world))
        #expect(found.state == .completed && found.outcome != 0 && found.owed.isEmpty)
        #expect(known(world.id(), world) == nil)
    }

    /// What an agent has is waited for; what waits in a queue stays in the journal.
    @Test func aDrainWaitsForDeliveriesAndMakesNoNewOnes() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        world.core.drain(at: world.now)
        world.settle()
        #expect(!world.isDrained)
        #expect(world.core.workload.inFlight == 1 && world.core.workload.isDraining)
        register.conclude(command, for: "portal")
        take(register.commandsGot.first, register)
        world.pass(milliseconds: 100)
        #expect(world.isDrained)
        #expect(portal.outcomesGot.isEmpty)
        #expect(world.core.workload.inFlight == 0 && world.core.workload.depth == 1)
    }

    @Test func aDrainDoesNotWaitForeverForADelivery() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        portal.send()
        #expect(register.commandsGot.count == 1)
        world.core.drain(at: world.now)
        world.pass(milliseconds: 9900)
        #expect(!world.isDrained)
        world.pass(milliseconds: 200)
        #expect(world.isDrained)
    }
}
