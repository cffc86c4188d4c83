/// Times for people.
enum Spans {
    /// `250ms`, `12s`, `3m 20s`, `5h 1m`, `4d 2h`.
    static func text(milliseconds: Int64) -> String {
        let span = max(0, milliseconds)
        if span < 1000 { return "\(span)ms" }
        let seconds = span / 1000
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return joined(seconds / 60, "m", seconds % 60, "s") }
        if seconds < 86_400 { return joined(seconds / 3600, "h", seconds / 60 % 60, "m") }
        return joined(seconds / 86_400, "d", seconds / 3600 % 24, "h")
    }

    /// `820µs`, `12.4ms`, `1.20s`.
    static func text(microseconds: some BinaryInteger) -> String {
        let time = Int64(microseconds)
        if time < 1000 { return "\(time)µs" }
        if time < 1_000_000 { return fixed(time, unit: 1000, digits: 1) + "ms" }
        return fixed(time, unit: 1_000_000, digits: 2) + "s"
    }

    /// Reads `250ms`, `12s`, `3m`, `5h`, `4d`; a number alone is seconds. Nil for anything else, and for nothing.
    static func duration(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), count > 0, count < 1_000_000 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(count)
        case "s", "": return .seconds(count)
        case "m": return .seconds(count * 60)
        case "h": return .seconds(count * 3600)
        case "d": return .seconds(count * 86_400)
        default: return nil
        }
    }

    /// The same for an option of a command.
    static func duration(_ text: String, of option: String) throws(Failure) -> Duration {
        guard let span = duration(text) else {
            throw .wrongUse(
                "`\(text)` is no time for \(option)", why: "it is a number of 1 or more with ms, s, m, h or d",
                next: "use \(option) 10s")
        }
        return span
    }

    private static func joined(_ large: Int64, _ unit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(unit)" : "\(large)\(unit) \(small)\(smallUnit)"
    }

    private static func fixed(_ value: Int64, unit: Int64, digits: Int) -> String {
        let scale: Int64 = digits == 1 ? 10 : 100
        let rounded = (value * scale + unit / 2) / unit
        let fraction = String(rounded % scale + scale).dropFirst()
        return "\(rounded / scale).\(fraction)"
    }
}
