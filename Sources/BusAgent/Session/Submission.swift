package import BusProtocol

/// A message an agent wants to send: bytes that never change, so that repeating them is safe.
package struct Submission: Sendable {
    package var kind: MessageKind
    package var id: MessageID
    /// Encoded header.
    package var header: [UInt8]
    package var body: [UInt8]
    /// Monotonic time after which the sender no longer wants it, microseconds.
    package var deadline: UInt64
    /// The caller's mark; it comes back exactly once, in `AgentAction.completed`. `noTicket`: nobody waits.
    package var ticket: UInt64
    /// Replies: the delivery this answers. Its credit is given back when the reply leaves.
    package var answers: DeliveryMark?

    /// The broker may have it already: from an earlier session, or an earlier process.
    package var mayBeKnown = false

    /// Where the target stands in `header`, as its `HeaderTemplate` says; `nil`: it is looked up there.
    var target: Range<Int>?

    package static let noTicket = UInt64.max

    package init(
        kind: MessageKind, id: MessageID, header: [UInt8], body: [UInt8], deadline: UInt64 = .never,
        ticket: UInt64 = Submission.noTicket, answers: DeliveryMark? = nil
    ) {
        self.kind = kind
        self.id = id
        self.header = header
        self.body = body
        self.deadline = deadline
        self.ticket = ticket
        self.answers = answers
    }

    var cost: Int { header.count + body.count }
    /// The record of a sealing epoch.
    var isKey: Bool { kind == .keyEpoch || kind == .keyWrap }
    /// A broker that drains takes what ends something, and nothing new.
    var isNewWork: Bool { kind != .reply && kind != .outcome && !isKey }
    /// A broker that drains has not got it, for certain.
    var isUnknownWork: Bool { isNewWork && !mayBeKnown }

    /// Whether it was sent to this service.
    func isFor(_ service: UnsafeRawBufferPointer) -> Bool {
        header.withUnsafeBytes { raw in
            if let target { return raw.part(target).isSame(as: service) }
            guard let view = try? HeaderView(raw, in: 0..<raw.count) else { return false }
            return raw.part(view.target).isSame(as: service)
        }
    }
}

/// Which delivery was handled: its cost in bytes and the session it came in.
package struct DeliveryMark: Sendable, Equatable {
    package let session: UInt64
    package let cost: Int
}
