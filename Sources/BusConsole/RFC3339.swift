import BusIntegrations

/// Times as the admin API writes them: `2026-03-04T10:00:00.250Z`, beside the same time as an integer of Unix milliseconds.
package enum RFC3339 {
    package static func text(_ milliseconds: Int64) -> String {
        let time = max(0, milliseconds)
        let seconds = UnixTime.text(time).dropLast().split(separator: " ").joined(separator: "T")
        let fraction = String(time % 1000 + 1000).dropFirst()
        return "\(seconds).\(fraction)Z"
    }

    static func text(_ milliseconds: Int64?) -> String? { milliseconds.map { text($0) } }
}
