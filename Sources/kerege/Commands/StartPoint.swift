import BusAgent
import BusConsole
import Foundation

/// `--from` of `kerege subscribe` and `kerege replay`: beginning, position:N or time:ISO.
enum StartPoint {
    static let help = "beginning, position:N or time:2026-03-04T10:00:00Z"

    static func read(_ text: String) throws(Failure) -> ReplayStart {
        if text == "beginning" { return .beginning }
        if text.hasPrefix("position:"), let position = UInt64(text.dropFirst(9)), position > 0, position <= Int64.max {
            return .position(position)
        }
        if text.hasPrefix("time:"), let time = time(String(text.dropFirst(5))) { return .time(time) }
        throw .wrongUse("`\(text)` is no place to start from", why: "it is \(help)", next: "use --from beginning")
    }

    /// RFC 3339, with or without parts of a second.
    private static func time(_ text: String) -> Int64? {
        let whole = Date.ISO8601FormatStyle()
        let parts = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        guard let date = (try? whole.parse(text)) ?? (try? parts.parse(text)) else { return nil }
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
        return milliseconds >= 0 && milliseconds < 1e15 ? Int64(milliseconds) : nil
    }
}
