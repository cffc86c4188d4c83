import BusEvidence
package import BusProtocol

/// The provider's answer to a request.
public struct Answer: Sendable {
    /// The answer's body, as the provider's agent sent it.
    public let body: [UInt8]
    package let requestID: MessageID
    package let annotations: Annotations

    /// The request's id: what `kerege trace` takes.
    public var id: String { requestID.description }
    /// Position of the request in the broker's journal, from 1.
    public var position: UInt64 { annotations.position }
    /// When the request reached the broker, left for the provider, and when the reply came; Unix microseconds, 0 unknown.
    public var hops: (requestIn: Int64, requestOut: Int64, replyIn: Int64) {
        (annotations.requestIn, annotations.requestOut, annotations.replyIn)
    }
}

/// A published event or a command is durable: the broker's log had `treeSize` records and this root when it was. So the broker says;
/// `Agent.prove` has it prove that.
public struct Receipt: Sendable {
    package let messageID: MessageID
    package let log: LogReceipt
    /// What was sent.
    package let message: SentBytes

    public var id: String { messageID.description }
    public var treeSize: UInt64 { log.treeSize }
    /// Root of the broker's Merkle log, 32 bytes.
    public var root: [UInt8] { log.root }
}

/// A request for a service of this agent.
public struct Inquiry: Sendable {
    public let service: String
    public let body: [UInt8]
    package let delivery: Delivery
    let contract: BoundContract?

    public var id: String { delivery.envelope.header.id.description }
    /// The system that asks.
    public var consumer: String { header?.consumer ?? "" }
    /// Why it asks, as it declared; empty when it did not.
    public var purpose: String { header?.purpose ?? "" }
    /// A pseudonym of the person on whose behalf it asks; may be empty.
    public var user: String { header?.user ?? "" }
    /// Time the consumer gave for the answer, counted from its arrival here.
    public var timeLeft: Duration { .milliseconds(delivery.envelope.header.remaining) }
    /// Monotonic end of that time, microseconds.
    package var deadline: UInt64 { delivery.arrived + UInt64(delivery.envelope.header.remaining) * 1000 }

    /// All fields. Decoded only when asked for, since most handlers need none of them.
    package var header: Header? { delivery.header }

    /// Checks the body against the service's contract.
    package func check() throws(BusFault) {
        try contract?.checkRequest(body, at: .providerAgent)
    }
}

/// An event of a subscription.
public struct BusEvent: Sendable {
    public let event: String
    public let body: [UInt8]
    package let delivery: Delivery

    /// The event's id: the same for every delivery of it.
    public var id: String { delivery.envelope.header.id.description }
    package var messageID: MessageID { delivery.envelope.header.id }
    /// 1 for the first delivery.
    public var attempt: Int { Int(delivery.annotations.attempt) }
    /// Position in the broker's journal.
    public var position: UInt64 { delivery.annotations.position }
    package var header: Header? { delivery.header }
}

extension Delivery {
    /// All fields of the header; `nil` only for bytes that were no header, which are never delivered.
    package var header: Header? {
        frame.withUnsafeBytes { try? Header(decoding: $0, in: envelope.header.range) }
    }

    /// As its sender meant it.
    var body: [UInt8] { opened ?? Array(frame[envelope.body]) }

    /// What a reply is bound to.
    var digest: Digest32 {
        leaf ?? frame.withUnsafeBytes { LogHash.messageLeaf(envelope, in: $0) }
    }

    /// Whether the message is for this service or event.
    func isFor(_ name: [UInt8]) -> Bool {
        frame.withUnsafeBytes { $0.part(envelope.header.target).isSame(as: name) }
    }
}
