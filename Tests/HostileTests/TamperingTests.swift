import BusProtocol
import Testing

@testable import BusAgent

/// A message is changed on its way. Its receiver notices when it arrives, before anybody acts on it: 4013.
@Suite struct TamperingTests {
    enum Part: String, CaseIterable, Sendable {
        case header, body, path, leaf, root, keyID, batchSize, time, signature, noProof, noRoot

        /// Whether header and body stay what their sender signed.
        var leavesMessage: Bool { self != .header && self != .body }

        func tamper(_ message: OutgoingEnvelope) -> OutgoingEnvelope {
            var message = message
            func flip(_ bytes: inout ArraySlice<UInt8>, _ offset: Int) { bytes[bytes.startIndex + offset] ^= 1 }
            switch self {
            case .header: flip(&message.header, Self.created)
            case .body: message.body += [0]
            case .path: message.proof[message.proof.endIndex - 1] ^= 1
            case .leaf: flip(&message.proof, 4)
            case .root: flip(&message.signedRoot, 0)
            case .keyID: flip(&message.signedRoot, 32)
            case .batchSize: flip(&message.signedRoot, 41)
            case .time: flip(&message.signedRoot, 44)
            case .signature: flip(&message.signedRoot, SignedRoot.signatureOffset)
            case .noProof: message.proof = []
            case .noRoot: message.signedRoot = []
            }
            return message
        }

        private static let created = 24
    }

    @Test(
        "a request: no handler gets it, its sender learns why or has no answer by its deadline",
        arguments: Part.allCases)
    func request(part: Part) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.change(.request, to: "register-1", part.tamper)
        let asked = (0..<3).map { bus.portal.ask(bus, Country.record, "\($0)") }
        bus.settle()
        #expect(bus.register.acted.isEmpty)
        #expect(bus.register.turnedAway == [.badSignature, .badSignature, .badSignature])
        #expect(bus.register.core.counters.badProofs == 3)
        bus.pass(milliseconds: 2200)
        for request in asked {
            // The register's refusal is bound to what it saw: to a changed request it is no answer of the one that was asked.
            let end: HostedAgent.End =
                part.leavesMessage ? .answer(code: FaultCode.badSignature.number, body: "") : .fault(.deadlinePassed)
            #expect(bus.portal.end(of: request) == end)
        }
    }

    @Test("a command: it has no effect, and its sender is told", arguments: Part.allCases)
    func command(part: Part) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.change(.command, to: "register-1", part.tamper)
        (0..<3).forEach { bus.portal.order(bus, "\($0)") }
        bus.pass(milliseconds: 100)
        #expect(bus.register.acted.isEmpty && bus.register.register.effects.isEmpty)
        #expect(bus.register.turnedAway == [.badSignature, .badSignature, .badSignature])
        #expect(bus.portal.acted(.outcome).map(\.code) == [4013, 4013, 4013])
    }

    @Test("an event: no subscriber acts on it", arguments: Part.allCases)
    func event(part: Part) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.change(.event, to: "portal-1", part.tamper)
        (0..<3).forEach { bus.register.publish(bus, "\($0)") }
        bus.pass(milliseconds: 100)
        #expect(bus.portal.acted.isEmpty)
        #expect(bus.portal.turnedAway == [.badSignature, .badSignature, .badSignature])
    }

    @Test("a reply: it ends nothing, and the right one may still come until the deadline", arguments: Part.allCases)
    func reply(part: Part) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.register.holdsRequests = true
        let asked = (0..<3).map { bus.portal.ask(bus, Country.record, "\($0)") }
        bus.settle()
        bus.change(.reply, to: "portal-1", part.tamper)
        bus.register.answerHeld(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.core.counters.badProofs == 3 && bus.portal.ends.isEmpty)
        let right = try bus.last(.reply, to: "portal-1")
        bus.bring(right, to: "portal-1")
        #expect(bus.portal.end(of: asked[2]) == .answer(code: 0, body: "register: 2"))
        bus.pass(milliseconds: 2200)
        #expect(bus.portal.end(of: asked[0]) == .fault(.deadlinePassed))
    }

    @Test("an outcome: its receiver does not act on it", arguments: Part.allCases)
    func outcome(part: Part) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.change(.outcome, to: "portal-1", part.tamper)
        (0..<3).forEach { bus.portal.order(bus, "\($0)") }
        bus.pass(milliseconds: 100)
        #expect(bus.register.register.effects.count == 3)
        #expect(bus.portal.acted.isEmpty)
        #expect(bus.portal.turnedAway == [.badSignature, .badSignature, .badSignature])
    }
}
