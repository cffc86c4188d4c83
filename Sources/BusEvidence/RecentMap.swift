/// A map of bounded size that forgets the oldest half when it is full: two tables, of which the elder is dropped.
struct RecentMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let half: Int
    private var younger: [Key: Value] = [:]
    private var elder: [Key: Value] = [:]
    /// What was used last is mostly used next. Every `put` ends that: the two tables may change places by it.
    private var last: (key: Key, value: Value)?

    /// - Parameter limit: most entries it holds, at least 2.
    init(limit: Int) { half = max(1, limit / 2) }

    var count: Int { younger.count + elder.count }

    subscript(key: Key) -> Value? { younger[key] ?? elder[key] }

    /// The value, which from now on is forgotten later.
    mutating func use(_ key: Key) -> Value? {
        if let last, last.key == key { return last.value }
        if let value = younger[key] {
            last = (key, value)
            return value
        }
        guard let value = elder[key] else { return nil }
        put(value, for: key)
        last = (key, value)
        return value
    }

    mutating func put(_ value: Value, for key: Key) {
        last = nil
        if younger.count >= half, younger[key] == nil {
            elder = younger
            younger = [:]
        }
        younger[key] = value
        elder[key] = nil
    }
}
