import BusProtocol
import DequeModule
import HeapModule

/// The durable messages one system is owed, in the order they may be delivered.
///
/// Every message is in exactly one place: `backlog` or `replay` (only its position is known), or `messages`; there it is `ready`, waits
/// behind an earlier one of its order key, waits for a time (`delayed`) or for its bytes, or is with an agent. Only positions are
/// kept of a long backlog, 8 bytes each, so a receiver that is away for long costs nobody memory.
struct DeliveryQueue: Sendable {
    /// Messages of events that are known in full at a time; the others are positions in the backlog.
    static let window = 1024
    /// Bytes of message content kept in memory for each service.
    static let contentBytes = 4 * 1024 * 1024
    /// Messages asked from the journal at a time.
    static let loadAtOnce = 64

    struct History: Equatable, Sendable {
        var attempt: UInt16 = 0
        var resent: UInt16 = 0
        /// Of what was resent: its own expiry counts no more.
        var expiry: Int64?
    }
    private struct Timed: Comparable, Sendable {
        let at: Int64
        let position: UInt64
        static func < (a: Timed, b: Timed) -> Bool { (a.at, a.position) < (b.at, b.position) }
    }

    let name: QueueName
    private(set) var messages: [UInt64: QueuedMessage] = [:]
    private var ready = ReadyMessages()
    private var delayed = Heap<Timed>()
    private var expiring = Heap<Timed>()
    /// Order keys under way: what waits behind the message that is first.
    private var behind: [UInt128: Deque<UInt64>] = [:]
    private(set) var backlog: Deque<UInt64> = []
    /// What the subscriber sought, in order of positions; it comes before and among the backlog.
    private var replay: Deque<UInt64> = []
    /// Of the messages known in full or just being read, those that were sought.
    private var fromReplay: Set<UInt64> = []
    /// Of messages of the backlog that were delivered or resent before.
    private var histories: [UInt64: History] = [:]
    /// Bytes of content in memory, by service.
    private var contents: [String: Int] = [:]
    /// Positions asked from the journal, and those of them that were in the backlog.
    private var loading: Set<UInt64> = []
    private var fromBacklog: Set<UInt64> = []
    private(set) var inFlight = 0

    init(_ name: QueueName) { self.name = name }

    /// Messages that are not settled.
    var depth: Int { messages.count + fromBacklog.count + backlog.count + replay.count }
    /// Of these, what the subscriber sought, and what it is owed by itself.
    var sought: Int { replay.count + fromReplay.count }
    var fresh: Int { depth - sought }
    var isEmpty: Bool { depth == 0 }
    var bytesInMemory: Int { contents.values.reduce(0, +) }
    /// Entries of the heaps, of which some may be left from messages that have gone.
    var entries: Int { ready.count + expiring.count + delayed.count }
    /// Services of which something may be delivered now.
    var readyTargets: [String] { ready.targets }
    /// The oldest position that is not settled, and what an agent has had for the longest time: in one walk, as there may be many.
    var longest: (waiting: UInt64?, held: QueuedMessage?) {
        var oldest = [fromBacklog.min(), backlog.first, replay.first].compactMap { $0 }.min()
        var held: QueuedMessage?
        for (position, message) in messages {
            oldest = min(oldest ?? .max, position)
            guard message.session != nil else { continue }
            if let held, (held.handedAt, held.position) < (message.handedAt, position) { continue }
            held = message
        }
        return (oldest, held)
    }
    var positions: [UInt64] { (Array(messages.keys) + Array(fromBacklog) + backlog + replay).sorted() }
    func holds(_ position: UInt64) -> Bool {
        messages[position] != nil || fromBacklog.contains(position) || backlog.index(ofSorted: position) != nil
            || replay.index(ofSorted: position) != nil
    }

    // MARK: - In

    /// Takes a message that has just become durable, or that recovery found owed.
    mutating func add(_ message: QueuedMessage) {
        // Also behind what is just being read: it is older, and may have the same order key.
        let isBehind = !backlog.isEmpty || !replay.isEmpty || !fromBacklog.isEmpty
        if name.kind == .events, isBehind || messages.count >= Self.window {
            let expiry = message.resent > 0 ? message.expiry : nil
            return keepBack(
                message.position, History(attempt: message.attempt, resent: message.resent, expiry: expiry))
        }
        var message = message
        if case .there = message.content, !hasRoom(for: message) { message.content = .inJournal }
        insert(message)
    }

    private func hasRoom(for message: QueuedMessage) -> Bool {
        contents[message.target, default: 0] + message.size <= Self.contentBytes
    }

    /// Takes positions that a subscriber wants to see again, before and among what it is owed anyway.
    /// - Parameter positions: in ascending order, and none that it is owed.
    mutating func seek(_ positions: [UInt64]) {
        if replay.last ?? 0 < positions.first ?? .max { return replay.append(contentsOf: positions) }
        replay = Deque((Array(replay) + positions).sorted())
    }

    /// Takes a position, and what cannot be read from the journal beside its message.
    mutating func keepBack(_ position: UInt64, _ history: History) {
        if history != History() { histories[position] = history }
        backlog.insert(sorted: position)
    }

    private mutating func insert(_ message: QueuedMessage) {
        var message = message
        if let history = histories.removeValue(forKey: message.position) {
            (message.attempt, message.resent) = (history.attempt, history.resent)
            if let expiry = history.expiry { message.expiry = expiry }
        }
        message.isBehind = message.orderKey != 0 && behind[message.orderKey] != nil && !Mutant.isOn(.keyGivenTwice)
        messages[message.position] = message
        if case .there = message.content { contents[message.target, default: 0] += message.size }
        if message.expiry != .max { expiring.insert(Timed(at: message.expiry, position: message.position)) }
        guard message.orderKey != 0, !Mutant.isOn(.keyGivenTwice) else { return makeReady(message) }
        if behind[message.orderKey] != nil {
            behind[message.orderKey]?.append(message.position)
        } else {
            behind[message.orderKey] = []
            makeReady(message)
        }
    }

    private mutating func makeReady(_ message: QueuedMessage) { ready.insert(message) }

    // MARK: - Out

    /// What may be delivered next and has its bytes here; its place in the order is given up with `deliver`.
    /// - Parameter blocked: services that nobody can take now.
    mutating func next(except blocked: Set<String> = []) -> QueuedMessage? {
        while let first = ready.first(except: blocked) {
            guard let message = messages[first.position], message.mayGo else {
                ready.remove(first: first.position, of: first.target)
                continue
            }
            switch message.content {
            case .there: return message
            case .loading:
                ready.remove(first: first.position, of: first.target)
            case .inJournal: return nil
            }
        }
        return nil
    }

    /// The first message is with an agent now.
    /// - Parameter now: monotonic microseconds.
    mutating func deliver(_ position: UInt64, to session: SessionReference, at now: Int64) {
        if let target = messages[position]?.target { ready.remove(first: position, of: target) }
        messages[position]?.attempt += 1
        messages[position]?.session = session
        messages[position]?.handedAt = now
        inFlight += 1
        // The bytes have left; should they be needed again, the journal has them.
        dropContent(position)
    }

    private mutating func dropContent(_ position: UInt64) {
        guard let message = messages[position], case .there = message.content else { return }
        contents[message.target, default: 0] -= message.size
        messages[position]?.content = .inJournal
    }

    /// Positions whose bytes are needed soon and are to be read from the journal.
    /// - Parameter blocked: services that nobody can take now.
    mutating func wanted(except blocked: Set<String> = []) -> [UInt64] {
        guard loading.isEmpty else { return [] }
        var positions: [UInt64] = []
        var bytes = contents
        while positions.count < Self.loadAtOnce, let first = ready.first(except: blocked) {
            guard let message = messages[first.position], message.mayGo else {
                ready.remove(first: first.position, of: first.target)
                continue
            }
            guard case .inJournal = message.content else { break }
            guard bytes[message.target, default: 0] + message.size <= Self.contentBytes || positions.isEmpty
            else { break }
            ready.remove(first: first.position, of: first.target)
            bytes[message.target, default: 0] += message.size
            messages[first.position]?.content = .loading
            positions.append(first.position)
        }
        // An event's type is its queue's: what nobody can take is not read. Of other positions the journal knows the service.
        while positions.count < Self.loadAtOnce,
            name.kind != .events || messages.count + fromBacklog.count < Self.window,
            blocked.isEmpty || !blocked.contains(name.event), let next = takeOldestPosition()
        {
            positions.append(next)
            fromBacklog.insert(next)
        }
        loading = Set(positions)
        return positions
    }

    private mutating func takeOldestPosition() -> UInt64? {
        guard let sought = replay.first, sought < backlog.first ?? .max else { return backlog.popFirst() }
        replay.removeFirst()
        fromReplay.insert(sought)
        return sought
    }

    /// A message came from the journal, or it is not there any more (`nil`).
    /// - Returns: false when the message is still owed and cannot be delivered, because its body is gone.
    mutating func loaded(_ position: UInt64, _ message: QueuedMessage?) -> Bool {
        guard loading.remove(position) != nil else { return true }
        if fromBacklog.remove(position) != nil {
            guard var message, case .there = message.content else {
                if let message { insert(message) }
                return false
            }
            if !hasRoom(for: message) { message.content = .inJournal }
            insert(message)
            return true
        }
        // It may have ended while it was read.
        guard var known = messages[position], case .loading = known.content else { return true }
        guard let message, case .there(let bytes) = message.content else { return false }
        known.content = message.content
        if Mutant.isOn(.deadLetterWithoutBody), known.resent > 0 {
            known.content = .there(bytes.withoutBody)
        }
        contents[known.target, default: 0] += known.size
        messages[position] = known
        makeReady(known)
        return true
    }

    /// The journal could not be read: the same positions will be asked for again.
    mutating func loadFailed() {
        for position in loading.sorted(by: >) {
            if fromBacklog.remove(position) != nil {
                // Not at the front as it stands: an older one may have been resent meanwhile.
                if fromReplay.remove(position) != nil {
                    replay.insert(sorted: position)
                } else {
                    backlog.insert(sorted: position)
                }
            } else if let message = messages[position] {
                messages[position]?.content = .inJournal
                makeReady(message)
            }
        }
        loading = []
    }

    // MARK: - What becomes of a delivery

    /// It is tried again, not before a time (monotonic microseconds).
    mutating func retry(_ position: UInt64, notBefore: Int64) {
        guard let message = messages[position], message.session != nil else { return }
        if Mutant.isOn(.orderIgnoredOnRedelivery), message.orderKey != 0 { release(message) }
        messages[position]?.session = nil
        inFlight -= 1
        delayed.insert(Timed(at: notBefore, position: position))
    }

    /// What waited long enough may go again.
    mutating func wake(at now: Int64) -> Bool {
        var woken = false
        while let first = delayed.min, first.at <= now {
            delayed.removeMin()
            guard let message = messages[first.position], message.mayGo else { continue }
            makeReady(message)
            woken = true
        }
        return woken
    }

    /// Ends a message here; the next one of its order key may go.
    @discardableResult
    mutating func remove(_ position: UInt64) -> QueuedMessage? {
        defer { dropLeftovers() }
        dropContent(position)
        fromReplay.remove(position)
        guard let message = messages.removeValue(forKey: position) else {
            histories[position] = nil
            if fromBacklog.remove(position) == nil, !backlog.remove(sorted: position) {
                replay.remove(sorted: position)
            }
            return nil
        }
        if message.session != nil { inFlight -= 1 }
        if message.orderKey != 0 { release(message) }
        return message
    }

    /// In place: a copy of a long line for each of its messages would take time by the square of its length.
    private mutating func release(_ message: QueuedMessage) {
        if message.isBehind {
            if let index = behind[message.orderKey]?.firstIndex(of: message.position) {
                behind[message.orderKey]?.remove(at: index)
            }
            return
        }
        guard let next = behind[message.orderKey]?.popFirst(), let message = messages[next] else {
            behind[message.orderKey] = nil
            return
        }
        messages[next]?.isBehind = false
        makeReady(message)
    }

    /// Entries of what has left may be as many as of what is there, and a few more.
    private static let leftovers = 64

    private mutating func dropLeftovers() {
        let most = 2 * messages.count + Self.leftovers
        let messages = messages
        if ready.count > most {
            ready.keep { position in messages[position].map { $0.mayGo && !$0.isLoading } ?? false }
        }
        if expiring.count > most {
            expiring = Heap(expiring.unordered.filter { messages[$0.position]?.expiry == $0.at })
        }
        if delayed.count > most { delayed = Heap(delayed.unordered.filter { messages[$0.position]?.mayGo ?? false }) }
    }

    /// Positions whose expiry (Unix milliseconds) has passed and that are with nobody.
    mutating func expired(at now: Int64) -> [UInt64] {
        var passed: [UInt64] = []
        while let first = expiring.min, first.at <= now {
            expiring.removeMin()
            guard let message = messages[first.position], message.expiry <= now else { continue }
            // With an agent now: what becomes of it decides; should it come back, it has expired.
            if message.session == nil { passed.append(first.position) }
        }
        return passed
    }

    mutating func setAttempt(_ attempt: UInt16, of position: UInt64) {
        if messages[position] != nil {
            messages[position]?.attempt = attempt
        } else if holds(position) {
            histories[position, default: History()].attempt = attempt
        }
    }

    mutating func setResends(_ resent: UInt16, of position: UInt64) {
        if messages[position] != nil {
            messages[position]?.resent = resent
        } else if holds(position) {
            histories[position, default: History()].resent = resent
        }
    }

    /// Times a message was resent of which only the position is known here.
    func resends(of position: UInt64) -> UInt16 { histories[position]?.resent ?? 0 }
    func isExpired(_ position: UInt64, at now: Int64) -> Bool { messages[position].map { $0.expiry <= now } ?? false }
    var nextTime: Int64? { delayed.min?.at }
}
