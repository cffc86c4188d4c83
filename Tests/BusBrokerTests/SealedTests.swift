import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusBroker

/// Sealed messages at the broker: what must come sealed, the records of epochs, and who gets them.
@Suite struct SealedTests {
    /// Seal keys of the systems of `Spaces`.
    struct Keys {
        let register: SystemKey
        let portal: SystemKey
        let bank: SystemKey
        init() throws { (register, portal, bank) = (try SystemKey(), try SystemKey(), try SystemKey()) }
        var all: [(String, SystemKey)] { [("register", register), ("portal", portal), ("bank", bank)] }
    }

    /// - Parameter systems: those whose keys stand in the space.
    private func world(_ keys: Keys, _ systems: [String] = ["bank", "portal", "register"]) throws -> World {
        try World(
            Spaces.space { space in
                space.seals = keys.all.filter { systems.contains($0.0) }.map {
                    SystemSeal(system: $0.0, seal: "\($0.1.publicKey)")
                }
            })
    }

    private func speaking(_ agent: TestAgent) -> TestAgent {
        agent.hello { $0.newestVersion = 3 }
        return agent
    }

    private func register(_ world: World) -> TestAgent {
        speaking(TestAgent(world, Spaces.registerKey, ["register"]))
    }
    private func portal(_ world: World) -> TestAgent { speaking(TestAgent(world, Spaces.portalKey, ["portal"])) }
    private func bank(_ world: World) -> TestAgent { speaking(TestAgent(world, Spaces.bankKey, ["bank"])) }

    /// What stands in the header of a sealed message; the broker cannot tell whether the body is.
    private static func seal(_ header: inout Header) {
        header.sealSuite = 1
        header.keyEpoch = 7
        header.counter = 1
    }

    private func keyMessage(
        _ agent: TestAgent, _ record: [UInt8], for receiver: String, event: String = "",
        _ change: (inout Header) -> Void = { _ in }
    ) throws -> (Header, [UInt8]) {
        let kind: MessageKind = event.isEmpty ? .keyEpoch : .keyWrap
        var header = Header(kind: kind, id: agent.world.id(), created: 0)
        header.keyEpoch = try KeyRecord.epoch(of: record, kind)
        header.target = event
        header.consumer = agent.systems[0]
        header.provider = receiver
        change(&header)
        return (header, record)
    }

    private func want(_ agent: TestAgent, _ epochs: [EpochName], for system: String) {
        agent.say(.want, KeyWish(token: 9, system: system, epochs: epochs).encoded(), version: 3)
    }

    // MARK: - What must be sealed

    @Test func whatIsForASystemWithAKeyMustBeSealed() throws {
        let world = try world(Keys())
        let (register, portal) = (register(world), portal(world))
        portal.ask()
        portal.send()
        register.publish()
        #expect(portal.refusedCodes == [4014, 4014] && register.refusedCodes == [4014])
        #expect(register.delivered.isEmpty && portal.delivered.isEmpty)
        #expect(world.journal.messageIDs(.request).isEmpty && world.journal.messageIDs(.command).isEmpty)
        // Sealed, all of it goes its way; and so must the answers.
        let request = portal.ask { Self.seal(&$0) }
        let command = portal.send { Self.seal(&$0) }
        register.publish { Self.seal(&$0) }
        #expect(register.requests.map(\.header.id) == [request] && register.commandsGot.map(\.header.id) == [command])
        #expect(portal.events.count == 1)
        register.clear()
        register.answer(request)
        register.conclude(command, for: "portal")
        #expect(register.refusedCodes == [4014, 4014])
        register.answer(request, change: Self.seal)
        register.conclude(command, for: "portal", Self.seal)
        #expect(portal.outcomes(of: request) == [0] && portal.outcomesGot.count == 1)
    }

    @Test func aSystemWithoutAKeyIsSentItOpen() throws {
        let world = try world(Keys(), ["bank", "portal"])
        let (register, portal) = (register(world), portal(world))
        let request = portal.ask()
        #expect(register.requests.count == 1)
        register.answer(request)
        #expect(register.refusedCodes == [4014], "the portal has a key")
        // One of those who open an event has none: it goes open for all.
        register.clear()
        register.publish()
        #expect(register.refusedCodes.isEmpty && portal.events.count == 1)
    }

    /// That a key expires, or is revoked, opens nothing.
    @Test func whatWasSealedYesterdayIsNotSentOpenToday() throws {
        let keys = try Keys()
        let day = try #require(CalendarDate("2026-03-31"))
        for validity in [KeyValidity(until: day), KeyValidity(revoked: day)] {
            let world = try World(
                Spaces.space { space in
                    space.seals = [
                        SystemSeal(system: "register", seal: "\(keys.register.publicKey)", validity: validity)
                    ]
                })
            let portal = portal(world)
            for moment in [day.endOfDayMilliseconds, day.endOfDayMilliseconds + 2] {
                world.now.wall = moment * 1000
                portal.clear()
                portal.ask()
                #expect(portal.refusedCodes == [4014])
            }
        }
    }

    @Test func aSealWithoutEpochOrCounterIsNone() throws {
        let world = try world(Keys())
        _ = register(world)
        let portal = portal(world)
        portal.ask { $0.sealSuite = 1 }
        portal.ask {
            $0.sealSuite = 1
            $0.keyEpoch = 7
        }
        portal.ask {
            Self.seal(&$0)
            $0.sealSuite = 2
        }
        #expect(portal.refusedCodes == [4003, 4003, 4003])
    }

    // MARK: - Records of epochs

    @Test func aRecordIsJournaledOnceAndGivenToItsReceiver() throws {
        let keys = try Keys()
        let world = try world(keys)
        let (register, portal) = (register(world), portal(world))
        let sender = try SealSender(to: keys.register.publicKey, now: 0)
        let message = try keyMessage(portal, sender.record, for: "register")
        portal.submit([message])
        portal.submit([try keyMessage(portal, sender.record, for: "register")])
        #expect(portal.refusedCodes.isEmpty && world.journal.messageIDs(.keyEpoch) == [message.0.id])
        let name = EpochName(sender.epoch, of: "portal")
        want(register, [name, EpochName(3, of: "portal")], for: "register")
        #expect(register.keys == [KeyAnswer(token: 9, rows: [.init(name, event: "", record: sender.record)])])
        // Nobody else is given it, and nobody in another's name.
        want(portal, [name], for: "portal")
        #expect(portal.keys == [KeyAnswer(token: 9, rows: [])])
        want(portal, [name], for: "register")
        #expect(portal.errors == [4011])
    }

    @Test func aBrokerThatStartsAnewKnowsTheRecords() throws {
        let keys = try Keys()
        let world = try world(keys)
        let sender = try SealSender(to: keys.register.publicKey, now: 0)
        let portal = portal(world)
        portal.submit([try keyMessage(portal, sender.record, for: "register")])
        let next = try world.restarted()
        let register = register(next)
        let name = EpochName(sender.epoch, of: "portal")
        want(register, [name], for: "register")
        #expect(register.keys.first?.rows.map(\.record) == [sender.record])
        // And does not write them twice.
        let again = self.portal(next)
        again.submit([try keyMessage(again, sender.record, for: "register")])
        #expect(again.refusedCodes.isEmpty && next.journal.messageIDs(.keyEpoch).count == 1)
    }

    @Test func nobodyBringsARecordInAnothersName() throws {
        let keys = try Keys()
        let world = try world(keys)
        let portal = portal(world)
        let record = try SealSender(to: keys.register.publicKey, now: 0).record
        func refusal(_ record: [UInt8], event: String = "", _ change: (inout Header) -> Void) throws -> [UInt16] {
            portal.clear()
            portal.submit([try keyMessage(portal, record, for: "register", event: event, change)])
            return portal.refusedCodes
        }
        #expect(try refusal(record) { $0.consumer = "bank" } == [4011])
        #expect(try refusal(record) { $0.provider = "nobody" } == [4040])
        #expect(try refusal(record) { $0.keyEpoch = 1 } == [4003], "an epoch's number is made of its record")
        #expect(try refusal(record) { $0.target = Spaces.changed } == [4003])
        #expect(try refusal(record) { $0.keyEpoch = nil } == [4003])
        let wrap = try EventSealer(event: Spaces.changed, now: 0).key.wrapped(for: keys.portal.publicKey)
        #expect(try refusal(wrap, event: Spaces.changed) { _ in } == [4003], "an event of another system")
        portal.clear()
        var forged = try keyMessage(portal, record, for: "register")
        forged.1[forged.1.count - 20] ^= 1
        portal.submit([forged])
        portal.submit([(forged.0, Array(record.dropLast()))])
        #expect(portal.refusedCodes == [4003, 4003])
        #expect(world.journal.messageIDs(.keyEpoch).isEmpty && world.journal.messageIDs(.keyWrap).isEmpty)
    }

    @Test func aFloodOfRecordsIsHeldBack() throws {
        let keys = try Keys()
        var limits = BrokerLimits()
        limits.keysPerSecond = 2
        let world = try World(limits: limits, Spaces.space())
        let portal = portal(world)
        let records = try (0..<4).map { _ in try SealSender(to: keys.register.publicKey, now: 0).record }
        portal.submit(try records.map { try keyMessage(portal, $0, for: "register") })
        #expect(portal.refusedCodes == [4292, 4292] && portal.refused.allSatisfy { $0.retryAfterMilliseconds > 0 })
        world.pass(milliseconds: 1100)
        portal.clear()
        portal.submit(try records.suffix(2).map { try keyMessage(portal, $0, for: "register") })
        #expect(portal.refusedCodes.isEmpty && world.journal.messageIDs(.keyEpoch).count == 4)
    }

    @Test func aSubscriberThatCameLateGetsItsKeyFromThePublisher() throws {
        let keys = try Keys()
        let world = try world(keys)
        let (register, bank) = (register(world), bank(world))
        let sealer = EventSealer(event: Spaces.changed, now: 0)
        let own = try sealer.key.wrapped(for: keys.register.publicKey)
        register.submit([try keyMessage(register, own, for: "register", event: Spaces.changed)])
        let name = EpochName(sealer.epoch, of: "register")
        want(bank, [name], for: "bank")
        #expect(bank.keys == [KeyAnswer(token: 9, rows: [])])
        #expect(register.wants == [KeyWish(token: 0, system: "bank", epochs: [name])])
        let late = try sealer.key.wrapped(for: keys.bank.publicKey)
        register.submit([try keyMessage(register, late, for: "bank", event: Spaces.changed)])
        want(bank, [name], for: "bank")
        #expect(bank.keys.last?.rows == [.init(name, event: Spaces.changed, record: late)])
        #expect(register.wants.count == 1, "nothing is missing any more")
        // The publisher's other agents find its own copy.
        want(register, [name], for: "register")
        #expect(register.keys.last?.rows.map(\.record) == [own])
    }

    @Test func theNewestSecretForOrderKeysIsFoundByItsProvidersName() throws {
        let keys = try Keys()
        let world = try world(keys)
        let (register, portal) = (register(world), portal(world))
        let name = EpochName(0, of: "register")
        want(portal, [name], for: "portal")
        #expect(portal.keys.last?.rows == [] && register.wants.map(\.epochs) == [[name]])
        var given: [[UInt8]] = []
        for _ in 0..<2 {
            let secret = OrderSecret(system: "register")
            let record = try secret.wrapped(for: keys.portal.publicKey)
            register.submit([try keyMessage(register, record, for: "portal", event: "register")])
            given.append(record)
            for world in [world, try world.restarted()] {
                let asker = self.portal(world)
                want(asker, [name], for: "portal")
                #expect(
                    asker.keys.last?.rows == [
                        .init(EpochName(secret.id, of: "register"), event: "register", record: record)
                    ])
            }
        }
        #expect(register.refusedCodes.isEmpty && Set(given).count == 2)
        // Nobody gives one in another's name.
        let forged = try OrderSecret(system: "register").wrapped(for: keys.register.publicKey)
        let other = self.portal(world)
        other.submit([try keyMessage(other, forged, for: "register", event: "register")])
        #expect(other.refusedCodes == [4003])
    }

    @Test func tooManyQuestionsForKeysAreRefused() throws {
        let keys = try Keys()
        let world = try world(keys)
        let (register, portal) = (register(world), portal(world))
        let sender = try SealSender(to: keys.register.publicKey, now: 0)
        portal.submit([try keyMessage(portal, sender.record, for: "register")])
        world.readsAtOnce = false
        for _ in 0...world.core.limits.answersAtOnce {
            want(register, [EpochName(sender.epoch, of: "portal")], for: "register")
        }
        #expect(register.errors == [4291] && register.keys.isEmpty)
        world.read()
        world.settle()
        #expect(register.keys.count == world.core.limits.answersAtOnce)
    }

    // MARK: - One message, sealed anew

    @Test func aCommandSealedAnewUnderItsIDIsTheSameCommand() throws {
        let keys = try Keys()
        let world = try world(keys)
        let (register, portal) = (register(world), portal(world))
        let id = world.id()
        func send(_ content: String, tag: String, counter: UInt64) {
            let extra = RepeatTag.make(
                id, target: Spaces.order, Array(tag.utf8), with: RepeatSecret(derivedFrom: keys.portal)
            )
            portal.send(content, id: id) {
                Self.seal(&$0)
                $0.counter = counter
                $0.extensions = [Header.Extension(type: RepeatTag.type, value: extra)]
            }
        }
        send("sealed once", tag: "content", counter: 1)
        send("sealed again", tag: "content", counter: 2)
        #expect(portal.refusedCodes.isEmpty && register.commandsGot.count == 1)
        send("something else", tag: "another content", counter: 3)
        #expect(portal.refusedCodes == [4090])
        // Also for a broker that starts anew.
        let next = try world.restarted()
        let late = self.portal(next)
        for (tag, codes) in [("content", []), ("another content", [4090])] as [(String, [UInt16])] {
            late.clear()
            late.send("sealed a third time", id: id) {
                Self.seal(&$0)
                $0.extensions = [
                    Header.Extension(
                        type: RepeatTag.type,
                        value: RepeatTag.make(
                            id, target: Spaces.order, Array(tag.utf8),
                            with: RepeatSecret(derivedFrom: keys.portal)))
                ]
            }
            #expect(late.refusedCodes == codes, "\(tag)")
        }
    }

    @Test func aStateCarriesTheHeaderOfASealedOutcome() throws {
        let world = try world(Keys())
        let (register, portal) = (register(world), portal(world))
        let command = portal.send { Self.seal(&$0) }
        register.settle(.ack, .init(position: register.commandsGot[0].annotations.position))
        register.conclude(command, for: "portal", Self.seal)
        portal.say(.query, StateQuery(token: 3, consumer: "portal", commands: [command]).encoded(), version: 3)
        let row = try #require(portal.states.first?.rows.first)
        #expect(row.outcome == Array("done".utf8))
        let header = try Header(decoding: row.outcomeHeader)
        #expect(header.kind == .outcome && header.correlation == command && header.sealSuite == 1)
    }
}
