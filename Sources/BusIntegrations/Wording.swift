/// Figures as they stand in the sentences that an operator reads.
enum Wording {
    /// `25.4 %`, rounded half up; `–` where the whole is zero, for then the share is unknown.
    static func share(_ part: UInt64, of whole: UInt64) -> String {
        guard let tenths = tenthsOfPercent(part, of: whole) else { return "–" }
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// A share in tenths of a percent, rounded half up. Nil where the whole is zero.
    static func tenthsOfPercent(_ part: UInt64, of whole: UInt64) -> UInt64? {
        guard whole > 0 else { return nil }
        return (part * 2000 + whole) / (2 * whole)
    }

    /// `812 ms`, `1.2 ms`, `90 µs`.
    static func latency(_ microseconds: UInt32) -> String {
        switch microseconds {
        case ..<1000: "\(microseconds) µs"
        case ..<100_000: "\(microseconds / 1000).\(microseconds % 1000 / 100) ms"
        default: "\(microseconds / 1000) ms"
        }
    }

    /// The largest two units: `2 d 3 h`, `15 min`, `40 s`, `900 ms`.
    static func span(_ milliseconds: Int64) -> String {
        let units: [(name: String, size: Int64)] = [
            ("d", Thresholds.day), ("h", 60 * Thresholds.minute), ("min", Thresholds.minute), ("s", 1000), ("ms", 1),
        ]
        let span = max(0, milliseconds)
        guard let first = units.firstIndex(where: { span >= $0.size }) else { return "0 ms" }
        let whole = "\(span / units[first].size) \(units[first].name)"
        let rest = span % units[first].size
        guard first + 1 < units.count - 1, rest >= units[first + 1].size else { return whole }
        return "\(whole) \(rest / units[first + 1].size) \(units[first + 1].name)"
    }

    static func plural(_ count: UInt64, _ one: String, _ many: String) -> String {
        "\(count) \(count == 1 ? one : many)"
    }
}
