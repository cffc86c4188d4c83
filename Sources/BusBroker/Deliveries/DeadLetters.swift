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
    /// While the book is rebuilt: only what its records say is known, and the message is still to be read.
    let isUnread: Bool

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
        isUnread = false
    }

    /// A message that died while only its position was known.
    init(
        unread position: UInt64, in queue: QueueName, code: UInt16, attempts: UInt16, resent: UInt16, at: Int64
    ) {
        self.position = position
        self.queue = queue
        self.code = code
        self.attempts = attempts
        self.resent = resent
        self.at = at
        id = MessageID(value: 0)
        (target, consumer) = ("", "")
        (acceptedAt, priority, orderKey, size) = (0, 0, 0, 0)
        isUnread = true
    }
}

/// Dead letters in the order they died. Beyond the limit the oldest leaves the list; its records stay in the journal.
struct DeadLetters: Sendable {
    static let limit = 100_000

    struct Name: Hashable, Sendable {
        let position: UInt64
        let receiver: String
    }

    /// Places in `order` that may be vacant beyond as many as there are letters.
    private static let vacancies = 64

    private var letters: [Name: (place: UInt64, letter: DeadLetter)] = [:]
    /// In the order they died; a place whose letter was taken stays vacant until half of all are.
    private var order: Deque<(place: UInt64, name: Name)> = []
    private var lastPlace: UInt64 = 0

    var count: Int { letters.count }
    var isEmpty: Bool { letters.isEmpty }
    var all: [DeadLetter] { order.compactMap { holds($0) ? letters[$0.name]?.letter : nil } }

    mutating func add(_ letter: DeadLetter) {
        let name = Name(position: letter.position, receiver: letter.queue.system)
        if let known = letters[name] {
            letters[name] = (known.place, letter)
            return
        }
        lastPlace += 1
        letters[name] = (lastPlace, letter)
        order.append((lastPlace, name))
        while letters.count > Self.limit, let oldest = order.popFirst() {
            if holds(oldest) { letters[oldest.name] = nil }
        }
    }

    func letter(_ position: UInt64, receiver: String) -> DeadLetter? {
        letters[Name(position: position, receiver: receiver)]?.letter
    }

    mutating func take(_ position: UInt64, receiver: String) -> DeadLetter? {
        // Asked at every acknowledgement, and mostly there are none.
        guard !letters.isEmpty, let taken = letters.removeValue(forKey: Name(position: position, receiver: receiver))
        else { return nil }
        if order.count > 2 * letters.count + Self.vacancies { order = order.filter(holds) }
        return taken.letter
    }

    private func holds(_ entry: (place: UInt64, name: Name)) -> Bool { letters[entry.name]?.place == entry.place }
}
