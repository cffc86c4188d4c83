import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

/// A register and a portal that know each other.
func pair(limits: BrokerLimits = BrokerLimits()) throws -> (World, register: TestAgent, portal: TestAgent) {
    let world = try World(limits: limits)
    return (world, .register(world), .portal(world))
}

@Suite struct RequestTests {
    @Test func nothingLeavesBeforeItIsDurable() throws {
        let (world, register, portal) = try pair()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let request = portal.ask()
        #expect(register.requests.isEmpty)
        world.pass(milliseconds: 100)
        #expect(register.requests.isEmpty)
        #expect(portal.accepts.isEmpty)
        world.commit()
        #expect(register.requests.map(\.header.id) == [request])
        world.pass(milliseconds: 20)
        #expect(portal.accepts.map(\.sequence) == [1])

        let reply = register.answer(request)
        #expect(portal.replies.isEmpty)
        world.commit()
        #expect(portal.replies.map(\.header.id) == [reply])
        #expect(world.journal.messageIDs(.request) == [request])
        #expect(world.journal.messageIDs(.reply) == [reply])
    }

    @Test func theNextBatchMayBeWrittenBeforeTheLastIsCarriedOut() throws {
        let (world, register, portal) = try pair()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let first = portal.ask()
        let second = portal.ask()
        let batch = try #require(world.writing)
        world.writing = nil
        let durable = world.core.durable(world.journal.commit(batch))
        let done = try #require(durable)
        let gathered = world.core.takeBatch(at: world.now)
        let next = try #require(gathered)
        let third = world.core.takeBatch(at: world.now)
        #expect(third == nil, "one at a time")
        #expect(register.requests.isEmpty, "durable, and not yet carried out")
        world.core.carryOut(done, at: world.now)
        world.settle()
        #expect(register.requests.map(\.header.id) == [first])
        world.core.committed(world.journal.commit(next), at: world.now)
        world.settle()
        #expect(register.requests.map(\.header.id) == [first, second])
        let nothing = world.core.durable(Committed(firstPosition: 1, treeSize: 1, root: .init()))
        #expect(nothing == nil)
    }

    @Test func theEndOfARequestIsWrittenWithItsTimes() throws {
        let (world, register, portal) = try pair()
        let start = world.now.wall
        let request = portal.ask()
        world.pass(milliseconds: 30)
        register.answer(request)
        world.pass(milliseconds: 100)
        let end = try #require(world.journal.finished.first)
        #expect(end.request == request)
        #expect(end.outcome == 0)
        #expect(end.integration == 3, "portal-record is the last of four")
        #expect(end.stage == 3, "approved")
        #expect(end.times.requestIn == start)
        #expect(end.times.requestOut == start)
        #expect(end.times.replyIn == start + 30_000)
        #expect(end.times.replyOut == start + 30_000)
        let reply = try #require(portal.replies.first)
        #expect(reply.annotations.requestIn == start)
        #expect(reply.annotations.replyIn == start + 30_000)
        let position = Int(reply.annotations.position)
        guard case .message(let record) = world.journal.records[position - 1] else {
            Issue.record("the annotation names another record")
            return
        }
        #expect(try Header(decoding: Array(record.frame[record.header])).id == reply.header.id)
        world.expectIdle()
    }

    @Test func whatIsDeliveredIsWhatWasSubmitted() throws {
        let (_, register, portal) = try pair()
        let body = Array("{\"iin\":\"900101300017\"}".utf8)
        let sent = portal.request {
            $0.purpose = "test"; $0.user = "u1"
        }
        portal.submit([(sent, body)])
        let got = try #require(register.requests.first)
        #expect(got.header == sent)
        #expect(got.body == body)
        #expect(got.annotations.attempt == 1)
    }

    @Test func withoutALiveProviderARequestIsRefusedAtOnce() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 200)
        let request = portal.ask()
        #expect(portal.refusedCodes == [5030])
        #expect(portal.outcomes(of: request).isEmpty)
        world.pass(milliseconds: 100)
        #expect(world.journal.finished.map(\.outcome) == [5030])
    }

    /// The refusal must not wait for records that can: an agent's HELLO a moment ago left one.
    @Test func aRefusalDoesNotWaitForLazyRecords() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        portal.ask()
        #expect(portal.refusedCodes == [5030])
    }

    @Test(arguments: [
        ("portal", "register.other-get.v1", 4040), ("portal", "nobody.x.v1", 4040),
        ("portal", "portal.status-get.v1", 4030),
        ("bank", "register.record-get.v1", 4031), ("bank", "portal.status-get.v1", 4030),
        ("register", "register.record-get.v1", 4011),
        ("", "register.record-get.v1", 4011), ("portal", "", 4040), ("portal", "register.record-changed.v1", 4040),
    ])
    func withoutARightARequestIsRefused(consumer: String, target: String, code: UInt16) throws {
        let world = try World()
        _ = TestAgent.register(world)
        let asking = consumer == "bank" ? TestAgent.bank(world) : TestAgent.portal(world)
        asking.ask(target) { $0.consumer = consumer }
        #expect(asking.refusedCodes == [code])
        #expect(world.core.openCalls == 0)
    }

    @Test func refusedTrafficIsCountedTogether() throws {
        let world = try World()
        let bank = TestAgent.bank(world)
        for _ in 0..<5 { bank.ask(Spaces.record) }
        bank.ask(Spaces.status)
        bank.ask("no name at all!")
        world.pass(milliseconds: 600)
        let records = world.journal.refused.sorted { $0.target < $1.target }
        #expect(records.map(\.count) == [1, 1, 5])
        #expect(records.map(\.code) == [4040, 4030, 4031])
        #expect(records.map(\.target) == ["(unreadable)", Spaces.status, Spaces.record])
        #expect(records.allSatisfy { $0.consumer == "bank" })
    }

    @Test func theTableOfRefusedTrafficIsBounded() throws {
        var limits = BrokerLimits()
        limits.refusedPairs = 10
        let world = try World(limits: limits)
        let bank = TestAgent.bank(world)
        for number in 0..<100 { bank.ask("nobody.x\(number).v1") }
        #expect(world.core.refusals.count == 10)
        world.pass(milliseconds: 600)
        #expect(world.journal.refused.count == 10)
    }

    @Test func aReplyThatFitsNoRequestIsRefused() throws {
        let (world, register, portal) = try pair()
        let bank = TestAgent.bank(world)
        let request = portal.ask()
        bank.answer(request)
        #expect(bank.refusedCodes == [4005])
        register.answer(world.id())
        #expect(register.refusedCodes == [4005])
        register.submit([
            (
                {
                    var h = Header(kind: .reply, id: world.id(), created: 0); h.target = Spaces.record; return h
                }(), []
            )
        ])
        #expect(register.refusedCodes == [4005, 4005])
        register.answer(request)
        register.answer(request)
        #expect(register.refusedCodes == [4005, 4005, 4005])
        #expect(portal.outcomes(of: request) == [0])
        world.expectIdle()
    }

    /// The other agent of the same system did not get the request, so it does not answer it.
    @Test func onlyTheAgentThatHasTheRequestMayAnswer() throws {
        let (world, register, portal) = try pair()
        let other = TestAgent.register2(world)
        let request = portal.ask()
        let (holder, stranger) = register.requests.isEmpty ? (other, register) : (register, other)
        stranger.answer(request)
        #expect(stranger.refusedCodes == [4005])
        holder.answer(request, outcome: 2040)
        #expect(portal.outcomes(of: request) == [2040])
    }

    @Test func anIdOfAnotherConsumerIsRefused() throws {
        let world = try World(
            try Spaces.space { space in space.integrations[1].stage = .approved })
        let register = TestAgent.register(world)
        let (portal, bank) = (TestAgent.portal(world), TestAgent.bank(world))
        let request = portal.ask()
        bank.ask(id: request)
        #expect(bank.refusedCodes == [4090])
        register.answer(request)
        #expect(portal.outcomes(of: request) == [0])
        #expect(bank.replies.isEmpty)
    }

    @Test func aRepeatedRequestIsNotDeliveredTwice() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask()
        portal.ask(id: request)
        portal.reconnect("again")
        portal.ask(id: request)
        #expect(register.requests.count == 1)
        #expect(world.core.counters.duplicates == 2)
        register.answer(request)
        #expect(portal.outcomes(of: request) == [0])
        #expect(portal.refusedCodes.isEmpty)
        world.expectIdle()
    }

    @Test func failuresOfTheProviderAreHandedOn() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask()
        register.answer(request, outcome: 5020)
        world.pass(milliseconds: 100)
        #expect(portal.outcomes(of: request) == [5020])
        #expect(world.journal.finished.map(\.hop) == [.providerAgent])
        #expect(world.core.counters.requestsFailed == 1)
    }

    /// A provider answers in its own name only, and to what it was asked.
    @Test func aReplyRepeatsTheNamesOfItsRequest() throws {
        let (_, register, portal) = try pair()
        let request = portal.ask()
        for forge: (inout Header) -> Void in [
            { $0.target = Spaces.status }, { $0.target = "" }, { $0.provider = "bank" }, { $0.consumer = "bank" },
        ] { register.answer(request, change: forge) }
        #expect(register.refusedCodes == [4003, 4003, 4003, 4003])
        #expect(portal.outcomes(of: request).isEmpty)
        register.answer(request) {
            $0.provider = "register"; $0.consumer = "portal"
        }
        #expect(portal.outcomes(of: request) == [0])
    }

    @Test func aSealNobodyCanOpenIsRefused() throws {
        let (_, _, portal) = try pair()
        portal.ask { $0.sealSuite = 1 }
        #expect(portal.refusedCodes == [4003])
    }

    @Test func otherBytesUnderTheIdOfAnOpenRequestAreRefused() throws {
        let (_, register, portal) = try pair()
        let request = portal.ask(body: Array("one".utf8))
        portal.ask(id: request, body: Array("two".utf8))
        #expect(portal.refusedCodes == [4090])
        #expect(register.requests.count == 1)
    }

    @Test func unknownKindsAreRefused() throws {
        let (_, _, portal) = try pair()
        for kind in [MessageKind.keyEpoch, .keyWrap] { portal.ask { $0.kind = kind } }
        #expect(portal.refusedCodes == [4003, 4003])
    }

    @Test func aBadEnvelopeDoesNotSpoilItsNeighbours() throws {
        let (world, register, portal) = try pair()
        let good = portal.request()
        var bad = portal.request()
        bad.priority = 77
        let large = portal.request()
        portal.submit([
            (bad, []), (good, []), (large, [UInt8](repeating: 1, count: Limits.body + 1)),
            (portal.request { $0.id = MessageID(value: 5) }, []),
        ])
        #expect(register.requests.map(\.header.id) == [good.id])
        #expect(portal.refused.map(\.sequence) == [1, 3, 4])
        #expect(portal.refusedCodes == [4003, 4130, 4004])
        #expect(portal.accepts.last?.sequence == 4)
        // All four count against the credit, as their sender counted them.
        let slot = try #require(world.core.sessions.slot(key: Spaces.portalKey))
        let cost =
            [bad, good, large].reduce(0) { $0 + $1.encoded().count } + Limits.body + 1
            + portal.request { $0.id = MessageID(value: 5) }.encoded().count
        #expect(world.core.sessions[slot].decidedBytes == UInt64(cost))
    }

    @Test func aJumpInTheNumbersIsToldAndNothingIsTaken() throws {
        let (world, register, portal) = try pair()
        portal.submit([(portal.request(), [])], sequence: 5)
        #expect(portal.errors == [4008])
        #expect(register.requests.isEmpty)
        #expect(world.core.openCalls == 0)
        portal.ask()
        #expect(register.requests.count == 1)
    }
}

@Suite struct DeadlineTests {
    @Test func itComesOnceAndNotEarly() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask(remaining: 500)
        world.pass(milliseconds: 499)
        #expect(portal.replies.isEmpty)
        world.pass(milliseconds: 40)
        #expect(portal.outcomes(of: request) == [4080])
        register.answer(request)
        #expect(register.refusedCodes == [4005])
        world.pass(milliseconds: 5000)
        #expect(portal.outcomes(of: request) == [4080])
        #expect(world.journal.finished.map(\.outcome) == [4080])
        #expect(world.journal.finished.map(\.hop) == [.providerAgent])
        world.expectIdle()
    }

    @Test(arguments: [1, 15, 16, 17, 1000, 299_999, 300_000] as [UInt32]) func anyDeadlineIsKept(remaining: UInt32)
        throws
    {
        let (world, _, portal) = try pair()
        let request = portal.ask(remaining: remaining)
        world.pass(milliseconds: Int64(remaining) - 1, step: 400)
        #expect(portal.outcomes(of: request).isEmpty)
        world.pass(milliseconds: 40)
        #expect(portal.outcomes(of: request) == [4080])
    }

    @Test func noTimeLeftOnArrivalIsRefused() throws {
        let (world, register, portal) = try pair()
        portal.ask(remaining: 0)
        #expect(portal.refusedCodes == [4081])
        #expect(register.requests.isEmpty)
        world.expectIdle()
    }

    /// A process that was stopped longer than the wheel reaches still ends every request.
    @Test func aLongPauseLosesNoDeadline() throws {
        let (world, register, portal) = try pair()
        register.answersPings = false
        let first = portal.ask(remaining: 1000)
        world.now.monotonic += 700_000_000
        let second = portal.ask(remaining: 300_000)
        world.pass(milliseconds: 50)
        #expect(portal.outcomes(of: first) == [4080])
        let third = portal.ask(remaining: 300_000)
        world.pass(milliseconds: 300_100, step: 300)
        #expect(portal.outcomes(of: second).count == 1)
        #expect(portal.outcomes(of: third).count + portal.refused.count >= 1)
        world.expectIdle()
    }

    @Test func anAnswerThatIsBeingWrittenCameInTime() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask(remaining: 300)
        world.commitsAtOnce = false
        register.answer(request)
        world.pass(milliseconds: 600)
        #expect(portal.replies.isEmpty)
        world.commit()
        #expect(portal.outcomes(of: request) == [0])
    }

    @Test func aRequestThatExpiresWhileItIsWrittenIsNotDelivered() throws {
        let (world, register, portal) = try pair()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let request = portal.ask(remaining: 300)
        world.pass(milliseconds: 600)
        #expect(portal.outcomes(of: request) == [4080])
        world.commit()
        #expect(register.requests.isEmpty)
        world.commit()
        world.expectIdle()
    }
}

@Suite struct ProviderLossTests {
    @Test func byeEndsWhatWasDelivered() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask()
        register.say(.bye)
        #expect(portal.outcomes(of: request) == [5022])
        world.pass(milliseconds: 3000)
        #expect(portal.outcomes(of: request) == [5022])
        #expect(world.journal.finished.map(\.hop) == [.providerAgent])
        world.expectIdle()
    }

    @Test func silenceEndsWhatWasDelivered() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask(remaining: 60_000)
        register.vanish()
        world.pass(milliseconds: 5000)
        #expect(portal.outcomes(of: request) == [5022])
    }

    @Test func anUnreachableRouteEndsWhatWasDelivered() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask(remaining: 60_000)
        world.core.unreachable(route: register.route, at: world.now)
        world.settle()
        #expect(portal.outcomes(of: request) == [5022])
        world.core.unreachable(route: register.route, at: world.now)
        world.core.unreachable(route: [0, 9, 9], at: world.now)
        #expect(world.core.liveSessions == 1)
    }

    @Test func whatWaitedForCreditGoesToAnotherAgent() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 1
        register.hello()
        let portal = TestAgent.portal(world)
        let requests = (0..<3).map { _ in portal.ask() }
        #expect(register.requests.map(\.header.id) == [requests[0]])
        let other = TestAgent.register2(world)
        register.say(.bye)
        #expect(portal.outcomes(of: requests[0]) == [5022])
        #expect(other.requests.map(\.header.id) == Array(requests[1...]))
        for request in requests[1...] { other.answer(request) }
        #expect(portal.outcomes(of: requests[1]) == [0])
        #expect(portal.outcomes(of: requests[2]) == [0])
        world.expectIdle()
    }

    @Test func withoutAnotherAgentWhatWaitedFailsToo() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        let request = portal.ask()
        register.say(.bye)
        #expect(portal.outcomes(of: request) == [5030])
    }

    @Test func aRequestWhoseProviderLeftWhileItWasWrittenFails() throws {
        let (world, register, portal) = try pair()
        world.pass(milliseconds: 100)
        world.commitsAtOnce = false
        let request = portal.ask()
        register.say(.bye)
        world.commit()
        #expect(portal.outcomes(of: request) == [5030])
    }

    @Test func aConsumerThatLeavesLeavesNothingBehind() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask()
        portal.say(.bye)
        register.answer(request)
        world.pass(milliseconds: 100)
        #expect(register.refusedCodes.isEmpty)
        #expect(world.journal.finished.map(\.times.replyOut) == [0])
        world.expectIdle()
    }

    @Test func aDrainingAgentGetsNothingNew() throws {
        let (world, register, portal) = try pair()
        let other = TestAgent.register2(world)
        register.say(.drain)
        for _ in 0..<4 { portal.ask() }
        #expect(register.requests.isEmpty)
        #expect(other.requests.count == 4)
        other.say(.drain)
        let request = portal.ask()
        #expect(portal.outcomes(of: request) == [5030])
        world.core.agentViews(at: world.now).forEach { #expect($0.isDraining == ($0.agent != "portal-1")) }
    }
}

@Suite struct LoadTests {
    @Test func twoAgentsShareTheWork() throws {
        let (_, register, portal) = try pair()
        let other = TestAgent.register2(register.world)
        for _ in 0..<10 { portal.ask() }
        #expect(register.requests.count == 5)
        #expect(other.requests.count == 5)
    }

    @Test func theFasterAgentGetsMore() throws {
        let (_, register, portal) = try pair()
        let slow = TestAgent.register2(register.world)
        for _ in 0..<10 {
            let request = portal.ask()
            if register.requests.last?.header.id == request { register.answer(request) }
        }
        #expect(slow.requests.count == 1)
        #expect(register.requests.count == 9)
    }

    @Test func withoutCreditRequestsWaitThenFlow() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 2
        register.hello()
        let portal = TestAgent.portal(world)
        let requests = (0..<6).map { _ in portal.ask() }
        #expect(register.requests.count == 2)
        register.grant(messages: 5)
        #expect(register.requests.map(\.header.id) == Array(requests[..<5]))
        #expect(register.requests.map(\.sequence) == [1, 2, 3, 4, 5])
        register.grant(messages: 3)
        #expect(register.requests.count == 5, "limits never fall")
        register.grant(messages: 6)
        #expect(register.requests.map(\.header.id) == requests)
        for request in requests { register.answer(request) }
        world.expectIdle()
    }

    @Test func creditCountsBytesToo() throws {
        let world = try World()
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.byteLimit = 5000
        register.hello()
        let portal = TestAgent.portal(world)
        for _ in 0..<3 { portal.ask(body: [UInt8](repeating: 1, count: 2000)) }
        #expect(register.requests.count == 2)
        register.grant(messages: 100, bytes: 10_000)
        #expect(register.requests.count == 3)
    }

    @Test func aFullQueueIsTold() throws {
        var limits = BrokerLimits()
        limits.waitingMessages = 2
        let world = try World(limits: limits)
        let register = TestAgent(world, Spaces.registerKey, ["register"])
        register.messageLimit = 0
        register.hello()
        let portal = TestAgent.portal(world)
        let requests = (0..<3).map { _ in portal.ask() }
        #expect(portal.outcomes(of: requests[2]) == [4291])
        #expect(portal.outcomes(of: requests[1]).isEmpty)
        world.pass(milliseconds: 2100)
        #expect(portal.outcomes(of: requests[0]) == [4080])
        #expect(world.core.calls.count == 0)
    }

    @Test func tooManyOpenRequestsAreRefused() throws {
        var limits = BrokerLimits()
        limits.calls = 2
        let (world, register, portal) = try pair(limits: limits)
        let first = portal.ask()
        portal.ask()
        portal.ask()
        #expect(portal.refusedCodes == [4291])
        #expect(portal.refused.first?.retryAfterMilliseconds == 100)
        register.answer(first)
        portal.ask()
        #expect(portal.refusedCodes == [4291])
        world.pass(milliseconds: 2100)
        world.expectIdle()
    }

    @Test func moreThanTheCreditIsRefused() throws {
        let (world, _, portal) = try pair()
        world.commitsAtOnce = false
        world.pass(milliseconds: 100)
        world.commit()
        for _ in 0..<4 { portal.submit((0..<1024).map { _ in (portal.request(), []) }) }
        portal.ask()
        portal.ask()
        while world.writing != nil { world.commit() }
        #expect(portal.refused.map(\.sequence) == [4097, 4098])
        #expect(portal.refusedCodes == [4290, 4290])
        #expect(portal.accepts.last?.sequence == 4098)
    }

    @Test func whoFloodsFarOverItsCreditIsSentAway() throws {
        var limits = BrokerLimits()
        limits.refusedRows = 100
        let (world, register, portal) = try pair(limits: limits)
        world.commitsAtOnce = false
        portal.ask()
        portal.submit((0..<200).map { _ in (portal.request("nobody.x.v1"), []) })
        #expect(portal.errors == [4290])
        #expect(world.core.liveSessions == 1)
        world.commit()
        world.commit()
        #expect(register.requests.count == 1)
    }
}

@Suite struct AcceptTests {
    @Test func itIsCumulativeAndMayWaitALittle() throws {
        let (world, _, portal) = try pair()
        world.pass(milliseconds: 100)
        for _ in 0..<5 { portal.ask() }
        #expect(portal.accepts.isEmpty)
        world.pass(milliseconds: 24)
        #expect(portal.accepts.map(\.sequence) == [5])
        let accept = try #require(portal.accepts.first)
        #expect(accept.treeSize == UInt64(world.journal.records.count))
        #expect(accept.refused.isEmpty)
        world.pass(milliseconds: 500)
        #expect(portal.accepts.count == 1)
    }

    @Test func anEventIsAcceptedWithItsCommit() throws {
        let (world, register, _) = try pair()
        world.commitsAtOnce = false
        register.publish()
        #expect(register.accepts.isEmpty)
        world.commit()
        #expect(register.accepts.map(\.sequence) == [1])
    }

    @Test func refusedRowsNameTheirMessages() throws {
        let (_, register, portal) = try pair()
        portal.submit([(portal.request(), []), (portal.request("nobody.x.v1"), []), (portal.request(), [])])
        #expect(portal.accepts.map(\.sequence) == [3])
        #expect(portal.refused.map(\.sequence) == [2])
        #expect(register.requests.count == 2)
    }

    @Test func aQuarterOfTheByteCreditBringsItAtOnce() throws {
        let (_, _, portal) = try pair()
        let body = [UInt8](repeating: 1, count: 60_000)
        var sent = 0
        while portal.accepts.isEmpty, sent < 300 {
            portal.ask(body: body)
            sent += 1
        }
        #expect(sent == 70, "70 × 60 KB are a quarter of 16 MiB")
    }
}

@Suite struct DrainTests {
    @Test func itEndsWhenEverythingIsAnswered() throws {
        let (world, register, portal) = try pair()
        let request = portal.ask()
        world.core.drain(at: world.now)
        world.settle()
        #expect(portal.commands == [.drain])
        #expect(!world.isDrained)
        portal.ask()
        #expect(portal.refusedCodes == [5031])
        portal.ask(id: request)
        #expect(portal.refusedCodes == [5031], "an open request may be repeated")
        register.publish()
        #expect(register.refusedCodes == [5031])
        register.answer(request)
        world.pass(milliseconds: 20)
        #expect(portal.outcomes(of: request) == [0])
        #expect(world.isDrained)
        #expect(world.journal.finished.count == 1)
    }

    @Test func itEndsAtItsDeadline() throws {
        let (world, _, portal) = try pair()
        portal.ask(remaining: 60_000)
        world.core.drain(at: world.now)
        world.pass(milliseconds: 9900)
        #expect(!world.isDrained)
        world.pass(milliseconds: 200)
        #expect(world.isDrained)
    }

    @Test func anIdleBrokerIsDrainedAtOnce() throws {
        let world = try World()
        world.core.drain(at: world.now)
        world.settle()
        #expect(world.isDrained)
    }
}
