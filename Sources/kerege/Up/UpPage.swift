import BusConsole
import BusTesting
import Foundation
import Synchronization

/// What `kerege up` shows while it runs: the status page, redrawn in place on a terminal, or a page now and then elsewhere.
final class UpPage: Sendable {
    /// Between two pages where there is no terminal to redraw.
    static let plainInterval: Duration = .seconds(10)
    static let liveInterval: Duration = .seconds(1)

    private let address: String
    private let data: String
    private let isTerminal: Bool
    private let note = Mutex("")

    init(mesh: Mesh, isTerminal: Bool) {
        address = mesh.httpAddress
        data = mesh.folder.path
        self.isTerminal = isTerminal
    }

    /// Something the run did by itself, in a line of its own.
    func say(_ text: String) {
        note.withLock { $0 = text }
        if !isTerminal { Output.write(lines: ["» \(text)"]) }
    }

    /// Shows pages until the run is over.
    func show(until end: EndOfRun) async {
        if isTerminal { Output.write("\u{1B}[?1049h\u{1B}[?25l") }
        defer { if isTerminal { Output.write("\u{1B}[?25h\u{1B}[?1049l") } }
        var previous: StatusPage?
        while !end.isOver {
            await sleep(isTerminal ? Self.liveInterval : Self.plainInterval, unless: end)
            if end.isOver { break }
            if let page = fetch() {
                draw(page, previous)
                previous = page
            }
        }
        // The last page stays on the screen.
        if let page = fetch() { Output.write(lines: StatusView(page: page, previous: previous, style: style).lines()) }
    }

    private func fetch() -> StatusPage? {
        (try? AdminClient(address: address, data: data))
            .flatMap { try? $0.get(StatusPage.self, "/v1/status").page }
    }

    private var style: Style { isTerminal ? .standardOutput : .plain }

    private func draw(_ page: StatusPage, _ previous: StatusPage?) {
        let style = style
        var lines = StatusView(page: page, previous: previous, style: style).lines()
        guard isTerminal else {
            Output.write(lines: lines + [""])
            return
        }
        let said = note.withLock { $0 }
        if !said.isEmpty { lines.insert(style.paint(style.fit("» \(said)"), .warning), at: 0) }
        lines.append(style.paint(style.fit("Ctrl-C stops everything"), .quiet))
        let shown = style.height.map { Array(lines.prefix(max(1, $0 - 1))) } ?? lines
        Output.write("\u{1B}[H" + shown.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J")
    }

    private func sleep(_ time: Duration, unless end: EndOfRun) async {
        let clock = ContinuousClock()
        let until = clock.now + time
        while clock.now < until, !end.isOver { try? await Task.sleep(for: .milliseconds(100)) }
    }
}
