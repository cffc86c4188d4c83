import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol
import Foundation
import Logging
import Testing

@testable import BusBroker

/// Keys of the space at the broker: their days, their revocation, and the space that is sent to agents.
@Suite struct KeyTests {
    private static let day: Int64 = 86_400_000_000

    private static func date(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

    /// A world at noon of a day, with a validity for the portal's key.
    private func world(_ validity: KeyValidity, at day: String) throws -> World {
        let world = try World(
            Spaces.space { space in
                for index in space.keys.indices where space.keys[index].curve == Spaces.portalKey {
                    space.keys[index].from = validity.from
                    space.keys[index].until = validity.until
                    space.keys[index].revoked = validity.revoked
                }
            })
        world.now.wall = try Self.date(day).startOfDayMilliseconds * 1000 + Self.day / 2
        return world
    }

    @Test func aKeyIsRefusedOutsideItsDays() throws {
        let march = KeyValidity(from: try Self.date("2026-03-01"), until: try Self.date("2026-03-31"))
        for (day, isLetIn) in [
            ("2026-02-28", false), ("2026-03-01", true), ("2026-03-31", true), ("2026-04-01", false),
        ] {
            let portal = TestAgent(try world(march, at: day), Spaces.portalKey, ["portal"]).greeted()
            #expect(portal.welcomes.count == (isLetIn ? 1 : 0), "\(day)")
            #expect(portal.errors == (isLetIn ? [] : [4012]), "\(day)")
        }
        let revoked = try world(KeyValidity(revoked: try Self.date("2030-01-01")), at: "2026-03-01")
        #expect(TestAgent(revoked, Spaces.portalKey, ["portal"]).greeted().errors == [4012])
    }

    @Test func aSessionEndsWithTheLastDayOfItsKey() throws {
        let world = try world(KeyValidity(until: try Self.date("2026-03-31")), at: "2026-03-31")
        let portal = TestAgent.portal(world)
        world.pass(milliseconds: 1500)
        #expect(portal.errors == [])
        world.now.wall += Self.day / 2
        world.pass(milliseconds: 1500)
        #expect(portal.errors.first == 4012)
        portal.clear()
        portal.ask()
        #expect(portal.errors == [4009], "nothing with that key is taken any more")
    }

    @Test func theDoorKnowsTheDaysToo() throws {
        let space = try Spaces.space { space in
            space.keys[0].until = CalendarDate("2026-03-31")
            space.keys[1].revoked = CalendarDate("2026-03-01")
        }
        let end = try Self.date("2026-03-31").endOfDayMilliseconds
        let keys = DirectoryKeys(space)
        #expect(keys.admits(space.keys[0].curve, at: end) && !keys.admits(space.keys[0].curve, at: end + 1))
        #expect(!keys.admits(space.keys[1].curve, at: 0))
        #expect(!keys.admits(Spaces.unknownKey, at: 0))
    }

    @Test func aRevokedKeyIsCutOffAtOnceAndItsWorkGoesToAnother() throws {
        let world = try World()
        let portal = TestAgent.portal(world)
        let (one, two) = (TestAgent.register(world), TestAgent.register2(world))
        portal.ask()
        let holder = one.requests.isEmpty ? two : one
        try world.apply(
            Spaces.space { space in
                for index in space.keys.indices where space.keys[index].curve == holder.key {
                    space.keys[index].revoked = CalendarDate("2026-11-27")
                }
            })
        #expect(holder.errors == [4012])
        holder.clear()
        holder.say(.pong, Heartbeat.encode(1))
        holder.hello()
        #expect(holder.errors == [4009, 4012])
        #expect(portal.replies.map(\.header.outcome) == [5022])
        let other = holder === one ? two : one
        portal.clear()
        let id = portal.ask()
        other.answer(id)
        #expect(portal.replies.map(\.header.outcome) == [0])
    }

    @Test func twoKeysOfOneAgentWorkSideBySide() throws {
        let world = try World(
            Spaces.space { $0.keys.append(AgentKey(agent: "portal-1", systems: ["portal"], curve: Spaces.unknownKey)) })
        let register = TestAgent.register(world)
        let old = TestAgent.portal(world)
        let new = TestAgent(world, Spaces.unknownKey, ["portal"], instance: 2, route: "new").greeted()
        #expect(new.welcomes.count == 1 && old.errors == [])
        for agent in [old, new] {
            let id = agent.ask()
            register.answer(id)
            #expect(agent.replies.map(\.header.correlation) == [id])
        }
    }

    // MARK: - SPACE

    @Test func theSpaceComesBehindWelcomeAndWithEveryChange() throws {
        let world = try World()
        world.core.spaceSignature = [UInt8](repeating: 7, count: 64)
        let portal = TestAgent.portal(world)
        let first = try #require(portal.spaces.first)
        #expect(first.version == 1 && first.signature == world.core.spaceSignature)
        #expect(first.canonical == world.core.rights.snapshot.canonical)
        #expect(portal.welcomes.first?.spaceDigest == world.core.rights.snapshot.digest.bytes)
        try world.apply(try Spaces.space { $0.note = "next" })
        #expect(portal.spaces.map(\.version) == [1, 2])
        #expect(portal.spaces.last?.signature == SignedSpace.noSignature)
    }

    @Test func whoHasItIsNotSentItAgain() throws {
        let world = try World()
        let snapshot = world.core.rights.snapshot
        let portal = TestAgent(world, Spaces.portalKey, ["portal"])
        portal.hello {
            $0.spaceVersion = snapshot.version
            $0.spaceDigest = snapshot.digest.bytes
        }
        #expect(portal.welcomes.count == 1 && portal.spaces.isEmpty)
        portal.hello { $0.spaceVersion = snapshot.version }
        #expect(portal.spaces.count == 1, "another one of the same number is no excuse")
        portal.clear()
        portal.hello { $0.newestVersion = 2 }
        #expect(portal.welcomes.count == 1 && portal.spaces.isEmpty)
    }
}

/// A broker that takes only what its authority signed.
@Suite(.timeLimit(.minutes(2))) struct SignedBrokerTests {
    private let authority = SigningKey()

    private func signed(_ space: Space, after previous: SpaceSnapshot? = nil) throws -> SignedSpace {
        try SignedSpace(SpaceSnapshot(space, after: previous), by: authority)
    }

    private func start(_ folder: String, _ space: SignedSpace?, by key: VerifyingKey? = nil) throws -> Broker {
        try start(folder, .signed(space, authority: key ?? authority.publicKey))
    }

    private func start(_ folder: String, _ source: SpaceSource) throws -> Broker {
        var logger = Logger(label: "broker")
        logger.logLevel = .critical
        return try Broker(
            BrokerConfiguration(
                listen: "tcp://127.0.0.1:*", data: folder, name: "test", secretKey: KeyPair().secret, source: source),
            logger: logger)
    }

    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kerege-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func refused(_ words: String, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("not refused: \(words)")
        } catch { #expect("\(error)".contains(words), "\(error)") }
    }

    @Test func onlyWhatFollowsAndIsSignedTakesEffect() async throws {
        try await inFolder { folder in
            let first = try signed(Spaces.space())
            let second = try signed(Spaces.space { $0.note = "2" }, after: first.snapshot)
            let fork = try signed(Spaces.space { $0.note = "other" }, after: first.snapshot)
            let broker = try start(folder, first)
            await refused("is not signed") { _ = try await broker.apply(try Spaces.space { $0.note = "x" }) }
            await refused("not signed by the authority") {
                _ = try await broker.apply(SignedSpace(second.snapshot, by: SigningKey()))
            }
            #expect(try await broker.apply(second).version == 2)
            #expect(try await broker.apply(second).version == 2)
            await refused("older than version 2") { _ = try await broker.apply(first) }
            await refused("does not follow") { _ = try await broker.apply(fork) }
            await broker.stop()
            #expect(try SpaceStore(folder: folder).read() == second)
        }
    }

    /// The file the daemon is started with is older than what was applied meanwhile: that is no roll-back, the kept one counts.
    @Test func theNewestIsKeptOverARestart() async throws {
        try await inFolder { folder in
            let first = try signed(Spaces.space())
            let second = try signed(Spaces.space { $0.note = "2" }, after: first.snapshot)
            let broker = try start(folder, first)
            _ = try await broker.apply(second)
            await broker.stop()
            let next = try start(folder, first)
            #expect(next.readModel.overview.snapshot == second.snapshot)
            await next.stop()
            let alone = try start(folder, nil)
            #expect(alone.readModel.overview.snapshot == second.snapshot)
            await alone.stop()
        }
    }

    @Test func aStartWithoutTheRightSpaceIsRefused() async throws {
        try await inFolder { folder in
            let first = try signed(Spaces.space())
            let second = try signed(Spaces.space { $0.note = "2" }, after: first.snapshot)
            await refused("no space that it signed") { _ = try start(folder, nil) }
            await refused("not signed by the pinned authority") {
                _ = try start(folder, SignedSpace(first.snapshot, by: SigningKey()))
            }
            let broker = try start(folder, second)
            await broker.stop()
            // What was kept is gone, and an older one is given.
            try FileManager.default.removeItem(atPath: SpaceStore(folder: folder).path)
            await refused("version 2 was in force") { _ = try start(folder, first) }
            let other = try signed(Spaces.space { $0.note = "other" }, after: first.snapshot)
            await refused("does not follow") { _ = try start(folder, other) }
            let again = try start(folder, second)
            await again.stop()
            await refused("two signed spaces") { _ = try start(folder, other) }
        }
    }

    /// Whether it says the same or something else, and also where the journal is gone: agents would refuse what nobody signed.
    @Test func nothingUnsignedGoesOverWhatWasSigned() async throws {
        try await inFolder { folder in
            let first = try signed(Spaces.space())
            let broker = try start(folder, first)
            await broker.stop()
            let options = "--authority \(folder)/keys/authority.pub --signed-space \(folder)/space.signed"
            for note in [first.snapshot.space.note, "2"] {
                await refused(options) { _ = try start(folder, .files(try Spaces.space { $0.note = note })) }
            }
            let again = try start(folder, nil)
            #expect(again.readModel.overview.snapshot == first.snapshot, "a refused start changes nothing")
            await again.stop()
            try FileManager.default.removeItem(atPath: folder + "/journal.sqlite")
            await refused("is signed by an authority") { _ = try start(folder, .files(try Spaces.space())) }
        }
    }

    /// A folder that was restored without the file: the signatures beside the journal say the same, and so does whoever applies.
    @Test func theSignaturesSaySoWithoutTheSignedSpace() async throws {
        try await inFolder { folder in
            let first = try signed(Spaces.space())
            let broker = try start(folder, first)
            await broker.stop()
            let store = SpaceStore(folder: folder)
            try FileManager.default.removeItem(atPath: store.path)
            for note in [first.snapshot.space.note, "2"] {
                await refused("--after \(folder) ") {
                    _ = try start(folder, .files(try Spaces.space { $0.note = note }))
                }
            }
            #expect(throws: BrokerError.self) { try store.expectUnsigned(under: nil, over: first.snapshot) }
            // The way out that it names: the same version, signed again after what the journal has.
            let inForce = try #require(try BrokerStart.spaceInForce(folder: folder))
            let again = try start(folder, SignedSpace(inForce, by: authority))
            #expect(again.readModel.overview.snapshot == first.snapshot)
            await again.stop()
        }
    }

    @Test func anOperatorPutsNothingUnsignedOverItEither() async throws {
        try await inFolder { folder in
            let broker = try start(folder, .files(try Spaces.space()))
            let second = try await broker.apply(try Spaces.space { $0.note = "2" })
            let third = try signed(Spaces.space(), after: second)
            try SpaceStore(folder: folder).write(third)
            await refused("version 3 of the space here is signed by an authority") {
                _ = try await broker.apply(try Spaces.space { $0.note = "3" })
            }
            await broker.stop()
        }
    }

    /// As a broker of before has left it: an unsigned version in the journal, over the one that is signed.
    @Test func aHigherSignedVersionLeadsOut() async throws {
        try await inFolder { folder in
            let first = try signed(Spaces.space())
            let broker = try start(folder, first)
            await broker.stop()
            let store = SpaceStore(folder: folder)
            for file in [store.path, folder + "/" + SpaceSignatures.fileName] {
                try FileManager.default.removeItem(atPath: file)
            }
            let unsigned = try start(folder, .files(try Spaces.space { $0.note = "unsigned" }))
            await unsigned.stop()
            try store.write(first)

            await refused("--after DATA") { _ = try start(folder, first) }
            let inForce = try #require(try BrokerStart.spaceInForce(folder: folder))
            #expect(inForce.version == 2 && inForce.space.note == "unsigned")
            let third = try signed(Spaces.space(), after: inForce)
            let mended = try start(folder, third)
            #expect(mended.readModel.overview.snapshot == third.snapshot)
            await mended.stop()
            #expect(try store.read() == third)
            var agent = SpaceTrust(authority: authority.publicKey, held: first)
            #expect(try agent.take(third), "whoever holds the version before the unsigned one")
        }
    }

    /// The view of it is saved now and then; what the journal says after that counts.
    @Test func theSpaceInForceIsThatOfTheLastRecord() async throws {
        try await inFolder { folder in
            #expect(try BrokerStart.spaceInForce(folder: folder) == nil)
            let broker = try start(folder, .files(try Spaces.space()))
            _ = try await broker.apply(try Spaces.space { $0.note = "2" })
            try await eventually("it is durable, beside the running broker") {
                try BrokerStart.spaceInForce(folder: folder)?.space.note == "2"
            }
            await broker.stop()
            let second = try #require(try BrokerStart.spaceInForce(folder: folder))
            #expect(second.version == 2)
            let view = try JournalReader(folder: folder).view(ReadModel.spaceViewName)
            #expect(view?.bytes == second.canonical, "saved as it stopped")
            // As a broker leaves it that is killed before it saves the next: a record behind the view, and no other view.
            let third = try SpaceSnapshot(try Spaces.space { $0.note = "3" }, after: second)
            var batch = JournalBatch()
            batch.append(.record(.space, third.canonical))
            let journal = try Journal(folder: folder)
            _ = try journal.commit(batch, at: 1_790_000_000_000_000)
            journal.close()
            #expect(try JournalReader(folder: folder).view(ReadModel.spaceViewName)?.bytes == second.canonical)
            #expect(try BrokerStart.spaceInForce(folder: folder) == third)
        }
    }
}
