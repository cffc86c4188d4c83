import BusDirectory
import BusProtocol
import Testing

@testable import BusBroker

/// What the broker keeps follows what is owed, not what was: long backlogs, long lines of one key, many dead letters, many ends.
@Suite("Long histories", .timeLimit(.minutes(2)))
struct LongHistoryTests {
    private func event(_ position: UInt64) -> QueuedMessage {
        QueuedMessage(
            Header(kind: .event, id: MessageID(value: UInt128(position)), created: 0), position: position,
            acceptedAt: 0,
            expiry: .max, size: 10, content: .inJournal)
    }

    private func command(_ position: UInt64, key: UInt128? = nil) -> QueuedMessage {
        var header = Header(kind: .command, id: MessageID(value: UInt128(position)), created: 0)
        header.orderKey = key
        header.target = Spaces.order
        return QueuedMessage(
            header, position: position, acceptedAt: 0, expiry: Int64(position), size: 10, content: .inJournal)
    }

    /// Nobody is there, and everything expires, or is settled long before it would.
    @Test func entriesOfWhatHasLeftAreDropped() {
        var queue = DeliveryQueue(.commands(of: "register"))
        for position in 1...20_000 as ClosedRange<UInt64> {
            queue.add(command(position))
            if position > 10 { queue.remove(position - 10) }
        }
        #expect(queue.depth == 10)
        #expect(queue.entries <= 3 * (2 * 10 + 64), "\(queue.entries)")
        var left: [UInt64] = []
        for position in queue.wanted() {
            left.append(position)
            queue.remove(position)
        }
        #expect(queue.isEmpty && left == Array(19_991...20_000))
    }

    @Test func aLongLineOfOneKeyEndsInTime() {
        var queue = DeliveryQueue(.commands(of: "register"))
        let count: UInt64 = 100_000
        for position in 1...count { queue.add(command(position, key: 7)) }
        // From the front, as it is worked on, and from behind it, as it expires.
        for position in 1...count / 2 { queue.remove(position) }
        for position in (count / 2 + 2)...count { queue.remove(position) }
        #expect(queue.depth == 1 && queue.messages[count / 2 + 1]?.mayGo == true)
    }

    /// A subscriber without room is owed a long backlog: none of it is read.
    @Test func aSubscriberWithoutRoomCostsNoBodies() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.messageLimit = 1
        portal.hello()
        let body = String(repeating: "x", count: 60_000)
        for number in 0..<1500 {
            register.publish("\(number) \(body)")
            register.clear()
        }
        world.pass(milliseconds: 500)
        let queue = try #require(world.core.book.index(.events(Spaces.changed, for: "portal")))
        #expect(world.core.book.queues[queue].depth == 1500 && portal.events.count == 1)
        #expect(world.core.book.queues[queue].bytesInMemory <= DeliveryQueue.contentBytes)
    }

    /// Only tools come by, which take no outcomes: nothing is read for them.
    @Test func whatNobodyTakesIsNotReadAgainAndAgain() throws {
        let world = try World()
        let register = TestAgent.register(world)
        let portal = TestAgent.portal(world)
        let commands = (0..<200).map { _ in portal.send() }
        for item in register.commandsGot { register.settle(.ack, .init(position: item.annotations.position)) }
        portal.say(.bye)
        for command in commands { register.conclude(command, for: "portal") }
        world.pass(milliseconds: 100)
        let before = world.core.nextLoad
        for number in 0..<5 {
            let guest = TestAgent(world, Spaces.portalKey, ["portal"], instance: 100 + UInt128(number))
            guest.hello { $0.takes = Takes([]) }
            guest.say(.bye)
        }
        #expect(world.core.nextLoad == before)
        let own = TestAgent(world, Spaces.portalKey, ["portal"], instance: 200).greeted()
        world.pass(milliseconds: 500)
        #expect(own.outcomesGot.map(\.header.correlation) == commands)
    }

    /// More than are known in full die, some are resent and die again: a restart has the same list in the same order.
    @Test func deadLettersOfABacklogKeepTheirOrder() throws {
        let world = try World(try Spaces.space { $0.services[1].retry = nil })
        let register = TestAgent.register(world)
        for number in 0..<(DeliveryQueue.window + 300) {
            register.publish("\(number)")
            register.clear()
        }
        let portal = TestAgent.portal(world)
        var died: [UInt64] = []
        while died.count < DeliveryQueue.window + 300 {
            let delivered = portal.events
            portal.clear()
            try #require(!delivered.isEmpty)
            for item in delivered {
                portal.settle(.term, .init(position: item.annotations.position, code: 4221))
                died.append(item.annotations.position)
            }
            portal.grant(messages: portal.messageLimit + UInt64(delivered.count))
        }
        portal.vanish()
        for position in [died[3], died[1200]] {
            #expect(world.core.resend(position, to: "portal", at: world.now) != nil)
        }
        world.settle()
        world.pass(milliseconds: 100)
        let after = try world.restarted()
        #expect(world.core.deadLetters.count == died.count - 2)
        #expect(after.core.deadLetters == world.core.deadLetters)
        #expect(after.core.deadLetters.allSatisfy { $0.target == Spaces.changed && !$0.isUnread })
        #expect(world.core.bookSummary.difference(from: after.core.bookSummary) == nil)
    }

    /// Resent, its own expiry counts no more, however long the backlog is that it comes into, and after a restart.
    @Test(arguments: [false, true]) func aResentEventOutlivesItsExpiry(restarts: Bool) throws {
        var world = try World()
        let register = TestAgent.register(world)
        let event = register.publish("old") { $0.expiry = world.now.wallMilliseconds + 1000 }
        world.pass(milliseconds: 1500)
        let letter = try #require(world.core.deadLetters.first { $0.queue.system == "portal" })
        for number in 0..<(DeliveryQueue.window + 10) {
            register.publish("\(number)")
            register.clear()
        }
        #expect(world.core.resend(letter.position, to: "portal", at: world.now) != nil)
        world.settle()
        world.pass(milliseconds: 100)
        if restarts { world = try world.restarted() }
        let portal = TestAgent.portal(world)
        var got: [MessageID] = []
        while case let delivered = portal.events, !delivered.isEmpty {
            portal.clear()
            got += delivered.map(\.header.id)
            for item in delivered { portal.settle(.ack, .init(position: item.annotations.position)) }
            portal.grant(messages: portal.messageLimit + UInt64(delivered.count))
        }
        #expect(got.count == DeliveryQueue.window + 11 && got.contains(event))
        #expect(!world.core.deadLetters.contains { $0.position == letter.position && $0.queue.system == "portal" })
    }

    @Test func whatCouldNotBeWrittenIsForgottenTogether() {
        var ledger = MessageLedger(limit: 10)
        let header = Header(kind: .event, id: MessageID(value: 1 << 100), created: 0)
        let keys = (1...6).map { ledger.key("portal", MessageID(value: UInt128($0) << 80)) }
        for key in keys { ledger.insert(.init(header, fingerprint: 0, position: 1), key) }
        ledger.withdraw([keys[1], keys[5]])
        #expect(ledger.count == 4 && ledger[keys[1]] == nil && ledger[keys[0]] != nil)
        // What is left is forgotten in its order.
        for number in 10..<18 {
            ledger.insert(
                .init(header, fingerprint: 0, position: 1),
                ledger.key("portal", MessageID(value: UInt128(number) << 80)))
        }
        ledger.trim()
        #expect(ledger[keys[0]] == nil && ledger[keys[2]] == nil && ledger[keys[3]] != nil)
    }

    /// A share without a limit is none of the wait.
    @Test func aQuotaOfBytesAloneSaysWhenToCome() {
        for quota in [
            TrafficQuota(messagesPerSecond: nil, bytesPerSecond: 1000),
            TrafficQuota(messagesPerSecond: 1, bytesPerSecond: nil),
        ] {
            var bucket = QuotaBucket(quota, at: 0)
            #expect(bucket.take(900, at: 0) == nil)
            let wait = bucket.take(900, at: 0) ?? 0
            #expect((1...1000).contains(wait), "\(wait)")
            #expect(bucket.take(900, at: 1_000_000) == nil)
        }
    }

    /// The journal cannot be read: its queue is asked for again after a while, and not at once and for ever.
    @Test func aFailingReadIsTriedAgainLater() throws {
        let world = try World()
        let register = TestAgent.register(world)
        for number in 0..<(DeliveryQueue.window + 100) {
            register.publish("\(number)")
            register.clear()
        }
        world.readsAtOnce = false
        let portal = TestAgent.portal(world)
        for item in portal.events { portal.settle(.ack, .init(position: item.annotations.position)) }
        let asked = world.core.nextLoad
        world.core.loaded(asked, nil, at: world.now)
        world.settle()
        #expect(world.core.nextLoad == asked, "not at once")
        world.pass(milliseconds: 1500)
        #expect(world.core.nextLoad > asked)
    }

    @Test func plannedErasuresAreKeptOnce() {
        var erasures = Erasures()
        for turn in 0..<1000 as Range<Int64> {
            for position in 0..<10 as Range<UInt64> { erasures.plan(position, at: turn) }
        }
        #expect(erasures.count == 10 && erasures.entries <= 2 * 10 + 65)
        #expect(erasures.take(at: 2000, limit: 100, most: 100).sorted() == Array(0..<10))
    }
}
