import BusConsole

/// Draws a command, outcome or event: who is to get it, and everything that befell it.
struct DurableTraceView {
    let page: TracePage
    let style: Style

    func lines(_ message: TracePage.Step) -> [String] {
        var drawn = ["  \(sender(message))", "    │", "  broker"].map { style.fit($0) }
        if page.deliveries.isEmpty { drawn.append("    ┆ nobody is to get it") }
        drawn += page.deliveries.map(receiver)
        drawn += ["", style.paint(style.fit("History"), .strong)] + history()
        if !page.complete {
            drawn.append(style.fit("… and more than can be read here: kerege journal verify reads all"))
        }
        return drawn + outcomes()
    }

    /// An outcome names the provider that made it, and the consumer that gets it.
    private func sender(_ message: TracePage.Step) -> String {
        message.kind == "outcome" ? message.provider : message.consumer
    }

    private func receiver(_ receiver: TracePage.Receiver) -> String {
        var words = [receiver.attempts == 1 ? "1 delivery" : "\(receiver.attempts) deliveries"]
        if receiver.resent > 0 { words.append("resent \(receiver.resent == 1 ? "once" : "\(receiver.resent) times")") }
        if let agent = receiver.agent { words.append("with \(agent)") }
        if let reason = receiver.reason { words.append("\(reason.number) \(reason.name)") }
        let state = style.paint(receiver.state, Style.tint(of: receiver.state))
        return style.fit("    ├─▶ \(DisplayWidth.padded(receiver.receiver, to: 20)) ") + state
            + style.fit("  " + words.joined(separator: ", "))
    }

    private func history() -> [String] {
        var table = Table([
            .init("at"), .init("record", isNumber: true), .init("what"), .init("receiver"), .init("agent"),
            .init("attempt", isNumber: true), .init("reason"),
        ])
        for entry in page.history {
            table.rows.append([
                Table.Cell(entry.at), Table.Cell(String(entry.position)),
                Table.Cell(entry.what, entry.what == "given-up" ? .bad : nil), Table.Cell(entry.receiver ?? ""),
                Table.Cell(entry.agent ?? ""), Table.Cell(entry.attempt.map { String($0) } ?? ""),
                Table.Cell(entry.reason.map { "\($0.number) \($0.name)" } ?? ""),
            ])
        }
        return table.lines(style)
    }

    private func outcomes() -> [String] {
        guard !page.answers.isEmpty else { return [] }
        return [""]
            + page.answers.map { answer in
                let maker = answer.provider.isEmpty ? "the broker" : answer.provider
                return style.fit(
                    "\(answer.kind) \(answer.id) of \(maker), record \(answer.position), \(answer.bodySize) bytes")
            }
    }
}
