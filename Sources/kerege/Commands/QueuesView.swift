import BusConsole
import Foundation

/// Queues that hold something, as a table.
struct QueuesView {
    let page: QueuesPage
    let now: Date
    let style: Style

    func lines() -> [String] {
        let busy = page.queues.filter { $0.depth > 0 || $0.dead > 0 }
        let empty = page.queues.count - busy.count
        let sum = "\(page.depth) messages are owed, \(page.inFlight) of them with agents; \(page.dead) dead letters"
        guard !busy.isEmpty else { return [style.fit("\(sum); \(empty) queues are empty")] }
        var table = Table([
            .init("kind"), .init("receiver"), .init("depth", isNumber: true), .init("in flight", isNumber: true),
            .init("held for", isNumber: true), .init("oldest", isNumber: true), .init("dead", isNumber: true),
            .init("agents", isNumber: true), .init("event"),
        ])
        for queue in busy {
            let isAlone = queue.agents == 0 && queue.depth > 0
            table.rows.append([
                Table.Cell(queue.kind), Table.Cell(queue.system), .count(queue.depth, isAlone ? .warning : nil),
                .count(queue.inFlight), Self.held(queue.held),
                Table.Cell(queue.oldestAtMs.map { Age.text(since: $0, now) } ?? ""),
                .count(queue.dead, .bad), Table.Cell(String(queue.agents), isAlone ? .bad : nil),
                Table.Cell(queue.event ?? ""),
            ])
        }
        return [style.fit(sum + (empty > 0 ? "; \(empty) queues are empty" : "")), ""] + table.lines(style)
    }
}

extension QueuesView {
    /// How long an agent has had the first of what it has.
    private static func held(_ held: QueuesPage.Held?) -> Table.Cell {
        guard let held else { return Table.Cell("") }
        let isStuck = held.heldMs > QueueExamination.longestHeld
        return Table.Cell(Spans.text(milliseconds: held.heldMs), isStuck ? .bad : nil)
    }
}

/// Dead letters, as a table.
struct DeadLettersView {
    let letters: [DeadLetterItem]
    let total: Int
    let now: Date
    let style: Style

    func lines() -> [String] {
        guard !letters.isEmpty else { return ["no dead letters"] }
        var table = Table([
            .init("id"), .init("service"), .init("consumer"), .init("receiver"), .init("reason"),
            .init("attempts", isNumber: true), .init("resent", isNumber: true), .init("dead for", isNumber: true),
            .init("accepted"),
        ])
        for letter in letters {
            table.rows.append([
                Table.Cell(letter.id), Table.Cell(letter.service), Table.Cell(letter.consumer),
                Table.Cell(letter.receiver), Table.Cell("\(letter.reason.number) \(letter.reason.name)", .bad),
                .count(letter.attempts), .count(letter.resent, .warning),
                Table.Cell(Age.text(since: letter.diedAtMs, now)), Table.Cell(letter.acceptedAt),
            ])
        }
        let hidden = total - letters.count
        return table.lines(style)
            + (hidden > 0 ? [style.fit("… and \(hidden) more: kerege queues --dead --system SYSTEM")] : [])
    }
}

/// How long ago something was.
enum Age {
    static func text(since milliseconds: Int64, _ now: Date) -> String {
        Spans.text(milliseconds: Int64(now.timeIntervalSince1970 * 1000) - milliseconds)
    }
}
