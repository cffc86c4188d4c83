import BusDirectory
import BusJournal
import BusProtocol
import Glibc
import Testing

@testable import BusBroker
@testable import ZeroMQ

/// A whole broker on a real socket.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ShellTests {
    private func exchange(_ house: BrokerHouse, _ portal: RawAgent, _ register: RawAgent) throws {
        var ids = MessageIDSource()
        let request = portal.request(&ids)
        try portal.submit(request, Array("{\"question\":1}".utf8))
        let got = try register.delivered()
        #expect(got.header == request)
        #expect(got.body == Array("{\"question\":1}".utf8))
        try register.submit(register.reply(to: request.id, &ids), Array("{\"answer\":2}".utf8))
        let reply = try portal.delivered()
        #expect(reply.header.correlation == request.id)
        #expect(reply.header.outcome == 0)
        #expect(reply.body == Array("{\"answer\":2}".utf8))
    }

    private func greeted(_ agent: RawAgent) throws -> RawAgent {
        try agent.hello()
        _ = try agent.welcome()
        return agent
    }

    @Test func aRequestAndItsAnswerGoThroughAndARestartTakesUpWhereItEnded() async throws {
        let house = try BrokerHouse()
        let register = try greeted(house.agent(house.register, ["register"]))
        let portal = try house.agent(house.portal, ["portal"])
        try portal.hello()
        let welcome = try portal.welcome()
        #expect(welcome.name == "test")
        #expect(welcome.spaceVersion == 1)
        try exchange(house, portal, register)
        try await eventually("the counters") { house.counters().requestsFinished == 1 }
        await house.broker.stop()
        #expect(await house.broker.ending() == nil)

        let report = try JournalVerifier.verify(folder: house.folder)
        #expect(report.findings == [])
        #expect(report.messages == 2)
        let ends = try records(house, .finished)
        #expect(ends.count == 1, "the end of the request is written before the stop")
        #expect(try records(house, .brokerStopped).count == 1)

        try house.restart()
        let again = try house.agent(house.portal, ["portal"])
        try again.hello()
        let next = try again.welcome()
        #expect(next.treeSize >= report.treeSize)
        #expect(next.spaceVersion == 1, "the same space is no new version")
        try exchange(house, again, try greeted(house.agent(house.register, ["register"])))
        await house.broker.stop()

        try house.restart { $0.title = LocalizedName(en: "Another") }
        #expect(house.broker.readModel.overview.snapshot.version == 2)
        await house.broker.stop()
        #expect(try JournalVerifier.verify(folder: house.folder).findings == [])
    }

    private func records(_ house: BrokerHouse, _ type: RecordType) throws -> [UInt64] {
        var found: [UInt64] = []
        try JournalReader(folder: house.folder).forEach(from: 1) { position, _, number, _ throws(Fault) in
            if number == type.rawValue { found.append(position) }
        }
        return found
    }

    @Test func aPublishedEventSurvivesARestart() async throws {
        let house = try BrokerHouse()
        let register = try greeted(house.agent(house.register, ["register"]))
        var ids = MessageIDSource()
        var event = Header(kind: .event, id: ids.next(unixMilliseconds: 1_790_000_000_000), created: 0)
        event.target = Spaces.changed
        event.consumer = "register"
        try register.submit(event, Array("kept".utf8))
        #expect(try register.acceptance().sequence == 1)
        await house.broker.stop()
        try house.restart()
        let portal = try greeted(house.agent(house.portal, ["portal"]))
        let got = try portal.delivered()
        #expect(got.header == event)
        #expect(got.body == Array("kept".utf8))
        await house.broker.stop()
    }

    @Test func aSpaceIsAppliedAndOutlivesTheBroker() async throws {
        let house = try BrokerHouse()
        let bank = try greeted(house.agent(house.bank, ["bank"]))
        let next = try BrokerHouse.space(house.register, house.portal, house.bank) { space in
            space.keys.removeAll { $0.curve == house.bank.publicKey.z85 }
        }
        let snapshot = try await house.broker.apply(next)
        #expect(snapshot.version == 2)
        #expect(try bank.error() == 4010)
        #expect(try await house.broker.apply(next).version == 2, "the same again is no new version")
        await house.broker.stop()
        #expect(try records(house, .space).count == 2)
        // Also with views that were never saved: the journal alone tells.
        let recovery = try Recovery(folder: house.folder, limits: BrokerLimits())
        #expect(recovery.snapshot == snapshot)
        #expect(recovery.lastCommit > 1_000_000)
        await #expect(throws: BrokerError.self) { _ = try await house.broker.apply(next) }
    }

    @Test func anUnknownKeyIsNotLetInAndIsCounted() async throws {
        let house = try BrokerHouse()
        let stranger = try house.agent(KeyPair(), ["portal"])
        try await eventually("the refused key") { !house.broker.refusedKeys.isEmpty }
        #expect(try !stranger.isConnected(within: .milliseconds(50)))
        #expect(house.counters().framesIn == 0)
        await house.broker.stop()
    }

    @Test func brokenMessagesHarmNobody() async throws {
        let house = try BrokerHouse()
        let register = try greeted(house.agent(house.register, ["register"]))
        let portal = try greeted(house.agent(house.portal, ["portal"]))
        let attacker = try house.agent(house.bank, ["bank"])
        try attacker.send((0..<500).map { _ in .random(in: 0...255) })
        #expect(try attacker.error() == 4000)
        try attacker.send([])
        #expect(try attacker.error() == 4000)
        try attacker.send(parts: (0..<10_000).map { _ in [1] })
        #expect(try attacker.error() == 4006)
        try attacker.send(parts: (0..<2000).map { _ in [UInt8](repeating: 0, count: 1000) }, unfinished: true)
        try exchange(house, portal, register)
        // A frame over the limit costs its sender the connection, and nobody else anything.
        let large = try greeted(house.agent(house.bank, ["bank"]))
        try large.send([UInt8](repeating: 0, count: 5 * 1024 * 1024))
        try exchange(house, portal, register)
        try await eventually("the counter") { house.counters().badFrames >= 3 }
        await house.broker.stop()
    }

    /// A routing id is a claim: one that was set by hand could be another agent's of a moment ago.
    @Test func aRoutingIdSetByHandIsNotAccepted() async throws {
        let house = try BrokerHouse()
        let forger = try house.agent(house.bank, ["bank"], routingID: Array("portal".utf8))
        try forger.hello()
        #expect(try forger.error() == 4000)
        await house.broker.stop()
    }

    @Test func aPortThatIsTakenIsNamedWithItsRemedy() async throws {
        let house = try BrokerHouse()
        let other = try BrokerHouse()
        await other.broker.stop()
        do {
            other.broker = try BrokerHouse.start(
                other.folder, other.server, try BrokerHouse.space(other.register, other.portal, other.bank),
                listen: house.broker.endpoint)
            Issue.record("two brokers on one port")
        } catch {
            #expect("\(error)".contains("--listen"), "\(error)")
            #expect("\(error)".contains(house.broker.endpoint))
        }
        // Nothing stays open: the folder is free at once.
        try other.restart()
        await other.broker.stop()
        await house.broker.stop()
    }

    @Test func aFolderInUseIsNamedWithItsRemedy() async throws {
        let house = try BrokerHouse()
        do {
            _ = try BrokerHouse.start(
                house.folder, house.server, try BrokerHouse.space(house.register, house.portal, house.bank))
            Issue.record("two brokers on one folder")
        } catch { #expect("\(error)".contains("\(getpid())"), "\(error)") }
        await house.broker.stop()
    }

    @Test func drainingReturnsWhenTheOpenRequestsHaveEnded() async throws {
        let house = try BrokerHouse()
        let register = try greeted(house.agent(house.register, ["register"]))
        let portal = try greeted(house.agent(house.portal, ["portal"]))
        var ids = MessageIDSource()
        let request = portal.request(&ids)
        try portal.submit(request, [])
        _ = try register.delivered()
        let broker = house.broker
        let drained = Task { await broker.drain() }
        _ = try portal.next(.drain)
        try register.submit(register.reply(to: request.id, &ids), [])
        await drained.value
        #expect(try portal.delivered().header.correlation == request.id)
        await house.broker.stop()
        _ = try portal.next(.bye)
        await house.broker.drain()
    }

    @Test func badFramesCostNoMemory() async throws {
        let house = try BrokerHouse()
        let attacker = try house.agent(house.bank, ["bank"])
        let noise = (0..<300).map { _ in UInt8.random(in: 0...255) }
        var answers = 0
        func send(_ count: Int) throws {
            for _ in 0..<count {
                try attacker.send(noise)
                // Its answers are read, or they would wait in this very process.
                answers += try attacker.drain()
            }
        }
        // Other tests of this process grow and shrink at the same time; a leak would show in every round.
        var grown: [Int] = []
        for round in 1...10 {
            let before = residentBytes()
            try send(10_000)
            try await eventually("all answers") {
                answers += try attacker.drain()
                return answers == 10_000 * round
            }
            grown.append((residentBytes() - before) / 1024)
            if round > 2, grown.last ?? .max < 1024 { break }
        }
        let isFlat = grown.dropFirst(2).contains { $0 < 1024 }
        #expect(isFlat, "KiB more after each 10,000 bad frames: \(grown)")
        await house.broker.stop()
    }
}
