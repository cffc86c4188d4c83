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
}
