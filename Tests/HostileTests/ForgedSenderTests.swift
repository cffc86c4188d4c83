import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// A message is made up in somebody's name. Its receiver notices when it arrives: 4013.
@Suite struct ForgedSenderTests {
    enum Forgery: String, CaseIterable, Sendable {
        case unsigned, copiedProof, brokersKey, otherSystemsKey
    }

    /// What a broker can put under a message: nothing, a proof it saw, its own signature, an accomplice's.
    private func forged(_ message: OutgoingEnvelope, _ forgery: Forgery, _ bus: HostileBus) throws -> OutgoingEnvelope {
        switch forgery {
        case .unsigned: return message
        case .copiedProof:
            var message = message
            let real = try #require(bus.delivered.last { !$0.message.proof.isEmpty }?.message)
            message.proof = real.proof
            message.signedRoot = real.signedRoot
            return message
        case .brokersKey: return bus.signed(message, by: Country.brokers)
        case .otherSystemsKey: return bus.signed(message, by: Country.signer(of: "bank-1"))
        }
    }

    private func header(
        _ kind: MessageKind, _ target: String, _ bus: HostileBus, _ change: (inout Header) -> Void
    ) -> Header {
        var header = Header(kind: kind, id: bus.id(), created: bus.wall)
        header.target = target
        change(&header)
        return header
    }

    /// Something real of portal and register, so that there are proofs to copy.
    private func bus() throws -> HostileBus {
        let bus = try HostileBus()
        for _ in 0..<3 { bus.portal.ask(bus) }
        bus.portal.order(bus)
        bus.register.publish(bus)
        bus.pass(milliseconds: 100)
        return bus
    }

    @Test(arguments: Forgery.allCases, [MessageKind.request, .command])
    func whatAsksInThePortalsName(forgery: Forgery, kind: MessageKind) throws {
        let bus = try bus()
        let before = bus.register.acted.count
        let target = kind == .request ? Country.record : Country.order
        let header = header(kind, target, bus) {
            $0.consumer = "portal"
            $0.remaining = kind == .request ? 1000 : 0
        }
        bus.bring(try forged(OutgoingEnvelope(header, "made up"), forgery, bus), to: "register-1")
        #expect(bus.register.acted.count == before && bus.register.turnedAway == [.badSignature])
    }

    /// Whose an event is, its name says: one who names himself, or a system without a key, as its publisher gains nothing.
    @Test(arguments: Forgery.allCases, ["register", "bank", "archive"])
    func anEventOfTheRegister(forgery: Forgery, publisher: String) throws {
        let bus = try bus()
        let before = bus.portal.acted.count
        let header = header(.event, Country.changed, bus) { $0.consumer = publisher }
        bus.bring(try forged(OutgoingEnvelope(header, "made up"), forgery, bus), to: "portal-1")
        #expect(bus.portal.acted.count == before && bus.portal.turnedAway == [.badSignature])
    }

    @Test(arguments: Forgery.allCases, ["register", "bank", "archive", ""])
    func anOutcomeOfTheRegister(forgery: Forgery, provider: String) throws {
        let bus = try bus()
        let before = bus.portal.acted.count
        let header = header(.outcome, Country.order, bus) {
            $0.consumer = "portal"
            $0.provider = provider
            $0.correlation = bus.id()
        }
        bus.bring(try forged(OutgoingEnvelope(header, "made up"), forgery, bus), to: "portal-1")
        #expect(bus.portal.acted.count == before && bus.portal.turnedAway == [.badSignature])
    }

    /// The target is the register's, or the forger's own: then it is no answer to what was asked.
    private static let names = [Country.record, Country.account, Country.paper, ""].flatMap { target in
        ["register", "bank", ""].map { (target: target, provider: $0) }
    }

    @Test(arguments: Forgery.allCases, names)
    func anAnswerOfTheRegister(forgery: Forgery, names: (target: String, provider: String)) throws {
        let bus = try bus()
        bus.register.holdsRequests = true
        bus.register2.holdsRequests = true
        let request = bus.portal.ask(bus)
        bus.settle()
        let asked = try #require(bus.delivered.last { $0.message.id == request }?.message)
        let header = header(.reply, names.target, bus) {
            $0.correlation = request
            $0.provider = names.provider
            // The broker saw the request, so its digest is no secret.
            let leaf = LogHash.messageLeaf(header: asked.header, body: asked.body)
            $0.extensions = [Header.Extension(type: RequestDigest.type, value: leaf.bytes)]
        }
        bus.bring(try forged(OutgoingEnvelope(header, "made up"), forgery, bus), to: "portal-1")
        #expect(bus.portal.end(of: request) == nil && bus.portal.core.counters.badProofs == 1)
        #expect(bus.portal.notices == [.badSignature])
        bus.register.answerHeld(bus)
        bus.register2.answerHeld(bus)
        #expect(bus.portal.end(of: request) == .answer(code: 0, body: "register: {}"))
    }

    /// "There is no such record" is an answer on which people act: the broker may not give it.
    @Test func nothingFound() throws {
        let bus = try HostileBus()
        bus.register.holdsRequests = true
        bus.register2.holdsRequests = true
        let request = bus.portal.ask(bus)
        bus.settle()
        let reply = header(.reply, "", bus) {
            $0.correlation = request
            $0.outcome = FaultCode.nothingFound.number
        }
        bus.bring(OutgoingEnvelope(reply, ""), to: "portal-1")
        #expect(bus.portal.end(of: request) == nil && bus.portal.core.counters.badProofs == 1)
        let order = bus.portal.order(bus)
        let outcome = header(.outcome, Country.order, bus) {
            $0.correlation = order
            $0.consumer = "portal"
            $0.outcome = FaultCode.nothingFound.number
        }
        bus.bring(OutgoingEnvelope(outcome, ""), to: "portal-1")
        #expect(bus.portal.turnedAway == [.badSignature])
    }

    // MARK: - What nobody notices

    /// Limit: a fault is the broker's to make up, and is believed.
    @Test func aFaultOfTheBrokersOwn() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.register.holdsRequests = true
        let request = bus.portal.ask(bus)
        bus.settle()
        let reply = header(.reply, "", bus) {
            $0.correlation = request
            $0.outcome = FaultCode.providerLost.number
        }
        bus.bring(OutgoingEnvelope(reply, ""), to: "portal-1")
        #expect(bus.portal.end(of: request) == .answer(code: FaultCode.providerLost.number, body: ""))
        bus.dropAll(.command, to: "register-1")
        let order = bus.portal.order(bus)
        let outcome = header(.outcome, Country.order, bus) {
            $0.correlation = order
            $0.consumer = "portal"
            $0.outcome = FaultCode.expired.number
        }
        bus.bring(OutgoingEnvelope(outcome, ""), to: "portal-1")
        #expect(bus.portal.acted(.outcome).last?.code == FaultCode.expired.number)
    }

    /// Limit: in the name of a system without a signing key everything can be made up, its answers included.
    @Test func aSystemThatCannotSign() throws {
        let bus = try HostileBus()
        let header = header(.request, Country.record, bus) {
            $0.consumer = "archive"
            $0.remaining = 1000
        }
        bus.bring(OutgoingEnvelope(header, "made up"), to: "register-1")
        #expect(bus.register.acted(.request).map(\.body) == ["made up"])
        bus.change(.reply, to: "portal-1") { reply in
            var reply = reply
            reply.body = Array("made up".utf8)[...]
            return reply
        }
        let paper = bus.portal.ask(bus, Country.paper)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: paper) == .answer(code: 0, body: "made up"))
    }
}
