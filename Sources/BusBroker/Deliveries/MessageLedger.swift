import BusEvidence
import BusProtocol
import DequeModule

/// Every command, outcome and event accepted within the retention, by (sending system, id): what makes a repetition one message.
///
/// An index of the journal, rebuilt from it at start. Ids older than the oldest that is remembered are refused with 4100,
/// because a repetition could not be told from a new message any more. Each sender is judged by its own ids: one whose clock is
/// years ahead shuts out nobody but itself.
struct MessageLedger: Sendable {
    struct Row: Sendable {
        /// First eight bytes of the message's leaf hash: tells the same bytes from others.
        let fingerprint: UInt64
        /// In the journal; 0 while the batch with it is being written.
        var position: UInt64
        /// Commands: where it stands, and where its outcome is.
        var state: CommandState = .accepted
        var code: UInt16 = 0
        var outcome: UInt64 = 0
        /// Commands: an outcome of its provider is in a batch that is being written.
        var isConcluding = false
        /// Commands: deliveries when it left its queue.
        var attempts: UInt16 = 0
        /// Unix microseconds; 0 until it is durable.
        var acceptedAt: Int64 = 0
        let kind: MessageKind
        /// Commands: digest of the service, so that only its provider concludes it.
        let target: UInt64

        /// The random half of the id: with the key it tells the sender.
        let idTail: UInt64

        init(_ header: Header, fingerprint: UInt64, position: UInt64) {
            kind = header.kind
            idTail = UInt64(truncatingIfNeeded: header.id.value)
            target = kind == .command ? MessageLedger.digest(header.target) : 0
            self.fingerprint = fingerprint
            self.position = position
        }

        /// A command whose row was forgotten while it was a dead letter.
        init(_ letter: DeadLetter) {
            kind = .command
            idTail = UInt64(truncatingIfNeeded: letter.id.value)
            target = MessageLedger.digest(letter.target)
            // Nothing has these bytes: a repetition by its sender is another message, and refused.
            fingerprint = 0
            position = letter.position
            acceptedAt = letter.acceptedAt
            state = .deadLettered
        }

        /// Its provider has said what became of it, durably.
        var isConcluded: Bool { state == .completed || state == .failed }
    }

    /// A sender's name and an id in one number: the id, with the name's hash over its random half. The name is hashed once and
    /// kept.
    struct Key: Hashable, Sendable {
        let value: UInt128
        /// When the id was made, Unix milliseconds.
        var made: Int64 { Int64(truncatingIfNeeded: value >> 80) }
    }

    let limit: Int
    private var rows: [Key: Row] = [:]
    private var order: Deque<Key> = []
    private var salts: [String: UInt128] = [:]
    /// By sender: ids made before this time (Unix milliseconds) are too old to be told apart.
    private var floors: [UInt64: Int64] = [:]

    init(limit: Int) { self.limit = limit }

    var count: Int { rows.count }
    var all: [(key: Key, row: Row)] { rows.map { ($0.key, $0.value) } }

    mutating func key(_ system: String, _ id: MessageID) -> Key {
        if let salt = salts[system] { return Key(value: id.value ^ salt) }
        let salt = UInt128(Self.digest(system))
        if salts.count < 4096 { salts[system] = salt }
        return Key(value: id.value ^ salt)
    }

    /// Under whose ids a message counts. The broker's own outcomes name no provider, and count under nobody's: forgotten, they
    /// must not make ids of the provider too old that it gave out while it was away.
    static func sender(of header: Header) -> String {
        header.kind == .outcome ? header.provider : header.consumer
    }

    static func digest(_ name: String) -> UInt64 {
        let digest = Array(name.utf8).withUnsafeBytes { LogHash.body($0) }
        return withUnsafeBytes(of: digest) { $0.loadUnaligned(as: UInt64.self) }
    }

    subscript(key: Key) -> Row? { rows[key] }

    /// The row of a key that somebody made of an id he names: ids can be made so that two systems' keys are one.
    func row(_ key: Key, of id: MessageID) -> Row? {
        guard let row = rows[key], row.idTail == UInt64(truncatingIfNeeded: id.value) else { return nil }
        return row
    }

    /// Whether an id that is not known may have been forgotten.
    func isTooOld(_ id: MessageID, _ key: Key) -> Bool {
        id.unixMilliseconds < floors[UInt64(truncatingIfNeeded: key.value ^ id.value)] ?? 0
    }

    mutating func insert(_ row: Row, _ key: Key) {
        if rows.updateValue(row, forKey: key) == nil { order.append(key) }
    }

    /// The message is durable, whether it was announced with `insert` or comes from the journal.
    mutating func becameDurable(_ row: Row, _ key: Key) {
        let known = rows.count
        rows[key, default: row].position = row.position
        rows[key, default: row].acceptedAt = row.acceptedAt
        if rows.count > known { order.append(key) }
    }

    /// The batch with these could not be written. One look at the order serves them all.
    mutating func withdraw(_ keys: Set<Key>) {
        guard !keys.isEmpty else { return }
        for key in keys { rows[key] = nil }
        order.removeAll { keys.contains($0) }
    }

    mutating func change(_ key: Key, _ body: (inout Row) -> Void) {
        guard let index = rows.index(forKey: key) else { return }
        body(&rows.values[index])
    }

    /// Forgets the oldest beyond the limit. What is not final stays, however old it is.
    mutating func trim() {
        var turns = 0
        while order.count > limit, turns < 1024, let key = order.popFirst() {
            turns += 1
            guard let row = rows[key] else { continue }
            if row.position == 0 || (row.kind == .command && !row.state.isFinal) {
                order.append(key)
                continue
            }
            rows[key] = nil
            let salt = UInt64(truncatingIfNeeded: key.value) ^ row.idTail
            floors[salt] = max(floors[salt] ?? 0, key.made + 1)
        }
    }
}
