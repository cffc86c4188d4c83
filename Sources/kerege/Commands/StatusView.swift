import BusConsole

/// The status page as lines of text: the table an operator reads first, then what is wrong.
struct StatusView {
    static let shownFindings = 12
    static let shownChanges = 6

    let page: StatusPage
    /// The page before, for rates.
    var previous: StatusPage?
    let style: Style

    func lines() -> [String] {
        var lines = head()
        lines += [""] + matrix().lines(style)
        lines += section("Findings: where plan and traffic contradict each other", findings())
        lines += section("Systems that do not function", outages())
        lines += section("Latest changes", changes())
        return lines
    }

    private func head() -> [String] {
        let space = page.space
        var lines = [style.paint(style.fit("\(space.title) — space \(space.id), version \(space.version)"), .strong)]
        if space.isDemo {
            lines.append(style.paint(style.fit("DEMONSTRATION: \(space.note ?? "synthetic data")"), .warning))
            lines.append(style.fit("short windows: \(windows)"))
        }
        let broker = page.broker
        lines.append(
            style.fit(
                "\(broker.name) on \(broker.endpoint), up \(Spans.text(milliseconds: page.nowMs - broker.startedAtMs)), "
                    + "\(broker.agents) agents, \(broker.openCalls) open calls, \(broker.treeSize) records"))
        if broker.draining {
            lines.append(style.paint(style.fit("DRAINED: takes no new messages until it is started again"), .bad))
        }
        lines.append(style.fit(traffic))
        lines.append(style.paint(style.fit(durable), page.queues.dead > 0 ? .warning : nil))
        return lines
    }

    private var windows: String {
        let windows = page.windows
        return "ratios over \(Spans.text(milliseconds: windows.windowMs)), non-functional without success for "
            + "\(Spans.text(milliseconds: windows.noSuccessMs)), dormant after \(Spans.text(milliseconds: windows.dormantAfterMs)), "
            + "down after \(windows.missedHeartbeats) heartbeats of \(Spans.text(milliseconds: windows.heartbeatMs))"
    }

    private var traffic: String {
        let counters = page.counters
        var text =
            "requests \(counters.requestsAccepted), failed \(counters.requestsFailed), refused \(counters.refused), events \(counters.eventsAccepted)"
        if let previous, page.nowMs > previous.nowMs, counters.requestsFinished >= previous.counters.requestsFinished {
            let finished = Int64(counters.requestsFinished - previous.counters.requestsFinished)
            text += "; now \(finished * 1000 / (page.nowMs - previous.nowMs)) requests/s"
        }
        return text
    }

    private var durable: String {
        let counters = page.counters
        return "commands \(counters.commandsAccepted), outcomes \(counters.outcomesAccepted), given up "
            + "\(counters.deadLettered); queued \(page.queues.depth), \(page.queues.inFlight) with agents, "
            + "dead letters \(page.queues.dead)"
    }

    /// Declared × observed; columns nobody is in are left out.
    private func matrix() -> Table {
        let observed = page.matrix.observed.filter { state in page.matrix.cells.contains { $0.observed == state } }
        var table = Table(
            [Table.Column("declared \\ observed")] + observed.map { Table.Column($0, isNumber: true) }
                + [Table.Column("all", isNumber: true)])
        for declared in page.matrix.declared {
            let counts = observed.map { page.matrix.count(declared, $0) }
            let all = counts.reduce(0, +)
            guard all > 0 else { continue }
            table.rows.append(
                [Table.Cell(declared)] + zip(observed, counts).map { .count($1, Style.tint(of: $0)) } + [
                    .count(all, .strong)
                ])
        }
        let totals = observed.map { state in page.matrix.cells.filter { $0.observed == state }.map(\.count).reduce(0, +)
        }
        table.rows.append(
            [Table.Cell("all")] + zip(observed, totals).map { .count($1, Style.tint(of: $0)) } + [
                .count(page.matrix.total, .strong)
            ])
        return table
    }

    private func findings() -> [String] {
        var table = Table([.init("finding"), .init("integration"), .init("why")])
        for finding in page.findings.prefix(Self.shownFindings) {
            table.rows.append([
                Table.Cell(finding.code, .warning),
                Table.Cell(finding.integration ?? "\(finding.consumer) → \(finding.service)"),
                Table.Cell(finding.sentence),
            ])
        }
        let hidden = page.findings.count - table.rows.count
        return table.rows.isEmpty
            ? [] : table.lines(style) + (hidden > 0 ? [style.fit("… and \(hidden) more: kerege status --json")] : [])
    }

    private func outages() -> [String] {
        var table = Table([.init("system"), .init("cause"), .init("for"), .init("why")])
        for outage in page.notFunctioning {
            let span = outage.sinceMs.map { Spans.text(milliseconds: page.nowMs - $0) } ?? ""
            table.rows.append([
                Table.Cell(outage.system, .bad), Table.Cell(outage.cause ?? ""), Table.Cell(span),
                Table.Cell(outage.why),
            ])
        }
        return table.rows.isEmpty ? [] : table.lines(style)
    }

    private func changes() -> [String] {
        var table = Table([.init("ago"), .init("what"), .init("from"), .init("to"), .init("why")])
        for change in page.changes.prefix(Self.shownChanges) {
            table.rows.append([
                Table.Cell(Spans.text(milliseconds: page.nowMs - change.atMs)),
                Table.Cell("\(change.subject) \(change.id)"),
                .state(change.from), .state(change.to), Table.Cell(change.why),
            ])
        }
        return table.rows.isEmpty ? [] : table.lines(style)
    }

    private func section(_ title: String, _ lines: [String]) -> [String] {
        lines.isEmpty ? ["", style.fit("\(title): none")] : ["", style.paint(style.fit(title), .strong)] + lines
    }
}
