import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// A real answer is passed off as one to another question. The asking agent notices when it arrives; the right one may still come.
@Suite struct AnswerTests {
    private func bus() throws -> HostileBus {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.register.holdsRequests = true
        return bus
    }

    /// Two answers change places: what the broker can change of them is in their headers, and signed.
    @Test func swappedAnswers() throws {
        let bus = try bus()
        let asked = (0..<2).map { bus.portal.ask(bus, Country.record, "\($0)") }
        bus.settle()
        bus.lie = { to, said in
            guard to == "portal-1", said.envelopes.count == 2 else { return [(to, said)] }
            let (a, b) = (said.envelopes[0], said.envelopes[1])
            var (first, second) = (a, b)
            // Each goes under the other's header, and, in case that is signed, under the other's name alone.
            (first.header, second.header) = (b.header, a.header)
            var (third, fourth) = (a, b)
            let name = Header.fixedSize..<Header.fixedSize + 16
            third.header.replaceSubrange(name.shifted(by: third.header), with: b.header[name.shifted(by: b.header)])
            fourth.header.replaceSubrange(name.shifted(by: fourth.header), with: a.header[name.shifted(by: a.header)])
            return [(to, Said(head: said.head, .deliver([first, second, third, fourth])))]
        }
        bus.register.answerHeld(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.ends.isEmpty && bus.portal.core.counters.badProofs == 4)
        bus.pass(milliseconds: 2200)
        #expect(asked.allSatisfy { bus.portal.end(of: $0) == .fault(.deadlinePassed) })
    }

    /// Somebody asks something else under the id of the portal's request (for a system that cannot sign the broker does it itself), and
    /// its answer is brought to the portal: only the digest tells that it is another question's.
    @Test func anAnswerToTheSameID() throws {
        let bus = try bus()
        let request = bus.portal.ask(bus, Country.record, "is it free of debt?")
        bus.settle()
        var header = Header(kind: .request, id: request, created: bus.wall)
        header.target = Country.record
        header.consumer = "archive"
        header.remaining = 2000
        bus.bring(OutgoingEnvelope(header, "is there a house?"), to: "register-1")
        #expect(bus.register.acted(.request).count == 2)
        bus.dropAll(.reply, to: "portal-1")
        bus.register.answerHeld(bus)
        let wrong = try #require(bus.submitted.first { $0.text == "register: is there a house?" })
        let right = try #require(bus.submitted.first { $0.text == "register: is it free of debt?" })
        bus.beHonest()
        bus.bring(wrong, to: "portal-1")
        #expect(bus.portal.end(of: request) == nil && bus.portal.core.counters.badProofs == 1)
        bus.bring(right, to: "portal-1")
        #expect(bus.portal.end(of: request) == .answer(code: 0, body: "register: is it free of debt?"))
    }

    /// What was answered before under another id, and the same words now.
    @Test func anAnswerFromYesterday() throws {
        let bus = try bus()
        bus.register.holdsRequests = false
        bus.portal.ask(bus)
        bus.pass(milliseconds: 100)
        let old = try bus.last(.reply, to: "portal-1")
        bus.change(.reply, to: "portal-1") { _ in old }
        let request = bus.portal.ask(bus)
        bus.pass(milliseconds: 2200)
        #expect(bus.portal.end(of: request) == .fault(.deadlinePassed))
        #expect(bus.portal.core.counters.strayReplies == 1)
    }

    // MARK: - What nobody notices

    /// Limit: STATE is the broker's word. What it says of a command, and the outcome in it, nobody signed.
    @Test func aStateMadeUp() throws {
        let bus = try bus()
        bus.dropAll(.command, to: "register-1")
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        bus.lie = { to, said in
            guard case .state(var state) = said.what, !state.rows.isEmpty else { return [(to, said)] }
            state.rows[0].state = .completed
            state.rows[0].outcome = Array("made up".utf8)
            return [(to, Said(head: said.head, .state(state)))]
        }
        bus.portal.query(order, bus)
        let row = try #require(bus.portal.states.first?.rows.first)
        #expect(row.state == .completed && row.outcome == Array("made up".utf8))
        #expect(bus.register.register.effects.isEmpty)
    }
}

extension Range<Int> {
    /// The same places of a slice.
    fileprivate func shifted(by slice: ArraySlice<UInt8>) -> Range<Int> {
        slice.startIndex + lowerBound..<slice.startIndex + upperBound
    }
}
