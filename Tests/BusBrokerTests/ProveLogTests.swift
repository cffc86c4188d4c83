import BusEvidence
import BusProtocol
import Testing

@testable import BusBroker
@testable import BusJournal

/// PROVE at the broker: who is told what of its log.
@Suite struct ProveLogTests {
    private func agent(_ world: World, _ key: String, _ system: String) -> TestAgent {
        let agent = TestAgent(world, key, [system])
        agent.hello { $0.newestVersion = 3 }
        return agent
    }

    private func prove(_ agent: TestAgent, _ wish: LogWish) {
        agent.say(.prove, wish.encoded(), version: 3)
    }

    @Test func theSendersMessagesAreProvenAndNobodyElses() throws {
        let world = try World()
        let portal = agent(world, Spaces.portalKey, "portal")
        let register = agent(world, Spaces.registerKey, "register")
        let order = portal.send()
        let event = register.publish()
        let request = portal.ask()
        func position(_ id: MessageID) -> UInt64 {
            let index = world.journal.records.firstIndex { entry in
                guard case .message(let message) = entry else { return false }
                return (try? Header(decoding: Array(message.frame[message.header])))?.id == id
            }
            return index.map { UInt64($0) + 1 } ?? 0
        }
        let rows = [
            LogWish.Row(order), .init(event), .init(request), .init(request, at: position(request)),
            .init(event, at: position(event)), .init(order, at: 1), .init(order, at: 1_000_000), .init(world.id()),
        ]
        prove(portal, LogWish(token: 5, heads: [1, 2], system: "portal", messages: rows))
        let answer = try #require(portal.proofs.last)
        #expect(answer.token == 5 && answer.code == 0 && answer.consistency.count == 2)
        #expect(answer.rows.map(\.id) == [order, request])
        #expect(answer.rows.map(\.position) == [position(order), position(request)])
        #expect(answer.checkpoint.hasPrefix("small/b\n\(world.core.treeSize)\n"))
        prove(register, LogWish(token: 6, heads: [], system: "register", messages: rows))
        #expect(register.proofs.last?.rows.map(\.id) == [event, event])
        prove(register, LogWish(token: 7, heads: [], system: "portal", messages: rows))
        #expect(register.proofs.last == LogAnswer(token: 7, code: FaultCode.keyNotForSystem.number))
        #expect(portal.errors.isEmpty && register.errors.isEmpty)
    }

    @Test func aSizeThatItNeverHadIsNotItsLog() throws {
        let world = try World()
        let portal = agent(world, Spaces.portalKey, "portal")
        portal.send()
        prove(portal, LogWish(token: 5, heads: [world.core.treeSize + 1]))
        #expect(portal.proofs == [LogAnswer(token: 5, code: FaultCode.logForked.number)])
        prove(portal, LogWish(token: 6, heads: [world.core.treeSize]))
        #expect(portal.proofs.last?.code == 0)
    }

    /// The proof is of the log that ACCEPT named when it was asked for, however long it takes.
    @Test func whatIsProvenIsWhatWasKnown() throws {
        let world = try World()
        let portal = agent(world, Spaces.portalKey, "portal")
        portal.send()
        let size = world.core.treeSize
        world.readsAtOnce = false
        prove(portal, LogWish(token: 5, heads: []))
        portal.send()
        world.read()
        world.settle()
        #expect(portal.proofs.last?.checkpoint.hasPrefix("small/b\n\(size)\n") == true)
        #expect(world.core.treeSize > size)
    }

    @Test func aFewAtOnce() throws {
        var limits = BrokerLimits()
        limits.proofsAtOnce = 2
        let world = try World(limits: limits)
        let portal = agent(world, Spaces.portalKey, "portal")
        world.readsAtOnce = false
        for token in 1...3 as ClosedRange<UInt64> { prove(portal, LogWish(token: token, heads: [])) }
        #expect(portal.proofs == [LogAnswer(token: 3, code: FaultCode.queueFull.number)])
        world.read(fails: true)
        world.settle()
        let failed = FaultCode.storageFailed.number
        #expect(portal.proofs.dropFirst().map(\.code) == [failed, failed])
        prove(portal, LogWish(token: 4, heads: []))
        world.read()
        world.settle()
        #expect(portal.proofs.last?.token == 4 && portal.proofs.last?.code == 0)
    }

    /// Whoever is gone, or greets anew, is told nothing of what was asked before.
    @Test func nothingOutlivesTheSession() throws {
        let world = try World()
        let portal = agent(world, Spaces.portalKey, "portal")
        world.readsAtOnce = false
        prove(portal, LogWish(token: 1, heads: []))
        portal.hello { $0.newestVersion = 3 }
        world.read()
        world.settle()
        #expect(portal.proofs.isEmpty)
    }

    /// A HELLO is free: it gives back nothing of what an agent has asked for.
    @Test func aNewSessionIsNotFreeOfTheLast() throws {
        var limits = BrokerLimits()
        limits.proofsAtOnce = 2
        let world = try World(limits: limits)
        let portal = agent(world, Spaces.portalKey, "portal")
        world.readsAtOnce = false
        for token in 1...2 as ClosedRange<UInt64> { prove(portal, LogWish(token: token, heads: [])) }
        for token in 3...9 as ClosedRange<UInt64> {
            portal.hello { $0.newestVersion = 3 }
            prove(portal, LogWish(token: token, heads: []))
        }
        #expect(world.reads.count == 2)
        #expect(portal.proofs.map(\.code) == Array(repeating: FaultCode.queueFull.number, count: 7))
        world.read()
        world.settle()
        prove(portal, LogWish(token: 10, heads: []))
        #expect(world.reads.count == 1)
    }

    @Test func whatIsReadForProofsHasARate() throws {
        let world = try World()
        let portal = agent(world, Spaces.portalKey, "portal")
        portal.send()
        let heads = [world.core.treeSize]
        for token in 1...400 as ClosedRange<UInt64> { prove(portal, LogWish(token: token, heads: heads)) }
        let refused = portal.proofs.count { $0.code == FaultCode.queueFull.number }
        #expect(refused == 400 - world.core.limits.proofBlocksPerSecond / 2)
        portal.clear()
        world.pass(milliseconds: 1000)
        prove(portal, LogWish(token: 500, heads: heads))
        #expect(portal.proofs.map(\.code) == [0])
    }

    @Test func inAnEarlierVersionThereIsNoSuchCommand() throws {
        let world = try World()
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.hello { $0.newestVersion = 2 }
        prove(portal, LogWish(token: 1, heads: []))
        #expect(portal.errors == [FaultCode.unknownCommand.number] && portal.proofs.isEmpty)
    }
}
