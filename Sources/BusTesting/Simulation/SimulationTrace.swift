/// What happened, as one number and, when it is wanted, line by line.
struct SimulationTrace {
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var lines: [String] = []
    let isKept: Bool

    init(isKept: Bool) { self.isKept = isKept }

    mutating func note(_ step: Int, _ now: Int64, _ kind: UInt64, _ values: [UInt64], _ line: @autoclosure () -> String)
    {
        mix(UInt64(step))
        mix(UInt64(now))
        mix(kind)
        for value in values { mix(value) }
        if isKept { lines.append("\(step) \(Double(now) / 1_000_000) \(line())") }
    }

    private mutating func mix(_ value: UInt64) {
        hash = (hash ^ value) &* 0x100_0000_01b3
        hash ^= hash >> 29
    }

    /// A frame's bytes in one number.
    static func number(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { raw in
            var hash = UInt64(raw.count)
            var at = 0
            while at + 8 <= raw.count {
                hash = (hash ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
                hash ^= hash >> 32
                at += 8
            }
            while at < raw.count {
                hash = (hash ^ UInt64(raw[at])) &* 0x100_0000_01b3
                at += 1
            }
            return hash
        }
    }
}
