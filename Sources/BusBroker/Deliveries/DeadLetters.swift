package import BusProtocol
import DequeModule

/// A message that was given up for one receiver, or that expired: kept with its reason until an operator resends it.
package struct DeadLetter: Sendable, Equatable {
    package let position: UInt64
    package let queue: QueueName
    package let id: MessageID
    /// Service or event type.
    package let target: String
    package let consumer: String
    /// Number of the catalogue.
    package let code: UInt16
    package let attempts: UInt16
    /// Times it had been resent before.
    package let resent: UInt16
    /// Unix microseconds.
    package let acceptedAt: Int64
    package let at: Int64
    let priority: UInt8
    let orderKey: UInt128
    let size: Int

    init(_ message: QueuedMessage, in queue: QueueName, code: UInt16, at: Int64) {
        position = message.position
        self.queue = queue
        id = message.id
        target = message.target
        consumer = message.consumer
        self.code = code
        attempts = message.attempt
        resent = message.resent
        acceptedAt = message.acceptedAt
        self.at = at
        priority = message.priority
        orderKey = message.orderKey
        size = message.size
    }
}

/// Dead letters in the order they died. Beyond the limit the oldest leaves the list; its records stay in the journal.
struct DeadLetters: Sendable {
    static let limit = 100_000

    struct Name: Hashable, Sendable {
        let position: UInt64
        let receiver: String
    }

    private var letters: [Name: DeadLetter] = [:]
    private var order: Deque<Name> = []

    var count: Int { letters.count }
    var all: [DeadLetter] { order.compactMap { letters[$0] } }

    mutating func add(_ letter: DeadLetter) {
        let name = Name(position: letter.position, receiver: letter.queue.system)
        if letters.updateValue(letter, forKey: name) == nil { order.append(name) }
        while order.count > Self.limit, let oldest = order.popFirst() { letters[oldest] = nil }
    }

    mutating func take(_ position: UInt64, receiver: String) -> DeadLetter? {
        let name = Name(position: position, receiver: receiver)
        guard let letter = letters.removeValue(forKey: name) else { return nil }
        order.removeAll { $0 == name }
        return letter
    }
}
