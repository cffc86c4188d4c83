package import BusDirectory
package import BusEvidence
package import BusProtocol

/// What the core wants done. The caller executes actions in order.
///
/// There is one for every message, so what is large and seldom stands apart.
package enum AgentAction: Sendable {
    /// Send this frame to the broker.
    case send([UInt8])
    /// Close the connection and open a new one; frames not yet sent are void.
    case reopen
    /// A submission ended. Comes exactly once for each ticket.
    case completed(ticket: UInt64, Completion)
    /// A request, command or event for this agent's systems.
    case deliver(Delivery)
    /// The session is open.
    indirect case welcomed(Welcome)
    /// Another space was taken: keep it for good before anything that follows.
    indirect case remember(SignedSpace)
    /// A newer checkpoint of the log was checked: keep it.
    indirect case keepCheckpoint(KnownCheckpoint)
    /// The broker has signed another history of its log than the one it had: keep this note, which proves it.
    case keepFork(String)
    /// The session ended; another will be opened unless the agent is closing.
    case disconnected(Fault)
    /// Something an operator should see.
    case notice(Fault)
    /// The broker answers too many questions of this agent at once: those under way may be asked again later.
    case inquiriesRefused(Fault)
    /// The broker's answer to an inquiry, by its token.
    indirect case inquired(token: UInt64, InquiryAnswer)
    /// Records of epochs that were wanted.
    case keys(KeyAnswer)
    /// A subscriber lacks keys of this agent's events.
    case wanted(KeyWish)
    /// Draining is done: nothing is under way any more.
    case drained
}

package enum Completion: Sendable {
    case answer(ReceivedReply)
    /// Published: durable in the broker's log.
    case accepted(MessageID, LogReceipt)
    case fault(Fault)
}

/// What the broker says to QUERY, SEEK and PROVE.
package enum InquiryAnswer: Sendable {
    case state(StateAnswer)
    case done(Done)
    /// Checked, or why it proves nothing.
    case proof(Result<ProvenClaims, Fault>)
}

/// A reply as it arrived: ranges into the frame, nothing copied. On its way to its caller it is handed on like a `Delivery`.
package struct ReceivedReply: Sendable {
    private final class Content: Sendable {
        let frame: [UInt8]
        let header: HeaderView
        let body: Range<Int>
        let annotations: Annotations

        init(frame: [UInt8], header: HeaderView, body: Range<Int>, annotations: Annotations) {
            self.frame = frame
            self.header = header
            self.body = body
            self.annotations = annotations
        }
    }

    private let content: Content
    /// The body of a sealed reply, once it was opened.
    var opened: [UInt8]?

    init(frame: [UInt8], header: HeaderView, body: Range<Int>, annotations: Annotations) {
        content = Content(frame: frame, header: header, body: body, annotations: annotations)
    }

    package var frame: [UInt8] { content.frame }
    package var header: HeaderView { content.header }
    package var body: Range<Int> { content.body }
    package var annotations: Annotations { content.annotations }
    /// The request's id.
    package var request: MessageID { header.correlation }
    /// 0, or a number of the catalogue.
    package var outcome: UInt16 { header.outcome }
    /// The body as its sender meant it.
    var bytes: [UInt8] { opened ?? Array(frame[body]) }
}

/// A state of the broker's log that an ACCEPT or WELCOME named.
package struct LogReceipt: Sendable, Equatable {
    package var treeSize: UInt64
    /// 32 bytes.
    package var root: [UInt8]
    package init(treeSize: UInt64, root: [UInt8]) {
        self.treeSize = treeSize
        self.root = root
    }
    package static let none = LogReceipt(treeSize: 0, root: [UInt8](repeating: 0, count: 32))
}

/// What became of a delivered command or event.
package enum Settled: Sendable {
    case handled
    /// Deliver again after this many milliseconds; why it is not taken now is kept in the message's history: a number of the
    /// catalogue, 0 for none.
    case again(UInt32, why: UInt16 = 0)
    /// Never deliver again, for this reason.
    case never(FaultCode)
}

/// Counts of an agent since its start.
package struct AgentCounters: Sendable, Equatable {
    package var submitted: UInt64 = 0
    package var delivered: UInt64 = 0
    package var replies: UInt64 = 0
    /// Replies to no request that waits: late, repeated or wrongly addressed.
    package var strayReplies: UInt64 = 0
    /// Replies of ours the broker did not want.
    package var refusedReplies: UInt64 = 0
    package var badFrames: UInt64 = 0
    /// Messages that were not what their sender signed.
    package var badProofs: UInt64 = 0
    /// Messages of their senders that were brought again, too late, or to the wrong agent.
    package var misused: UInt64 = 0
    package var sessions: UInt64 = 0
    package var resubmitted: UInt64 = 0
    package init() {}
}
