import BusProtocol

/// What is owed to one system: its commands, the outcomes of commands it sent, or the events of one type it subscribes to.
package struct QueueName: Hashable, Sendable {
    package enum Kind: UInt8, Sendable { case commands = 1, outcomes, events }
    package var kind: Kind
    /// The receiving system.
    package var system: String
    /// The event type; empty for commands and outcomes.
    package var event: String

    static func commands(of system: String) -> QueueName { QueueName(kind: .commands, system: system, event: "") }
    static func outcomes(for system: String) -> QueueName { QueueName(kind: .outcomes, system: system, event: "") }
    static func events(_ event: String, for system: String) -> QueueName {
        QueueName(kind: .events, system: system, event: event)
    }
}

/// A durable message on its way to one receiver.
struct QueuedMessage: Sendable {
    /// Where its bytes are. They stand in the journal anyway; in memory only while there is room and need.
    enum Content: Sendable {
        case there(MessageBytes)
        case inJournal
        /// Asked for and on its way from the journal.
        case loading
    }

    let position: UInt64
    let id: MessageID
    /// Service or event type.
    let target: String
    /// The system that sent the command or event; of an outcome, the system that gets it.
    let consumer: String
    let priority: UInt8
    /// 0: none. Messages of one key are worked on one after the other.
    let orderKey: UInt128
    /// Unix microseconds.
    let acceptedAt: Int64
    /// Unix milliseconds by the broker's clock; `.max`: never.
    var expiry: Int64
    let size: Int
    var attempt: UInt16 = 0
    /// Times an operator resent it.
    var resent: UInt16 = 0
    var session: SessionReference?
    /// When that session was given it, monotonic microseconds.
    var handedAt: Int64 = 0
    /// Another one of its order key is before it.
    var isBehind = false
    /// It is with nobody, and its turn has come. An entry of a heap may be left from an earlier stay in the queue.
    var mayGo: Bool { session == nil && !isBehind }
    var content: Content
    var isLoading: Bool { if case .loading = content { true } else { false } }

    init(_ header: Header, position: UInt64, acceptedAt: Int64, expiry: Int64, size: Int, content: Content) {
        self.position = position
        id = header.id
        target = header.target
        consumer = header.consumer
        priority = header.priority
        orderKey = header.orderKey ?? 0
        self.acceptedAt = acceptedAt
        self.expiry = expiry
        self.size = size
        self.content = content
    }

    /// A dead letter that is sent again. Its bytes are in the journal.
    init(_ letter: DeadLetter, expiry: Int64) {
        position = letter.position
        id = letter.id
        target = letter.target
        consumer = letter.consumer
        priority = letter.priority
        orderKey = letter.orderKey
        acceptedAt = letter.acceptedAt
        self.expiry = expiry
        size = letter.size
        resent = letter.resent &+ 1
        content = .inJournal
    }
}
