/// A span of time in whole milliseconds; written `250ms`, `5s`, `2m`, `3h`, `1d` in files, an integer in snapshots.
package struct Milliseconds: Sendable, Hashable, Comparable, Codable, LosslessStringConvertible {
    package var count: Int64

    /// Ten years: nothing in a space is longer.
    package static let longest = Milliseconds(3_650 * 86_400_000)

    private static let units: [(suffix: String, size: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    package init(_ count: Int64) { self.count = count }

    /// Nil unless it is a positive whole number with a unit, at most `longest`.
    package init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let unit = Self.units.first(where: { $0.suffix == text.dropFirst(digits.count) }),
            let number = Int64(digits), number > 0
        else { return nil }
        let (count, overflow) = number.multipliedReportingOverflow(by: unit.size)
        guard !overflow, count <= Self.longest.count else { return nil }
        self.count = count
    }

    package init(from decoder: any Decoder) throws {
        count = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }

    package var duration: Duration { .milliseconds(count) }

    /// With the largest unit that divides it.
    package var description: String {
        for unit in Self.units where count % unit.size == 0 && count != 0 {
            return "\(count / unit.size)\(unit.suffix)"
        }
        return "0ms"
    }

    package static func < (left: Milliseconds, right: Milliseconds) -> Bool { left.count < right.count }
    package static func seconds(_ count: Int64) -> Milliseconds { Milliseconds(count * 1_000) }
    package static func minutes(_ count: Int64) -> Milliseconds { Milliseconds(count * 60_000) }
    package static func days(_ count: Int64) -> Milliseconds { Milliseconds(count * 86_400_000) }
}
