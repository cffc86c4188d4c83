import Foundation

/// One line that fills up while something long is made.
final class ProgressLine {
    static let width = 30
    private let isTerminal: Bool
    private var lastPercent = -1
    private var current = ""

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    func show(_ what: String, _ done: Int, _ total: Int) {
        let percent = total > 0 ? min(100, done * 100 / total) : 100
        if what != current {
            current = what
            lastPercent = -1
        }
        guard percent != lastPercent else { return }
        lastPercent = percent
        let label = what.padding(toLength: 24, withPad: " ", startingAt: 0)
        if isTerminal {
            let filled = Self.width * percent / 100
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
            let end = percent == 100 ? "\n" : ""
            FileHandle.standardOutput.write(Data("\r  \(label) \(bar) \(percent) %\(end)".utf8))
        } else if percent == 100 {
            FileHandle.standardOutput.write(Data("  \(label) made\n".utf8))
        }
    }
}
