import Dispatch
import Glibc

/// A page of the terminal that is redrawn in place; on Ctrl-C the terminal is as it was before.
final class LiveScreen {
    private static let enter = "\u{1B}[?1049h\u{1B}[?25l"
    private static let leave = "\u{1B}[?25h\u{1B}[?1049l"
    private let sources: [any DispatchSourceSignal]

    init() {
        let queue = DispatchQueue(label: "kerege.screen")
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                Output.write(Self.leave)
                exit(ExitStatus.fine.rawValue)
            }
            source.resume()
            return source
        }
        Output.write(Self.enter)
    }

    /// Shows the lines from the top; what does not fit below is left out.
    func draw(_ lines: [String], _ style: Style) {
        let shown = style.height.map { Array(lines.prefix(max(1, $0 - 1))) } ?? lines
        Output.write("\u{1B}[H" + shown.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J")
    }
}
