import BusAgent
import BusConsole
import BusProtocol

/// What came of a replay; when nothing comes again, why, and where the events end.
struct ReplayView {
    let page: ReplayPage
    let start: ReplayStart

    /// What the page says is another's word: it steers no terminal.
    func lines() -> [String] { text.map { $0.plain() } }

    private var text: [String] {
        guard page.count == 0 else { return ["\(page.count) events of \(page.event) come to \(page.system) again"] }
        return ["nothing is replayed: \(reason)"] + ends
    }

    private var reason: String {
        if let end = page.logEnd, isBehind(end) { return "\(given) is beyond the end of the log" }
        guard let newest = page.newestEvent else { return "no event of \(page.event) is kept" }
        return isBehind(newest)
            ? "\(given) is beyond the newest event of \(page.event)"
            : "what is kept of \(page.event) from there on is on its way to \(page.system) already"
    }

    private var ends: [String] {
        let newest = page.newestEvent.map { "the newest event of \(page.event): position \($0.position), \($0.at)" }
        let end = page.logEnd.map { "the log ends at position \($0.position), \($0.at)" }
        return [newest, end].compactMap(\.self)
    }

    private func isBehind(_ place: ReplayPage.Place) -> Bool {
        switch start {
        case .beginning: false
        case .position(let position): position > place.position
        case .time(let time): time > place.atMs
        }
    }

    private var given: String {
        switch start {
        case .beginning: "the beginning"
        case .position(let position): "position \(position)"
        case .time(let time): RFC3339.text(time)
        }
    }
}
