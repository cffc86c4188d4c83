import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol
import Testing

@testable import BusBroker

/// Messages are their senders' only when these signed them, and stay provable wherever they go.
@Suite struct ProofTests {
    private let portalKey = SigningKey()
    private let registerKey = SigningKey()

    private func world() throws -> (World, register: TestAgent, portal: TestAgent) {
        var keys = Spaces.keys()
        keys[0].sign = registerKey.publicKey.bytes.hex
        keys[2].sign = portalKey.publicKey.bytes.hex
        let world = try World(try Spaces.space(keys: keys))
        let register = TestAgent.register(world)
        register.signer = BatchSigner(registerKey)
        let portal = TestAgent.portal(world)
        portal.signer = BatchSigner(portalKey)
        return (world, register, portal)
    }

    private func isProven(_ message: Delivered, by key: SigningKey) -> Bool {
        var checker = ProofChecker()
        let found = try? checker.check(
            leaf: LogHash.messageLeaf(header: message.header.encoded()[...], body: message.body[...]),
            proof: message.proof,
            signedRoot: message.signedRoot
        ) { id in id == key.id ? SenderKey(key.publicKey) : nil }
        return found == key.id
    }

    @Test func requestAndReplyAreDeliveredWithTheirProofs() throws {
        let (world, register, portal) = try world()
        portal.submit((0..<5).map { _ in (portal.request(), Array("{}".utf8)) })
        world.pass(milliseconds: 50)
        #expect(register.requests.count == 5)
        #expect(register.requests.allSatisfy { isProven($0, by: portalKey) })
        for request in register.requests { register.answer(request.header.id) }
        world.pass(milliseconds: 50)
        #expect(portal.replies.count == 5 && portal.replies.allSatisfy { isProven($0, by: registerKey) })
        // Re-batched by the broker: five replies of five batches came in fewer frames, each with its own root.
        #expect(Set(portal.replies.map(\.signedRoot)).count == 5)
    }

    @Test func aDurableMessageKeepsItsProofThroughTheJournal() throws {
        let (world, register, portal) = try world()
        register.vanish()
        register.say(.bye)
        let command = portal.send("do it")
        world.pass(milliseconds: 50)
        let next = try world.restarted()
        let again = TestAgent.register(next)
        next.pass(milliseconds: 50)
        let message = try #require(again.commandsGot.first)
        #expect(message.header.id == command && isProven(message, by: portalKey))
        #expect(world.core.counters.badProofs == 0)
    }

    enum Tampering: String, CaseIterable {
        case noProof, noRoot, body, header, path, signature, otherKey, otherTime
    }

    @Test(arguments: Tampering.allCases)
    func whatIsNotItsSendersIsRefused(tampering: Tampering) throws {
        let (world, register, portal) = try world()
        portal.tamper = { envelope in
            switch tampering {
            case .noProof: envelope.proof = []
            case .noRoot: envelope.signedRoot = []
            case .body: envelope.body = Array("[]".utf8)[...]
            case .header: envelope.header[envelope.header.startIndex + 36] ^= 1
            case .path: envelope.proof[envelope.proof.endIndex - 1] ^= 1
            case .signature: envelope.signedRoot[envelope.signedRoot.endIndex - 1] ^= 1
            case .otherTime: envelope.signedRoot[envelope.signedRoot.startIndex + 44] ^= 1
            case .otherKey: break
            }
        }
        if tampering == .otherKey { portal.signer = BatchSigner(registerKey) }
        portal.submit((0..<3).map { _ in (portal.request(), Array("{}".utf8)) })
        world.pass(milliseconds: 50)
        #expect(register.requests.isEmpty)
        let refused = portal.accepts.flatMap(\.refused)
        #expect(refused.map(\.code) == [4013, 4013, 4013])
        #expect(world.core.counters.badProofs == 3)
        #expect(world.journal.messageIDs(.request).isEmpty)
        // Said once, not for every message.
        #expect(world.notices.filter { $0.message.contains("not its sender's") }.count == 1)
    }

    @Test func anAgentWithoutASigningKeyGoesOnAsBefore() throws {
        let (world, register, _) = try world()
        let bank = TestAgent.bank(world)
        bank.publish()
        let order = bank.send()
        world.pass(milliseconds: 50)
        #expect(register.commandsGot.map(\.header.id) == [order])
        #expect(register.commandsGot.first?.proof.isEmpty == true)
    }

    // MARK: - Entries without a signing key

    private func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

    /// A world in September 2026, in which the register signs and the bank's entries are these.
    private func world(bank entries: AgentKey...) throws -> (World, register: TestAgent, bank: TestAgent) {
        var keys = Array(Spaces.keys().prefix(3)) + entries
        keys[0].sign = registerKey.publicKey.bytes.hex
        let world = try World(try Spaces.space(keys: keys))
        return (world, TestAgent.register(world), TestAgent.bank(world))
    }

    private func entry(_ curve: String = Spaces.bankKey, from: String? = nil, until: String? = nil) throws -> AgentKey {
        AgentKey(
            agent: "bank-1", systems: ["bank"], curve: curve,
            validity: KeyValidity(from: try from.map(day), until: try until.map(day)))
    }

    /// What receivers would refuse, and the audit of the journal complain of for ever, is not accepted.
    @Test func whatNobodySignedCountsOnTheDaysOfItsEntry() throws {
        let (world, register, bank) = try world(bank: entry(from: "2026-09-10", until: "2026-09-30"))
        let days = try day("2026-09-10").startOfDayMilliseconds...day("2026-09-30").endOfDayMilliseconds
        let times = [0, days.lowerBound - 1, days.lowerBound, days.upperBound, days.upperBound + 1]
        for time in times { bank.send { $0.created = time } }
        world.pass(milliseconds: 50)
        let taken = register.commandsGot.map(\.header.created)
        #expect(taken.sorted() == [days.lowerBound, days.upperBound])
        #expect(bank.refusedCodes == [4013, 4013, 4013] && world.core.counters.badProofs == 3)
        let snapshot = world.core.rights.snapshot
        let audit = try #require(StatedKeys(snapshot: snapshot.canonical))
        let receivers = Directory(snapshot)
        for time in times {
            #expect(audit.mustSign("bank", at: time) == !taken.contains(time))
            #expect(receivers.maySendUnsigned("bank", at: time...time) == taken.contains(time))
        }
    }

    /// As an outbox sends what it had stored before the agent's entry was another one.
    @Test func theDaysOfAnotherEntryOfItsSystemCountAsWell() throws {
        let (world, register, bank) = try world(
            bank: entry(from: "2026-09-10"), entry(Spaces.unknownKey, until: "2026-08-31"))
        let times = [
            try day("2026-08-31").endOfDayMilliseconds, try day("2026-09-01").startOfDayMilliseconds,
            try day("2026-09-10").startOfDayMilliseconds,
        ]
        for time in times { bank.send { $0.created = time } }
        world.pass(milliseconds: 50)
        #expect(register.commandsGot.map(\.header.created).sorted() == [times[0], times[2]])
        #expect(bank.refusedCodes == [4013])
    }

    /// Its agent may sign before the space states the key; a wrong signature of a key that is stated is nobody's.
    @Test(arguments: [true, false]) func anAgentMaySignBeforeItsKeyIsStated(isStated: Bool) throws {
        let key = SigningKey()
        var other = try entry(Spaces.unknownKey)
        other.sign = isStated ? key.publicKey.bytes.hex : nil
        let (world, register, bank) = try world(bank: entry(until: "2026-09-30"), other)
        bank.signer = BatchSigner(key)
        let order = bank.send()
        bank.tamper = { $0.signedRoot[$0.signedRoot.endIndex - 1] ^= 1 }
        let tampered = bank.send()
        world.pass(milliseconds: 50)
        #expect(register.commandsGot.map(\.header.id) == (isStated ? [order] : [order, tampered]))
        #expect(bank.refusedCodes == (isStated ? [4013] : []))
    }
}
