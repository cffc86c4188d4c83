import BusDirectory
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

private func place(_ item: Delivered?) throws -> UInt64 { try #require(item).annotations.position }

extension TestAgent {
    func state(of command: MessageID) throws -> StateAnswer.Row {
        say(.query, StateQuery(token: 7, consumer: systems[0], commands: [command]).encoded(), version: 2)
        let answer = try #require(states.last)
        #expect(answer.token == 7)
        return try #require(answer.rows.first)
    }

    fileprivate func ack(_ item: Delivered?) throws { settle(.ack, .init(position: try place(item))) }
}

@Suite struct CommandTests {
    @Test func aCommandGoesItsWay() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let command = portal.send("register me")
        #expect(portal.refusedCodes.isEmpty)
        #expect(portal.accepts.last?.sequence == 1)
        #expect(try portal.state(of: command).state == .accepted)
        // The provider comes a day later... within what the service allows.
        world.pass(milliseconds: 30_000, step: 500)
        let register = TestAgent.register(world)
        #expect(register.commandsGot.map(\.header.id) == [command])
        #expect(register.commandsGot.first?.body == Array("register me".utf8))
        #expect(try portal.state(of: command).state == .delivering)
        try register.ack(register.commandsGot.first)
        #expect(try portal.state(of: command).state == .delivered)
        let outcome = register.conclude(command, for: "portal")
        #expect(portal.outcomesGot.map(\.header.id) == [outcome])
        let row = try portal.state(of: command)
        #expect(row.state == .completed)
        #expect(row.outcome == Array("done".utf8))
        try portal.ack(portal.outcomesGot.first)
        #expect(world.core.book.depth == 0)
    }

    @Test func aCommandWithoutRightIsRefused() throws {
        let world = try World(try Spaces.space { $0.integrations[4].stage = .planned })
        let (bank, register) = (TestAgent.bank(world), TestAgent.register(world))
        bank.send()
        #expect(bank.refusedCodes == [4031])
        bank.send { $0.target = Spaces.record }
        #expect(bank.refusedCodes == [4031, 4031])
        bank.send { $0.consumer = "portal" }
        #expect(bank.refusedCodes.last == 4011)
        #expect(register.commandsGot.isEmpty)
    }

    /// The sender's ACCEPT was lost: the same bytes are the same command, other bytes are refused.
    @Test func aRepeatedCommandIsOneCommand() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send("once")
        portal.reconnect("again")
        portal.send("once", id: command)
        #expect(portal.refusedCodes.isEmpty)
        portal.send("twice", id: command)
        #expect(portal.refusedCodes == [4090])
        #expect(register.commandsGot.count == 1)
        #expect(world.journal.messageIDs(.command) == [command])
    }

    @Test func aRepeatedCommandBringsItsStoredOutcomeAgain() throws {
        let world = try World()
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        try register.ack(register.commandsGot.first)
        let outcome = register.conclude(command, for: "portal")
        try portal.ack(portal.outcomesGot.first)
        portal.send(id: command)
        #expect(portal.outcomesGot.map(\.header.id) == [outcome, outcome])
        #expect(register.commandsGot.count == 1)
    }

    /// The original is being written when its repetition comes; the disk is full. Neither may count as accepted.
    @Test func aRepetitionFailsWithItsOriginal() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let command = portal.send()
        portal.send(id: command)
        portal.ask()  // makes the second batch worth a commit
        world.failCommit()
        world.pass(milliseconds: 60)
        world.commitsAtOnce = true
        world.commit()
        world.pass(milliseconds: 60)
        #expect(portal.refused.filter { $0.code == 5070 }.map(\.sequence) == [1, 2])
        #expect(world.journal.messageIDs(.command).isEmpty)
        portal.send(id: command)
        #expect(world.journal.messageIDs(.command) == [command])
    }

    @Test func onlyTheProviderConcludesAndOnlyOnce() throws {
        let world = try World()
        let (portal, register, bank) = (TestAgent.portal(world), TestAgent.register(world), TestAgent.bank(world))
        let command = portal.send()
        bank.conclude(command, for: "portal")
        #expect(bank.refusedCodes == [4011])
        register.conclude(world.id(), for: "portal")
        #expect(register.refusedCodes == [4005])
        let outcome = register.conclude(command, for: "portal")
        register.conclude(command, for: "portal", id: outcome)
        #expect(register.refusedCodes == [4005], "the same outcome again is the same outcome")
        register.conclude(command, for: "portal", outcome: 4093)
        #expect(register.refusedCodes == [4005, 4090])
        #expect(portal.outcomesGot.count == 1)
    }

    @Test func strangersLearnNothing() throws {
        let world = try World()
        let (portal, bank) = (TestAgent.portal(world), TestAgent.bank(world))
        let command = portal.send()
        bank.say(.query, StateQuery(token: 1, consumer: "portal", commands: [command]).encoded(), version: 2)
        #expect(bank.errors == [4011])
        bank.say(.query, StateQuery(token: 1, consumer: "bank", commands: [command]).encoded(), version: 2)
        #expect(bank.states.last?.rows.isEmpty == true)
    }

    @Test func whatNobodyTakesInTimeExpiresAndIsTold() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let command = portal.send { $0.expiry = world.now.wallMilliseconds + 1000 }
        world.pass(milliseconds: 990)
        #expect(try portal.state(of: command).state == .accepted)
        world.pass(milliseconds: 30)
        #expect(try portal.state(of: command).state == .expired)
        #expect(portal.outcomesGot.map(\.header.outcome) == [4101])
        #expect(portal.outcomesGot.map(\.header.correlation) == [command])
        let register = TestAgent.register(world)
        #expect(register.commandsGot.isEmpty)
        portal.send { $0.expiry = world.now.wallMilliseconds - 1 }
        #expect(portal.refusedCodes == [4081])
        #expect(world.core.deadLetters.map(\.code) == [4101])
    }

    @Test func whatIsGivenUpIsADeadLetterAndMayBeResent() throws {
        let world = try World(try Spaces.space { $0.services[1].retry = nil })
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        let command = portal.send()
        let position = try place(register.commandsGot.first)
        register.settle(.term, .init(position: position, code: 5020))
        #expect(try portal.state(of: command).state == .deadLettered)
        #expect(portal.outcomesGot.map(\.header.outcome) == [5020])
        let letter = try #require(world.core.deadLetters.first)
        #expect(letter.code == 5020)
        #expect(letter.attempts == 1)
        #expect(letter.resent == 0)
        #expect(world.core.resend(position, to: "portal", at: world.now) == nil, "the receiver is part of its name")
        #expect(world.core.resend(position, to: "register", at: world.now)?.resent == 0)
        world.settle()
        #expect(register.commandsGot.map(\.header.id) == [command, command])
        #expect(world.core.deadLetters.isEmpty)
        register.settle(.term, .init(position: position, code: 5020))
        #expect(world.core.deadLetters.map(\.resent) == [1], "who resends it again is warned by this")
        // After a restart it is the same dead letter, and can be resent from there.
        world.pass(milliseconds: 100)
        let after = try world.restarted()
        #expect(after.core.deadLetters == world.core.deadLetters)
        #expect(after.core.resend(position, to: "register", at: after.now) != nil)
        let next = TestAgent.register(after)
        #expect(next.commandsGot.map(\.header.id) == [command])
        next.conclude(command, for: "portal")
        try next.ack(next.commandsGot.first)
        #expect(try TestAgent.portal(after).state(of: command).state == .completed)
    }

    @Test func quotasAreToldWithTheTimeToWait() throws {
        let world = try World(
            try Spaces.space { $0.integrations[5].quota = TrafficQuota(messagesPerSecond: 2) })
        let (portal, register) = (TestAgent.portal(world), TestAgent.register(world))
        for _ in 0..<3 { portal.send() }
        #expect(portal.refusedCodes == [4292])
        #expect(portal.refused.first?.retryAfterMilliseconds == 500)
        world.pass(milliseconds: 504)
        portal.send()
        #expect(portal.refusedCodes == [4292])
        #expect(register.commandsGot.count == 3)
    }
}

@Suite struct OrderTests {
    /// Two agents of one system; one key's commands one after the other, other keys go on.
    @Test func oneKeyIsWorkedOnInOrderByWhoeverIsThere() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let (one, two) = (TestAgent.register(world), TestAgent.register2(world))
        let commands = (0..<4).map { portal.send("\($0)", key: 1) }
        let other = portal.send("other", key: 2)
        func got() -> [MessageID] { (one.commandsGot + two.commandsGot).map(\.header.id) }
        #expect(Set(got()) == [commands[0], other])
        for (index, command) in commands.enumerated() {
            let holder = one.commandsGot.contains { $0.header.id == command } ? one : two
            let item = holder.commandsGot.first { $0.header.id == command }
            // Nothing of the key moves while the first is tried again.
            holder.settle(.nak, .init(position: try place(item), delayMilliseconds: 50))
            #expect(got().count == index * 2 + 2)
            world.pass(milliseconds: 600)
            let again = one.commandsGot.last { $0.header.id == command }.map { (one, $0) }
            let second = two.commandsGot.last { $0.header.id == command }.map { (two, $0) }
            let last = try #require(
                [again, second].compactMap { $0 }.max { $0.1.annotations.attempt < $1.1.annotations.attempt })
            #expect(last.1.annotations.attempt == 2)
            try last.0.ack(last.1)
        }
    }

    @Test func orderSurvivesARestartAndALostAgent() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let register = TestAgent.register(world)
        let commands = (0..<3).map { portal.send("\($0)", key: 9) }
        #expect(register.commandsGot.map(\.header.id) == [commands[0]])
        register.say(.bye)
        let two = TestAgent.register2(world)
        #expect(two.commandsGot.map(\.header.id) == [commands[0]], "the second waits for the first, wherever it is")
        world.pass(milliseconds: 100)
        let after = try world.restarted()
        let next = TestAgent.register(after)
        for command in commands {
            #expect(next.commandsGot.last?.header.id == command)
            try next.ack(next.commandsGot.last)
        }
        #expect(after.core.book.depth == 0)
    }
}

@Suite struct ReplayTests {
    @Test func aSubscriberSeesAgainWhatItHasSeenFromWhereItWants() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let events = (0..<4).map { register.publish("\($0)") }
        for item in portal.events { portal.settle(.ack, .init(position: item.annotations.position)) }
        let second = try place(portal.events.dropFirst().first)
        portal.clear()
        let wish = Seek(token: 3, start: .position, value: second, system: "portal", event: Spaces.changed)
        portal.say(.seek, wish.encoded(), version: 2)
        #expect(portal.dones == [Done(token: 3, count: 3)])
        #expect(portal.events.map(\.header.id) == Array(events.dropFirst()))
        // What it is owed after a restart is what it sought.
        world.pass(milliseconds: 100)
        let after = try world.restarted()
        #expect(TestAgent.portal(after).events.map(\.header.id) == Array(events.dropFirst()))
    }

    /// DONE is a receipt: a crash before it may lose the wish, one after it may not.
    @Test func aSeekIsDoneWhenItIsDurable() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        register.publish()
        portal.settle(.ack, .init(position: try place(portal.events.first)))
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let wish = Seek(token: 3, start: .beginning, system: "portal", event: Spaces.changed)
        portal.say(.seek, wish.encoded(), version: 2)
        world.pass(milliseconds: 100)
        #expect(portal.dones.isEmpty)
        world.failCommit()
        #expect(portal.dones == [Done(token: 3, code: 5070)])
        // Its record goes with the next batch; who asks again is owed nothing twice.
        world.pass(milliseconds: 100)
        world.commit()
        portal.say(.seek, wish.encoded(), version: 2)
        #expect(portal.dones.last == Done(token: 3, count: 0))
        #expect(world.journal.payloads(.sought).count == 1)
    }

    /// What one subscriber looks at again is no reason to refuse an event that others wait for.
    @Test func aReplayTakesNoRoomFromNewEvents() throws {
        var limits = BrokerLimits()
        limits.eventBacklog = 3
        limits.replay = 2
        let world = try World(limits: limits)
        let (register, portal, bank) = (TestAgent.register(world), TestAgent.portal(world), TestAgent.bank(world))
        for number in 0..<3 {
            register.publish("\(number)")
            for agent in [portal, bank] { agent.settle(.ack, .init(position: try place(agent.events.last))) }
        }
        let all = portal.events.map(\.header.id)
        let wish = Seek(token: 1, start: .beginning, system: "portal", event: Spaces.changed).encoded()
        portal.clear()
        portal.say(.seek, wish, version: 2)
        // A page of two, the oldest; there is no other page before that one is done.
        #expect(portal.dones == [Done(token: 1, count: 2)])
        portal.say(.seek, wish, version: 2)
        #expect(portal.dones.last == Done(token: 1, code: 4291))
        for _ in 0..<3 { register.publish() }
        #expect(register.refusedCodes.isEmpty)
        #expect(bank.events.count == 6)
        register.publish()
        #expect(register.refusedCodes == [4291], "the portal has three new ones unsettled")
        #expect(portal.events.prefix(2).map(\.header.id) == Array(all.prefix(2)))
        #expect(portal.events.count == 5)
        // A restart counts the same.
        world.pass(milliseconds: 100)
        let after = try world.restarted()
        let queue = try #require(after.core.book.index(.events(Spaces.changed, for: "portal")))
        #expect(after.core.book.queues[queue].sought == 2 && after.core.book.queues[queue].fresh == 3)
        // Page by page.
        for item in portal.events.prefix(2) { portal.settle(.ack, .init(position: item.annotations.position)) }
        let next = Seek(
            token: 2, start: .position, value: try place(portal.events.dropFirst().first) + 1, system: "portal",
            event: Spaces.changed)
        portal.say(.seek, next.encoded(), version: 2)
        #expect(portal.dones.last == Done(token: 2, count: 1))
        #expect(portal.events.last?.header.id == all.last)
    }

    @Test func onlySubscribersMaySeek() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        func code(_ agent: TestAgent, _ system: String, _ event: String) -> UInt16? {
            agent.say(
                .seek, Seek(token: 1, start: .beginning, system: system, event: event).encoded(), version: 2)
            return agent.dones.last?.code
        }
        #expect(code(register, "register", Spaces.changed) == 4030)
        #expect(code(portal, "bank", Spaces.changed) == 4011)
        #expect(code(portal, "portal", "register.nothing.v1") == 4040)
    }

    @Test func aJournalThatCannotBeReadIsToldAndTriedAgain() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        world.readsAtOnce = false
        portal.say(
            .seek, Seek(token: 1, start: .beginning, system: "portal", event: Spaces.changed).encoded(), version: 2)
        world.read(fails: true)
        world.settle()
        #expect(portal.dones.map(\.code) == [5071])
        register.publish()
        portal.settle(.nak, .init(position: try place(portal.events.first)))
        world.pass(milliseconds: 400)
        world.read(fails: true)
        world.settle()
        #expect(portal.events.count == 1)
        // Not at once: a journal that fails would be asked for ever.
        world.pass(milliseconds: 1500)
        world.read()
        world.settle()
        #expect(portal.events.map(\.annotations.attempt) == [1, 2])
    }

    /// Of a backlog only positions are known: what is read too late to be delivered becomes a dead letter all the same.
    @Test func aBodyThatIsGoneFromTheBacklogEndsItsDelivery() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        let event = register.publish()
        let position = try place(portal.events.first)
        portal.settle(.ack, .init(position: position))
        world.journal.erased = [position]
        portal.say(
            .seek, Seek(token: 1, start: .beginning, system: "portal", event: Spaces.changed).encoded(), version: 2)
        #expect(portal.dones.map(\.count) == [1])
        #expect(world.core.deadLetters.map(\.id) == [event])
        #expect(world.core.deadLetters.map(\.code) == [4041])
        world.pass(milliseconds: 100)
        #expect(world.journal.settled.last?.code == 4041)
    }

    @Test func aBodyThatIsGoneEndsItsDelivery() throws {
        let world = try World()
        let (register, portal) = (TestAgent.register(world), TestAgent.portal(world))
        register.publish()
        let position = try place(portal.events.first)
        world.journal.erased = [position]
        portal.settle(.nak, .init(position: position))
        world.pass(milliseconds: 400)
        #expect(world.core.deadLetters.map(\.code) == [4041])
    }
}
