import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// Frames and batches with something cut off.
@Suite struct TruncationTests {
    /// A frame with three commands of one batch, kept back.
    private func frame(_ bus: HostileBus) throws -> Said {
        var kept: Said?
        bus.lie = { to, said in
            guard to == "register-1", !said.envelopes.isEmpty else { return [(to, said)] }
            kept = said
            return []
        }
        (0..<3).forEach { bus.portal.order(bus, "\($0)") }
        bus.settle()
        bus.beHonest()
        return try #require(kept)
    }

    @Test(
        "a frame that announces more or fewer envelopes than it has: 4000, and nothing of it is acted on",
        arguments: [-2, -1, 1, 2])
    func count(by difference: Int) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        var frame = try frame(bus).frame
        frame[32] = UInt8(3 + difference)
        bus.say(.deliver, .raw(frame), to: "register-1")
        #expect(bus.register.acted.isEmpty && bus.register.notices == [.badFrame])
    }

    @Test("a frame cut anywhere: 4000, and nothing of it is acted on")
    func anywhere() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        let frame = try frame(bus).frame
        for length in 0..<frame.count { bus.say(.deliver, .raw(Array(frame[..<length])), to: "register-1") }
        #expect(bus.register.acted.isEmpty)
        #expect(bus.register.notices == [FaultCode](repeating: .badFrame, count: frame.count))
    }

    /// What the owner makes of a proof.
    enum Cut: CaseIterable, Sendable {
        /// The last hash is gone.
        case hash
        /// And the path says so.
        case announcedHash
        case whole

        func cut(_ message: OutgoingEnvelope) -> OutgoingEnvelope {
            var message = message
            switch self {
            case .hash, .announcedHash:
                message.proof.removeLast(Digest32.size)
                if self == .announcedHash { message.proof[message.proof.startIndex + 1] -= 1 }
            case .whole: message.proof.removeLast(message.proof.count - 8)
            }
            return message
        }
    }

    @Test("a path cut short: 4013", arguments: Cut.allCases)
    func path(cut: Cut) throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        let said = try frame(bus)
        bus.say(.deliver, said.delivering(cut.cut).what, to: "register-1")
        #expect(bus.register.acted.isEmpty)
        #expect(bus.register.turnedAway == [.badSignature, .badSignature, .badSignature])
    }

    /// Limit: every message carries its own proof, so one of a batch that is missing is missed by nobody but its sender.
    @Test("a batch of which one message is left out: the others are acted on")
    func batch() throws {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        let said = try frame(bus)
        bus.say(.deliver, .deliver([said.envelopes[0], said.envelopes[2]]), to: "register-1")
        #expect(bus.register.acted(.command).map(\.body) == ["0", "2"])
        #expect(bus.register.notices.isEmpty)
    }
}
