import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// Something is shown under another time than its own.
@Suite struct BackdatingTests {
    /// The bank's key has expired by the day these tests begin; it was stolen, and the thief signs under a day on which it counted.
    private func expired() throws -> [SignedSpace] {
        try Country.versions([
            Country.space { keys in
                for index in keys.indices where keys[index].agent == "bank-1" {
                    keys[index].until = CalendarDate(year: 2026, month: 1, day: 31)
                }
            }
        ])
    }

    private static let whenItCounted = HostileBus.epoch - 300 * 86_400_000

    @Test("the time of a signed root changed: 4013", arguments: [-86_400_000, -1, 1, 86_400_000] as [Int64])
    func changedTime(by difference: Int64) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.change(.request, to: "register-1") { message in
            var message = message
            let at = message.signedRoot.startIndex + 44
            let time = Array(message.signedRoot).withUnsafeBytes { SignedRoot.signedAt(of: $0[...]) } + difference
            message.signedRoot.replaceSubrange(at..<at + 8, with: withUnsafeBytes(of: time.littleEndian) { Array($0) })
            return message
        }
        bus.portal.ask(bus)
        bus.settle()
        #expect(bus.register.acted.isEmpty && bus.register.turnedAway == [.badSignature])
    }

    private func message(
        _ kind: MessageKind, _ target: String, _ bus: HostileBus, created: Int64? = nil
    ) -> OutgoingEnvelope {
        var header = Header(kind: kind, id: bus.id(), created: created ?? bus.wall)
        header.target = target
        header.consumer = "bank"
        header.remaining = kind == .request ? 2000 : 0
        return OutgoingEnvelope(header, "by a thief")
    }

    @Test("a request signed with an expired key, under its time or under ours")
    func expiredKey() throws {
        let bus = try HostileBus(expired(), agents: ["portal-1", "register-1"])
        let request = message(.request, Country.record, bus)
        let key = Country.signer(of: "bank-1")
        bus.bring(bus.signed(request, by: key), to: "register-1")
        bus.bring(bus.signed(request, by: key, at: Self.whenItCounted), to: "register-1")
        #expect(bus.register.acted.isEmpty)
        #expect(bus.register.turnedAway == [.badSignature, .expiredOnArrival])
    }

    @Test("an answer signed with an expired key: under its time it ends nothing, under ours neither")
    func expiredAnswer() throws {
        let bus = try HostileBus(expired(), agents: ["portal-1", "register-1"])
        // No agent of the bank is there, which the broker says in ACCEPT.
        bus.lie = { to, said in
            if case .accept = said.what { [] } else { [(to, said)] }
        }
        let request = bus.portal.ask(bus, Country.account)
        bus.settle()
        let asked = try bus.submission(request)
        var header = Header(kind: .reply, id: bus.id(), created: bus.wall)
        header.correlation = request
        header.target = Country.account
        header.provider = "bank"
        let digest = LogHash.messageLeaf(header: asked.header, body: asked.body).bytes
        header.extensions = [Header.Extension(type: RequestDigest.type, value: digest)]
        let answer = OutgoingEnvelope(header, "by a thief")
        let key = Country.signer(of: "bank-1")
        bus.bring(
            bus.signed(answer, by: key), bus.signed(answer, by: key, at: Self.whenItCounted), to: "portal-1")
        #expect(bus.portal.notices == [.badSignature, .expiredOnArrival] && bus.portal.ends.isEmpty)
    }

    /// Limit: what may be on its way for days is not held to the receiver's clock. A key that was stolen must be revoked; that it
    /// expires does not end it where the broker helps the thief.
    @Test("a command signed with an expired key under its time is carried out")
    func expiredCommand() throws {
        let bus = try HostileBus(expired(), agents: ["portal-1", "register-1"])
        let command = message(.command, Country.order, bus)
        bus.bring(bus.signed(command, by: Country.signer(of: "bank-1"), at: Self.whenItCounted), to: "register-1")
        #expect(bus.register.acted(.command).map(\.body) == ["by a thief"])
    }

    // MARK: - What nobody signed

    /// The bank's entry has no signing key, and its last day is over.
    private func unsigned() throws -> HostileBus {
        let space = try Country.space { keys in
            for index in keys.indices where keys[index].agent == "bank-1" {
                keys[index].sign = nil
                keys[index].until = CalendarDate(year: 2026, month: 1, day: 31)
            }
        }
        return try HostileBus(Country.versions([space]), agents: ["portal-1", "register-1"])
    }

    @Test("without a signature, after the last day of an entry that has no signing key, under its time or under ours")
    func unsignedAfterItsDays() throws {
        let bus = try unsigned()
        bus.bring(message(.request, Country.record, bus), to: "register-1")
        bus.bring(message(.request, Country.record, bus, created: Self.whenItCounted), to: "register-1")
        bus.bring(message(.command, Country.order, bus), to: "register-1")
        #expect(bus.register.acted.isEmpty)
        #expect(bus.register.turnedAway == [.badSignature, .badSignature, .badSignature])
    }

    /// Limit, as with what is signed: what may be on its way for days has the time that it says.
    @Test("a command without a signature, under a day on which its sender's entry counted, is carried out")
    func unsignedCommandUnderItsTime() throws {
        let bus = try unsigned()
        bus.bring(message(.command, Country.order, bus, created: Self.whenItCounted), to: "register-1")
        #expect(bus.register.acted(.command).map(\.body) == ["by a thief"])
    }

    // MARK: - Clocks

    enum Skew: Int64, CaseIterable, Sendable {
        case farBehind = -301_000
        case behind = -299_000
        case ahead = 299_000
        case farAhead = 301_000
    }

    /// An honest agent whose clock is off by up to five minutes is not taken for a repetition.
    @Test("clocks apart", arguments: Skew.allCases)
    func clocks(_ skew: Skew) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.portal.wallOffset = skew.rawValue
        let request = bus.portal.ask(bus, within: 500)
        bus.pass(milliseconds: 700)
        switch skew {
        case .behind, .ahead:
            #expect(bus.portal.end(of: request) == .answer(code: 0, body: "register: {}"))
        case .farAhead, .farBehind:
            #expect(bus.register.acted.isEmpty && bus.register.turnedAway == [.expiredOnArrival])
        }
    }
}
