import BusBroker
import BusEvidence
import BusJournal
import BusProtocol

/// Every frame, where it enters and leaves the broker.
extension Witness {
    /// A frame is about to be given to the broker.
    mutating func enters(_ frame: [UInt8], on route: [UInt8], system: String, at now: Int64) {
        do throws(Fault) {
            try frame.reading { raw throws(Fault) in try enter(raw, route, system, now) }
        } catch { fail("an agent sent an unreadable frame: \(error)") }
    }

    private mutating func enter(
        _ raw: UnsafeRawBufferPointer, _ route: [UInt8], _ system: String, _ now: Int64
    ) throws(Fault) {
        let head = try FrameHead(raw)
        if head.command == .hello {
            sessions[route] = SessionView(messageLimit: head.messageLimit, byteLimit: head.byteLimit)
            return
        }
        guard var session = sessions[route] else { return }
        if head.command == .seek {
            var fields = head.fields(of: raw)
            let seek = try Seek(&fields)
            session.seeks.append((seek.token, Wish(receiver: seek.system, event: seek.event)))
        }
        session.messageLimit = max(session.messageLimit, head.messageLimit)
        session.byteLimit = max(session.byteLimit, head.byteLimit)
        if head.command == .submit, head.sequence == session.received + 1 {
            var asks: [(id: MessageID, until: Int64)] = []
            try EnvelopeFrame.decode(raw, head) { _, result in
                session.received += 1
                guard case .success(let view) = result else { return }
                session.numbers[session.received] = (Sender(system: system, id: view.header.id), view.header.kind)
                if view.header.kind == .request {
                    asks.append((view.header.id, now + Int64(view.header.remaining) * 1000))
                }
            }
            for ask in asks {
                asked[ask.id, default: 0] += 1
                deadlines[ask.id] = ask.until
            }
        }
        sessions[route] = session
    }

    /// A frame left the broker.
    /// - Parameter wall: the broker's clock, Unix microseconds.
    mutating func leaves(_ frame: [UInt8], on route: [UInt8], wall: Int64, at now: BrokerTime) {
        do throws(Fault) {
            try frame.reading { raw throws(Fault) in
                let head = try FrameHead(raw)
                var fields = head.fields(of: raw)
                switch head.command {
                case .accept: accepted(try Acceptance(&fields), route)
                case .deliver: try delivered(raw, head, route, wall, now)
                case .done: toldSought(try Done(&fields), route)
                default: break
                }
            }
        } catch { fail("the broker sent an unreadable frame: \(error)") }
    }

    private mutating func accepted(_ acceptance: Acceptance, _ route: [UInt8]) {
        let size = size
        expect(acceptance.treeSize <= size, "ACCEPT names \(acceptance.treeSize) records, the disk has \(size)")
        guard var session = sessions[route] else { return fail("ACCEPT without a session") }
        let refused = Set(acceptance.refused.map(\.sequence))
        for item in acceptance.refused where item.code == FaultCode.creditExceeded.number {
            fail("an agent sent message \(item.sequence) beyond its credit")
        }
        for (sequence, message) in session.numbers where sequence <= acceptance.sequence {
            session.numbers[sequence] = nil
            guard !refused.contains(sequence), [.command, .event, .outcome].contains(message.kind) else { continue }
            expect(
                positions[message.sender] != nil,
                "\(message.kind) \(message.sender.id) was accepted before it was durable")
            promised.insert(message.sender)
        }
        sessions[route] = session
    }

    /// DONE is a receipt: what it counts is on the disk.
    private mutating func toldSought(_ done: Done, _ route: [UInt8]) {
        guard let index = sessions[route]?.seeks.firstIndex(where: { $0.token == done.token }),
            let wish = sessions[route]?.seeks.remove(at: index).wish
        else { return fail("DONE answers no SEEK") }
        guard done.code == 0, done.count > 0 else { return }
        let count = Int(clamping: done.count)
        guard let written = untoldSeeks[wish]?.firstIndex(of: count) else {
            return fail("DONE counts \(count) events of \(wish.event) for \(wish.receiver) before that is durable")
        }
        untoldSeeks[wish]?.remove(at: written)
    }

    /// An operator was told that a letter is on its way again.
    mutating func toldResent(_ letter: DeadLetter) {
        let name = Name(position: letter.position, receiver: letter.queue.system)
        expect(untoldResends[name] ?? 0 > 0, "the resend of \(letter.position) was answered before it was durable")
        untoldResends[name, default: 0] -= 1
    }

    private mutating func delivered(
        _ raw: UnsafeRawBufferPointer, _ head: FrameHead, _ route: [UInt8], _ wall: Int64, _ now: BrokerTime
    ) throws(Fault) {
        guard var session = sessions[route] else { return fail("DELIVER without a session") }
        var faults: [String] = []
        var seen: [(HeaderView, Annotations, Digest32)] = []
        session.deliveredBytes += UInt64(
            try EnvelopeFrame.decode(raw, head) { _, result in
                session.delivered += 1
                switch result {
                case .failure(let fault): faults.append("an unreadable envelope left: \(fault)")
                case .success(let view):
                    var reader = ByteReader(raw, from: view.annotations.lowerBound, to: view.annotations.upperBound)
                    let body = LogHash.body(UnsafeRawBufferPointer(rebasing: raw[view.body]))
                    if let annotations = try? Annotations(&reader) { seen.append((view.header, annotations, body)) }
                }
            })
        if let fault = faults.first { fail(fault) }
        expect(session.delivered <= session.messageLimit, "delivery \(session.delivered) is beyond the credit")
        expect(session.deliveredBytes <= session.byteLimit, "deliveries are beyond the credit in bytes")
        sessions[route] = session
        for (header, annotations, body) in seen {
            if header.kind == .reply { replies(header, now) }
            leaves(header, annotations, body, wall)
        }
    }

    /// How late a broker may be to say that a deadline has passed, microseconds: a tick and its work.
    private static let lateness: Int64 = 150_000

    private mutating func replies(_ header: HeaderView, _ now: BrokerTime) {
        answered[header.correlation, default: 0] += 1
        guard judgesDeadlines, header.outcome == FaultCode.deadlinePassed.number,
            let until = deadlines[header.correlation]
        else { return }
        expect(
            now.time <= max(until, now.awakeSince) + Self.lateness,
            "request \(header.correlation) ended \((now.time - until) / 1000) ms after its deadline")
    }

    private mutating func leaves(_ header: HeaderView, _ annotations: Annotations, _ body: Digest32, _ wall: Int64) {
        // A broker's own answer stands in no journal.
        if header.kind == .reply, annotations.position == 0 { return }
        expect(annotations.position <= size, "\(header.kind) \(header.id) left before it was durable")
        guard let entry = entries[annotations.position] else {
            return fail("\(header.kind) \(header.id) left under position \(annotations.position), which is no message")
        }
        expect(entry.header.id == header.id, "position \(annotations.position) left under another id")
        expect(entry.digest == body, "\(header.kind) \(header.id) left with another body")
        guard header.kind == .command || header.kind == .event else { return }
        let receivers = header.kind == .command ? [Names.system(of: entry.header.target)] : SimulatedSpace.consumers
        let isResent = receivers.contains { resent.contains(Name(position: annotations.position, receiver: $0)) }
        expect(
            isResent || wall / 1000 < Self.expiry(entry),
            "\(header.kind) \(header.id) left \(wall / 1000 - Self.expiry(entry)) ms after its expiry")
    }
}
