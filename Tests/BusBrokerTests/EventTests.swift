import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

/// A register that publishes, a portal and a bank that subscribe.
private func three(limits: BrokerLimits = BrokerLimits()) throws -> (
    World, TestAgent, portal: TestAgent, bank: TestAgent
) {
    let world = try World(limits: limits)
    return (world, .register(world), .portal(world), .bank(world))
}

private func position(_ agent: TestAgent) throws -> UInt64 { try #require(agent.events.last).annotations.position }

@Suite struct EventTests {
    @Test func anEventGoesToEverySubscriberAndEndsWhenAllHaveSettledIt() throws {
        let (world, register, portal, bank) = try three()
        let event = register.publish("first")
        #expect(register.refusedCodes.isEmpty)
        for subscriber in [portal, bank] {
            #expect(subscriber.events.map(\.header.id) == [event])
            #expect(subscriber.events.map(\.annotations.attempt) == [1])
            #expect(subscriber.events.first?.body == Array("first".utf8))
        }
        portal.settle(.ack, .init(position: try position(portal)))
        #expect(world.core.book.depth == 1)
        bank.settle(.ack, .init(position: try position(bank)))
        #expect(world.core.book.depth == 0)
        world.pass(milliseconds: 100)
        #expect(world.journal.settled.map(\.subscriber) == ["portal", "bank"])
        #expect(world.journal.settled.map(\.code) == [0, 0])
        #expect(world.journal.settled.map(\.integration) == [2, 0])
        #expect(world.journal.settled.allSatisfy { $0.position == portal.events.first?.annotations.position })
    }

    @Test func nothingIsFannedOutBeforeTheCommit() throws {
        let (world, register, portal, _) = try three()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        register.publish()
        world.pass(milliseconds: 100)
        #expect(portal.events.isEmpty)
        world.commit()
        #expect(portal.events.count == 1)
    }

    @Test(arguments: [
        ("register", "register.other.v1", 4040), ("portal", "register.record-changed.v1", 4011),
        ("register", "register.record-get.v1", 4042),
    ]) func whatMayNotBePublishedIsRefused(publisher: String, target: String, code: UInt16) throws {
        let (_, register, portal, bank) = try three()
        register.publish {
            $0.consumer = publisher; $0.target = target
        }
        #expect(register.refusedCodes == [code])
        portal.publish()
        #expect(portal.refusedCodes == [4011])
        #expect(bank.events.isEmpty)
    }

    @Test func nakBringsItAgainAfterTheDelay() throws {
        let (world, register, portal, _) = try three()
        register.publish()
        portal.settle(.nak, .init(position: try position(portal), delayMilliseconds: 1000))
        world.pass(milliseconds: 990)
        #expect(portal.events.count == 1)
        world.pass(milliseconds: 100)
        #expect(portal.events.map(\.annotations.attempt) == [1, 2])
    }

    @Test func whyItIsNotTakenNowStandsInItsHistory() throws {
        let (world, register, portal, _) = try three()
        register.publish()
        portal.settle(.nak, .init(position: try position(portal), delayMilliseconds: 10, code: 5030))
        world.pass(milliseconds: 500)
        let attempted = try #require(world.journal.attempted.first)
        #expect(attempted.code == 5030 && attempted.attempt == 1 && attempted.agent == "portal-1")
        portal.settle(.ack, .init(position: try position(portal)))
        world.pass(milliseconds: 100)
        #expect(world.journal.settled.map(\.code) == [0])
    }

    @Test func termEndsItWithItsReason() throws {
        let (world, register, portal, _) = try three()
        register.publish()
        portal.settle(.term, .init(position: try position(portal), code: 4221))
        world.pass(milliseconds: 3000)
        #expect(portal.events.count == 1)
        #expect(world.journal.settled.map(\.code) == [4221])
        #expect(world.journal.settled.map(\.agent) == ["portal-1"], "its log has the reason")
    }

    @Test func attemptsAreLimited() throws {
        var limits = BrokerLimits()
        limits.retry = RetryTerms(attempts: 3, first: Milliseconds(1), longest: Milliseconds(2))
        let (world, register, portal, _) = try three(limits: limits)
        register.publish()
        for _ in 0..<5 where !portal.events.isEmpty {
            portal.settle(.nak, .init(position: try position(portal)))
            world.pass(milliseconds: 100)
        }
        #expect(portal.events.map(\.annotations.attempt) == [1, 2, 3])
        #expect(world.journal.settled.map(\.code) == [5023])
    }

    /// An event that kills every agent it reaches must end too.
    @Test func attemptsThatEndWithTheAgentAreLimitedToo() throws {
        var limits = BrokerLimits()
        limits.retry = RetryTerms(attempts: 3, first: Milliseconds(1), longest: Milliseconds(2))
        let (world, register, portal, _) = try three(limits: limits)
        register.publish()
        for round in 0..<6 {
            portal.say(.bye)
            portal.reconnect("life \(round)", instance: UInt128(100 + round))
        }
        world.pass(milliseconds: 100)
        #expect(portal.events.map(\.annotations.attempt) == [1, 2, 3])
        #expect(world.journal.settled.map(\.code) == [5023])
    }

    @Test func aSubscriberThatWasAwayGetsItWhenItComes() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let event = register.publish()
        world.pass(milliseconds: 500)
        let portal = TestAgent.portal(world)
        #expect(portal.events.map(\.header.id) == [event])
    }

    /// The same process on a new connection: what it has not settled may never have reached it.
    @Test func aReconnectedSubscriberGetsItAgain() throws {
        let (world, register, portal, _) = try three()
        let event = register.publish()
        portal.reconnect("again")
        #expect(portal.events.map(\.header.id) == [event, event])
        #expect(portal.events.map(\.annotations.attempt) == [1, 2])
        portal.settle(.ack, .init(position: try position(portal)))
        world.pass(milliseconds: 200)
        #expect(portal.events.count == 2)
        #expect(world.journal.settled.map(\.subscriber) == ["portal"])
    }

    /// It had taken the event before the connection broke; the ACK comes in the new session, before the event does.
    @Test func aLateAckCounts() throws {
        let (world, register, portal, _) = try three()
        register.publish()
        let place = try position(portal)
        portal.messageLimit = 0
        portal.reconnect("again")
        #expect(portal.events.count == 1)
        portal.settle(.ack, .init(position: place))
        portal.grant(messages: 100)
        world.pass(milliseconds: 200)
        #expect(portal.events.count == 1)
        #expect(world.journal.settled.map(\.code) == [0])
    }

    @Test func onlyWhoHasAnEventSettlesIt() throws {
        let (world, register, portal, bank) = try three()
        register.publish()
        let place = try position(portal)
        portal.settle(.ack, .init(position: place))
        portal.settle(.ack, .init(position: place), .init(position: 9999), .init(position: 0), .init(position: .max))
        register.settle(.term, .init(position: place))
        #expect(world.core.counters.duplicates == 5)
        #expect(world.core.book.depth == 1)
        bank.settle(.ack, .init(position: place))
        #expect(world.core.book.depth == 0)
    }

    @Test func creditHoldsEventsBack() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.messageLimit = 2
        portal.hello()
        let events = (0..<5).map { register.publish("\($0)") }
        #expect(portal.events.count == 2)
        portal.grant(messages: 4)
        world.pass(milliseconds: 10)
        portal.grant(messages: 9)
        world.pass(milliseconds: 10)
        #expect(portal.events.map(\.header.id) == events)
    }

    @Test func aFullTableIsTold() throws {
        var limits = BrokerLimits()
        limits.eventBacklog = 2
        let (world, register, portal, bank) = try three(limits: limits)
        for _ in 0..<3 { register.publish() }
        #expect(register.refusedCodes == [4291])
        for agent in [portal, bank] {
            agent.settle(.ack, .init(position: try #require(agent.events.first).annotations.position))
        }
        register.publish()
        #expect(register.refusedCodes == [4291])
        #expect(world.core.book.depth == 4, "two events, two subscribers")
    }

    /// Bytes of a backlog stay in the journal; what is needed is read back.
    @Test func aLongBacklogKeepsItsBytesInTheJournal() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let body = String(repeating: "x", count: 60_000)
        var events: [MessageID] = []
        for number in 0..<1500 {
            events.append(register.publish("\(number) \(body)"))
            register.clear()
        }
        let queue = try #require(world.core.book.index(.events(Spaces.changed, for: "portal")))
        #expect(world.core.book.queues[queue].depth == 1500)
        #expect(world.core.book.queues[queue].messages.count == DeliveryQueue.window)
        #expect(world.core.book.queues[queue].bytesInMemory <= DeliveryQueue.contentBytes)
        let portal = TestAgent.portal(world)
        var got: [MessageID] = []
        while got.count < 1500 {
            let delivered = portal.events
            portal.clear()
            try #require(!delivered.isEmpty)
            #expect(delivered.allSatisfy { $0.body.count > 60_000 })
            got += delivered.map(\.header.id)
            for item in delivered { portal.settle(.ack, .init(position: item.annotations.position)) }
            portal.grant(messages: portal.messageLimit + UInt64(delivered.count), bytes: .max / 4)
        }
        #expect(got == events)
        #expect(world.core.book.queues[queue].isEmpty)
    }

    /// Its ACCEPT was lost with the connection, so its agent sends it again: once accepted, once delivered.
    @Test func anEventSentAgainHasOneEffect() throws {
        let (world, register, portal, _) = try three()
        let event = register.publish("same")
        register.reconnect("again")
        register.publish("same", id: event)
        #expect(register.accepts.last?.sequence == 1)
        #expect(register.refusedCodes.isEmpty)
        #expect(portal.events.count == 1)
        #expect(world.journal.messageIDs(.event) == [event])
        register.publish("other", id: event)
        #expect(register.refusedCodes == [4090])
    }

    @Test func aRestartTakesUpWhatWasNotSettled() throws {
        let (world, register, portal, _) = try three()
        let event = register.publish("kept")
        let place = try position(portal)
        portal.settle(.ack, .init(position: place))
        world.pass(milliseconds: 100)
        let after = try world.restarted()
        let (newPortal, newBank) = (TestAgent.portal(after), TestAgent.bank(after))
        #expect(newPortal.events.isEmpty)
        #expect(newBank.events.map(\.header.id) == [event])
        #expect(newBank.events.map(\.annotations.position) == [place])
        #expect(newBank.events.first?.body == Array("kept".utf8))
        // Its publisher may not know that it was accepted.
        let newRegister = TestAgent.register(after)
        newRegister.publish("kept", id: event)
        #expect(newRegister.refusedCodes.isEmpty)
        newRegister.publish("other", id: event)
        #expect(newRegister.refusedCodes == [4090])
        #expect(newBank.events.count == 1)
        newBank.settle(.ack, .init(position: place))
        #expect(after.core.book.depth == 0)
    }

    @Test func anEventWithoutSubscribersEndsAtOnce() throws {
        let world = try World(try Spaces.space { $0.integrations = [] })
        let register = TestAgent.register(world)
        register.publish()
        #expect(world.core.book.depth == 0)
        #expect(register.accepts.map(\.sequence) == [1])
    }
}
