import Glibc

/// How the standard output looks: a terminal with colours and a width, or a plain stream.
struct Style: Sendable {
    enum Tint: String, Sendable {
        case good = "32", bad = "31", warning = "33", quiet = "2", strong = "1"
    }

    var hasColours: Bool
    /// Columns; nil where lines may have any length.
    var width: Int?
    var height: Int?

    static var plain: Style { Style(hasColours: false, width: nil, height: nil) }

    /// Of the standard output: no colours when it is no terminal, with NO_COLOR, or on a dumb one.
    static var standardOutput: Style {
        guard isatty(STDOUT_FILENO) == 1 else { return .plain }
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let isDumb = getenv("TERM").map { String(cString: $0) } == "dumb"
        let noColour = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        return Style(
            hasColours: !isDumb && !noColour, width: isKnown ? Int(size.ws_col) : nil,
            height: isKnown ? Int(size.ws_row) : nil)
    }

    func paint(_ text: String, _ tint: Tint?) -> String {
        guard hasColours, let tint, !text.isEmpty else { return text }
        return "\u{1B}[\(tint.rawValue)m\(text)\u{1B}[0m"
    }

    /// The text cut to the width, with `…` where something is missing.
    func fit(_ text: String, indent: Int = 0) -> String {
        guard let width else { return text }
        return DisplayWidth.cut(text, to: max(1, width - indent))
    }

    /// Of an observed state, a health or an outcome, by its stable name.
    static func tint(of state: String) -> Tint? {
        switch state {
        case "implemented", "up", "answered", "ok", "settled", "completed", "taken": .good
        case "non-functional", "failed", "bad", "error", "expired", "dead-lettered": .bad
        case "degraded", "warning": .warning
        case "dormant", "silent", "unknown", "planned", "retired", "cancelled", "open": .quiet
        default: nil
        }
    }
}
