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
        ("", "register.record-get.v1", 4011), ("portal", "", 4040), ("portal", "register.record-changed.v1", 4042),
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
