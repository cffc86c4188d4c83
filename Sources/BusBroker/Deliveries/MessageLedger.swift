import BusEvidence
import BusProtocol
import DequeModule

/// Every command, outcome and event accepted within the retention, by (sending system, id): what makes a repetition one message.
///
/// An index of the journal, rebuilt from it at start. Ids older than the oldest that is remembered are refused with 4100,
/// because a repetition could not be told from a new message any more.
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
        /// Commands: its provider has said what became of it.
        var isConcluded: Bool { isConcluding || state == .completed || state == .failed }
        /// Commands: deliveries when it left its queue.
        var attempts: UInt16 = 0
        /// Unix microseconds; 0 until it is durable.
        var acceptedAt: Int64 = 0
        let id: MessageID
        let kind: MessageKind

        init(_ kind: MessageKind, _ id: MessageID, fingerprint: UInt64, position: UInt64) {
            self.kind = kind
            self.id = id
            self.fingerprint = fingerprint
            self.position = position
        }
    }

    /// A sender's name and an id in one number. The name is hashed once and kept, so that the usual look-up makes no string.
    struct Key: Hashable, Sendable { let value: UInt128 }

    let limit: Int
    private var rows: [Key: Row] = [:]
    private var order: Deque<Key> = []
    private var salts: [String: UInt128] = [:]
    /// Ids made before this time (Unix milliseconds) are too old to be told apart.
    private(set) var floor: Int64 = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { rows.count }
    var all: [(key: Key, row: Row)] { rows.map { ($0.key, $0.value) } }

    mutating func key(_ system: String, _ id: MessageID) -> Key {
        if let salt = salts[system] { return Key(value: id.value ^ salt) }
        let digest = Array(system.utf8).withUnsafeBytes { LogHash.body($0) }
        let salt = withUnsafeBytes(of: digest) { $0.loadUnaligned(as: UInt128.self) }
        if salts.count < 4096 { salts[system] = salt }
        return Key(value: id.value ^ salt)
    }

    subscript(key: Key) -> Row? { rows[key] }

    mutating func insert(_ row: Row, _ key: Key) {
        if rows.updateValue(row, forKey: key) == nil { order.append(key) }
    }

    /// The batch with it could not be written.
    mutating func withdraw(_ key: Key) {
        rows[key] = nil
        if order.last == key { order.removeLast() } else { order.removeAll { $0 == key } }
    }

    mutating func change(_ key: Key, _ body: (inout Row) -> Void) {
        guard var row = rows[key] else { return }
        body(&row)
        rows[key] = row
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
            floor = max(floor, row.id.unixMilliseconds + 1)
        }
    }
}
