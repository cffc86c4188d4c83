import BusProtocol

/// A frame of the broker for one agent, taken apart so that its owner can change it and put it together again.
struct Said {
    enum What {
        case welcome(Welcome)
        case accept(Acceptance)
        case space(SpaceFrame)
        case state(StateAnswer)
        case proof(LogAnswer)
        case deliver([OutgoingEnvelope])
        /// Everything else, and what is to leave byte by byte as it stands here.
        case raw([UInt8])
    }

    var head: FrameHead
    var what: What

    init(head: FrameHead, _ what: What) {
        self.head = head
        self.what = what
    }

    init(_ frame: [UInt8]) throws(Fault) {
        (head, what) = try frame.reading { raw throws(Fault) -> (FrameHead, What) in
            let head = try FrameHead(raw)
            var fields = head.fields(of: raw)
            switch head.command {
            case .welcome: return (head, .welcome(try Welcome(&fields)))
            case .accept: return (head, .accept(try Acceptance(&fields)))
            case .space: return (head, .space(try SpaceFrame(&fields)))
            case .state: return (head, .state(try StateAnswer(&fields, version: head.version)))
            case .proof: return (head, .proof(try LogAnswer(&fields)))
            case .deliver, .submit: return (head, .deliver(try Self.envelopes(frame, raw, head)))
            default: return (head, .raw(frame))
            }
        }
    }

    private static func envelopes(
        _ frame: [UInt8], _ raw: UnsafeRawBufferPointer, _ head: FrameHead
    ) throws(Fault) -> [OutgoingEnvelope] {
        var found: [OutgoingEnvelope] = []
        try EnvelopeFrame.decode(raw, head) { _, result in
            guard case .success(let view) = result else { return }
            var reader = ByteReader(raw, from: view.annotations.lowerBound, to: view.annotations.upperBound)
            // A SUBMIT has none; what is made of it is delivered.
            let annotations = (try? Annotations(&reader)) ?? Annotations()
            var envelope = OutgoingEnvelope(
                header: frame[view.header.range], body: frame[view.body], annotations: annotations)
            envelope.proof = frame[view.proof]
            envelope.signedRoot = frame[view.signedRoot]
            found.append(envelope)
        }
        return found
    }

    var frame: [UInt8] {
        switch what {
        case .welcome(let welcome): head.frame(welcome.encoded())
        case .accept(let acceptance): head.frame(acceptance.encoded())
        case .space(let space): head.frame(space.encoded())
        case .state(let state): head.frame(state.encoded())
        case .proof(let answer): head.frame(answer.encoded())
        case .deliver(let envelopes): EnvelopeFrame.encode(head, envelopes)
        case .raw(let frame): frame
        }
    }

    /// What it delivers; nothing when it is no delivery.
    var envelopes: [OutgoingEnvelope] {
        if case .deliver(let envelopes) = what { envelopes } else { [] }
    }

    /// The same with its envelopes changed; those that come out as nil are left out.
    func delivering(_ change: (OutgoingEnvelope) -> OutgoingEnvelope?) -> Said {
        guard case .deliver(let envelopes) = what else { return self }
        return Said(head: head, .deliver(envelopes.compactMap(change)))
    }
}

extension OutgoingEnvelope {
    /// A message made up, unsigned.
    init(_ header: Header, _ body: String) {
        self.init(header: header.encoded()[...], body: Array(body.utf8)[...])
        var annotations = Annotations()
        annotations.position = 4711
        annotations.attempt = 1
        self.annotations = annotations
    }

    var fields: Header? { try? Header(decoding: Array(header)) }
    var kind: MessageKind? { fields?.kind }
    var id: MessageID { fields?.id ?? .none }
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The same under another position of the journal.
    func at(_ position: UInt64) -> OutgoingEnvelope {
        var copy = self
        copy.annotations?.position = position
        return copy
    }
}
