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

@Suite struct SpaceChangeTests {
    /// Systems, integrations, keys and events that sort before the old ones, so that every index moves.
    private func shifted(_ change: (inout Space) -> Void = { _ in }) throws -> Space {
        let base = try Spaces.space()
        guard let first = base.integrations.first else { throw Spaces.Missing() }
        var early = first
        early.id = "aa-first"
        early.consumer = "aaa"
        early.stage = .approved
        var space = Space(
            id: base.id, title: base.title, broker: base.broker, thresholds: base.thresholds, agencies: base.agencies,
            systems: base.systems + [InformationSystem(id: "aaa", owner: "ministry", status: .operation)],
            services: base.services + [OfferedService(name: "aaa.thing-changed.v1", kind: .event, system: "aaa")],
            integrations: base.integrations + [early],
            keys: base.keys + [AgentKey(agent: "aaa-1", systems: ["aaa"], curve: Spaces.unknownKey)])
        change(&space)
        return space
    }

    @Test func openRequestsAndEventsTakeOverTheNewIndices() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.pass(milliseconds: 100)
        let delivered = portal.ask()
        world.commitsAtOnce = false
        let writing = portal.ask()
        let event = register.publish("on its way")
        world.core.apply(try SpaceSnapshot(try shifted(), after: world.core.rights.snapshot), at: world.now)
        let newcomer = TestAgent(world, Spaces.unknownKey, ["aaa"]).greeted()
        #expect(newcomer.welcomes.count == 1)
        world.commitsAtOnce = true
        world.commit()
        world.settle()
        #expect(register.requests.map(\.header.id) == [delivered, writing], "and nothing to another system")
        #expect(newcomer.requests.isEmpty)
        #expect(portal.events.map(\.header.id) == [event])
        // Who asked is still known by its key.
        portal.ask(id: writing)
        #expect(portal.refusedCodes.isEmpty)
        for request in [delivered, writing] { register.answer(request) }
        portal.settle(.ack, .init(position: try #require(portal.events.first).annotations.position))
        world.pass(milliseconds: 100)
        #expect(portal.outcomes(of: writing) == [0])
        #expect(world.journal.finished.map(\.integration) == [4, 4], "portal-record is the last of five")
        #expect(world.journal.settled.map(\.integration) == [3])
        #expect(world.journal.settled.map(\.subscriber) == ["portal"])
    }

    @Test func aRevokedKeyIsDismissedAtOnce() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let request = portal.ask()
        try world.apply(try Spaces.space { space in space.keys.removeAll { $0.curve == Spaces.registerKey } })
        #expect(register.errors == [4010])
        #expect(portal.outcomes(of: request) == [5022])
        #expect(world.core.liveSessions == 1)
        register.answer(request)
        #expect(register.errors == [4010, 4009])
        register.hello()
        #expect(register.errors == [4010, 4009, 4010])
    }

    @Test func whatWaitedForARevokedAgentGoesToOneThatStays() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        let request = portal.ask()
        let other = TestAgent.register2(world)
        try world.apply(try Spaces.space { space in space.keys.removeAll { $0.curve == Spaces.registerKey } })
        #expect(other.requests.map(\.header.id) == [request])
    }

    @Test func aNewRightHoldsWithTheNextMessage() throws {
        let world = try World()
        let (register, bank) = (TestAgent.register(world), TestAgent.bank(world))
        bank.ask()
        #expect(bank.refusedCodes == [4031])
        try world.apply(try Spaces.space { $0.integrations[1].stage = .testing })
        let request = bank.ask()
        #expect(register.requests.map(\.header.id) == [request])
        try world.apply(try Spaces.space { $0.integrations[1].stage = .retired })
        bank.ask()
        #expect(bank.refusedCodes == [4031, 4031])
        register.answer(request)
        #expect(bank.outcomes(of: request) == [0], "what was accepted goes on")
        #expect(world.journal.payloads(.space).count == 2)
    }

    /// The provider, the event type and its subscribers leave the space while everything is under way.
    @Test func whatLeavesTheSpaceLeavesNothingBehind() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 100)
        let waiting = portal.ask()
        register.publish("pending")
        world.commitsAtOnce = false
        let writing = portal.ask()
        register.publish("being written")
        try world.apply(
            try Spaces.space { space in
                space.systems.removeAll { $0.id == "register" }
                space.services = []
                space.integrations = []
                space.keys.removeAll { $0.agent != "portal-1" }
            })
        world.commitsAtOnce = true
        world.commit()
        #expect(portal.outcomes(of: waiting) == [5030])
        #expect(portal.outcomes(of: writing) == [5030])
        world.pass(milliseconds: 3000)
        #expect(portal.events.count == 1, "what came before; nothing after its subscription is gone")
        #expect(
            world.core.book.depth == 4, "what was accepted for two stays owed to both: the subscriptions may come back")
        #expect(world.journal.finished.allSatisfy { $0.integration == .max })
        world.expectIdle()
    }
}

@Suite struct FailedCommitTests {
    @Test func everySenderIsToldOnceAndNothingRemains() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let request = portal.ask()
        register.publish()
        world.failCommit()
        // The second sender's event came into the next batch, which fails too.
        world.pass(milliseconds: 60)
        world.failCommit()
        #expect(portal.refusedCodes == [5070])
        #expect(portal.refused.first?.retryAfterMilliseconds == 1000)
        #expect(portal.outcomes(of: request).isEmpty, "the refusal is its answer")
        #expect(register.refusedCodes == [5070])
        #expect(portal.events.isEmpty)
        #expect(register.requests.isEmpty)
        world.expectIdle()
        // And when there is space again, the same messages are welcome.
        world.pass(milliseconds: 60)
        world.commitsAtOnce = true
        portal.ask(id: request)
        #expect(register.requests.map(\.header.id) == [request])
    }

    @Test func anEventOfAFailedBatchMayBeSentAgain() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let event = register.publish("again")
        world.failCommit()
        #expect(register.refusedCodes == [5070])
        world.pass(milliseconds: 60)
        world.commitsAtOnce = true
        register.publish("again", id: event)
        #expect(register.refusedCodes == [5070])
        #expect(portal.events.map(\.header.id) == [event])
    }

    @Test func aReplyThatCannotBeWrittenEndsItsRequest() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let request = portal.ask()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        register.answer(request)
        world.failCommit()
        #expect(portal.outcomes(of: request) == [5070])
        #expect(register.refusedCodes == [5070])
        world.pass(milliseconds: 100)
        world.commit()
        #expect(world.journal.finished.map(\.outcome) == [5070])
        world.expectIdle()
    }

    /// Ends of requests, spaces, comings and goings happened whatever the disk says.
    @Test func recordsOfTheBrokerGoIntoTheNextBatchInTheirOrder() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let request = portal.ask()
        register.answer(request)
        world.commitsAtOnce = false
        let second = portal.ask()
        try world.apply(try Spaces.space { $0.title = LocalizedName(en: "Next") })
        let version = world.core.spaceVersion
        #expect(version == 2)
        world.failCommit()
        try world.apply(try Spaces.space { $0.title = LocalizedName(en: "Third") })
        let third = portal.ask()
        world.pass(milliseconds: 60)
        world.commit()
        world.commit()
        #expect(portal.refusedCodes == [5070])
        #expect(world.journal.finished.map(\.request) == [request])
        let spaces = try world.journal.payloads(.space).map { try SpaceSnapshot(canonical: $0).version }
        #expect(spaces == [2, 3])
        #expect(register.requests.map(\.header.id) == [request, third])
        #expect(!register.requests.contains { $0.header.id == second })
        #expect(world.journal.liveness.count == 2)
    }

    @Test func aFullDiskIsNotAskedWithoutPause() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        _ = TestAgent.register(world)
        portal.ask()
        #expect(world.writing != nil)
        world.failCommit()
        #expect(world.writing == nil, "the records that came back wait a moment")
        world.pass(milliseconds: 100)
        #expect(world.writing != nil)
    }

    @Test func whatComesBackIsBounded() throws {
        var limits = BrokerLimits()
        limits.gatheredRecords = 20
        let world = try World(limits: limits)
        let portal = TestAgent.portal(world)
        world.commitsAtOnce = false
        for _ in 0..<200 {
            portal.ask()
            world.pass(milliseconds: 60)
            world.failCommit()
        }
        #expect(world.core.gathering.batch.count <= 20)
        #expect(world.core.wantsInput)
    }
}
