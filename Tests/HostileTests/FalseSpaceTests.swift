import BusBroker
import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// Who is on the bus, and with which keys, is not for the broker to say. An agent that pins the authority leaves it: 4094, before
/// anything is sent.
@Suite struct FalseSpaceTests {
    /// The portal's signing key is the broker's owner's.
    private func swapped() throws -> Space {
        try Country.space("swapped") { keys in
            for index in keys.indices where keys[index].agent == "portal-1" {
                keys[index].sign = Country.brokers.publicKey.bytes.hex
            }
        }
    }

    private func frame(_ space: SignedSpace) -> SpaceFrame {
        SpaceFrame(version: space.snapshot.version, signature: space.signature, canonical: space.snapshot.canonical)
    }

    enum Signature: String, CaseIterable, Sendable {
        case none, brokers, copied
    }

    @Test("a key swapped in the space, in the midst of a session", arguments: Signature.allCases)
    func swappedKey(_ signature: Signature) throws {
        let real = try Country.versions([Country.space(), swapped()])
        let bus = try HostileBus([real[0]])
        let snapshot = real[1].snapshot
        let forged =
            switch signature {
            case .none: SignedSpace(snapshot, signature: SignedSpace.noSignature)
            case .brokers: SignedSpace(snapshot, by: Country.brokers)
            case .copied: SignedSpace(snapshot, signature: real[0].signature)
            }
        bus.say(.space, .space(frame(forged)), to: "register-1")
        #expect(!bus.register.core.isOpen && bus.register.core.lastFault?.code == .spaceRefused)
        #expect(bus.register.core.directory?.version == 1)
    }

    @Test("a key swapped in the space, at the first greeting: nothing is sent", arguments: Signature.allCases)
    func swappedFromTheStart(_ signature: Signature) throws {
        let snapshot = try SpaceSnapshot(swapped())
        let copied = try Country.versions([Country.space()])[0].signature
        let forged =
            switch signature {
            case .none: SignedSpace(snapshot, signature: SignedSpace.noSignature)
            case .brokers: SignedSpace(snapshot, by: Country.brokers)
            case .copied: SignedSpace(snapshot, signature: copied)
            }
        let bus = try HostileBus([forged])
        let request = bus.portal.ask(bus)
        bus.pass(milliseconds: 3000)
        for agent in bus.agents.values {
            #expect(!agent.core.isOpen && agent.core.lastFault?.code == .spaceRefused, "\(agent.place.agent)")
        }
        #expect(bus.portal.end(of: request) == .fault(.brokerUnreachable))
        #expect(bus.broker.counters.requestsAccepted == 0 && bus.broker.counters.badProofs == 0)
    }

    /// A space in which the register's second agent is there, and the one in which its key is revoked.
    private func revoking() throws -> [SignedSpace] {
        try Country.versions([
            Country.space(),
            Country.space("revoked") { keys in
                keys[keys.count - 1].revoked = CalendarDate(year: 2026, month: 1, day: 1)
            },
        ])
    }

    @Test("an old one, to an agent that has seen a newer one", arguments: [true, false])
    func old(_ isNewProcess: Bool) throws {
        let bus = try HostileBus(revoking())
        bus.apply(1)
        #expect(bus.portal.core.directory?.version == 2)
        // WELCOME alone gives it away.
        bus.lie = { to, said in
            if case .space = said.what { [] } else { [(to, said)] }
        }
        bus.restart(space: 0)
        if isNewProcess { bus.portal.restart(bus) }
        #expect(!bus.portal.core.isOpen && bus.portal.core.lastFault?.code == .spaceRefused)
        let request = bus.portal.ask(bus)
        bus.pass(milliseconds: 2200)
        #expect(bus.portal.end(of: request) == .fault(.brokerUnreachable))
        #expect(bus.broker.counters.requestsAccepted == 0)
    }

    /// A broker that names the newest version and sends an old one is left as well.
    @Test func anOldOneUnderTheNewName() throws {
        let versions = try revoking()
        let bus = try HostileBus(versions)
        bus.lie = { to, said in
            if case .space = said.what {
                [(to, Said(head: said.head, .space(frame(versions[0]))))]
            } else {
                [(to, said)]
            }
        }
        bus.apply(1)
        #expect(bus.portal.core.isOpen, "the one it holds, again: no news")
        bus.beHonest()
        bus.say(.space, .space(frame(versions[1])), to: "portal-1")
        bus.say(.space, .space(frame(versions[0])), to: "portal-1")
        #expect(!bus.portal.core.isOpen && bus.portal.core.lastFault?.code == .spaceRefused)
    }

    @Test("another one of the same version", arguments: [true, false])
    func forked(_ isAtGreeting: Bool) throws {
        let versions = try Country.versions([Country.space(), Country.space("one")])
        let other = try Country.versions([Country.space(), Country.space("other")])
        let bus = try HostileBus([versions[0], versions[1], other[1]])
        bus.apply(1)
        if isAtGreeting { bus.restart(space: 2) } else { bus.say(.space, .space(frame(other[1])), to: "portal-1") }
        #expect(!bus.portal.core.isOpen && bus.portal.core.lastFault?.code == .spaceRefused)
        #expect(bus.portal.core.directory?.digest == versions[1].snapshot.digest)
    }

    @Test("a session of a version in which no space is sent", arguments: [1, 2] as [UInt8], [true, false])
    func downgrade(_ version: UInt8, _ isKnown: Bool) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.lie = { to, said in
            guard case .welcome(var welcome) = said.what else {
                if case .space = said.what { return [] }
                return [(to, said)]
            }
            welcome.version = version
            return [(to, Said(head: said.head, .welcome(welcome)))]
        }
        bus.portal.restart(bus, remembers: isKnown)
        #expect(!bus.portal.core.isOpen && bus.portal.core.lastFault?.code == .spaceRefused)
        var header = Header(kind: .event, id: bus.id(), created: bus.wall)
        header.target = Country.changed
        header.consumer = "register"
        bus.bring(OutgoingEnvelope(header, "made up"), to: "portal-1")
        #expect(bus.portal.acted.isEmpty)
    }

    // MARK: - What nobody notices

    /// Limit: who has seen no other space takes an old one that the authority signed once: the first start of an agent, or one
    /// without its files.
    @Test func anOldOneAtTheFirstStart() throws {
        let bus = try HostileBus(revoking())
        bus.apply(1)
        bus.restart(space: 0)
        bus.portal.restart(bus, remembers: false)
        #expect(bus.portal.core.isOpen && bus.portal.core.directory?.version == 1)
    }

    /// Limit: a new version that is kept back is missed by nobody. A key that it revokes goes on counting where it was not seen.
    @Test func aNewOneKeptBack() throws {
        let bus = try HostileBus(revoking())
        bus.lie = { to, said in
            if to == "portal-1", case .space = said.what { [] } else { [(to, said)] }
        }
        bus.apply(1)
        bus.pass(milliseconds: 60_000, step: 500)
        #expect(bus.portal.core.isOpen && bus.portal.core.directory?.version == 1 && bus.portal.notices.isEmpty)
        var header = Header(kind: .event, id: bus.id(), created: bus.wall)
        header.target = Country.changed
        header.consumer = "register"
        let stolen = bus.signed(OutgoingEnvelope(header, "by a thief"), by: Country.signer(of: "register-2"))
        bus.bring(stolen, to: "portal-1")
        bus.bring(stolen, to: "bank-1")
        #expect(bus.portal.acted(.event).map(\.body) == ["by a thief"])
        #expect(bus.bank.acted.isEmpty && bus.bank.turnedAway == [.badSignature])
    }
}
