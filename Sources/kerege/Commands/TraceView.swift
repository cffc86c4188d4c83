import BusConsole

/// Draws the way of a message from system to system, with the broker's times.
struct TraceView {
    let page: TracePage
    let style: Style

    func lines() -> [String] {
        guard !page.sole else { return way() }
        return way() + [
            "", style.fit("another message may have this id: more traffic lies around its time than can be read here"),
        ]
    }

    private func way() -> [String] {
        guard let message = page.message else {
            return [style.fit("\(page.id): the journal knows its end, but not the message itself")] + ending()
        }
        let lines = [
            style.paint(style.fit("\(message.kind) \(message.service)"), .strong) + "  "
                + style.paint(page.state, Style.tint(of: page.state)),
            style.fit("message \(page.id), created \(message.created), record \(message.position) of the journal"),
            style.fit("\(message.bodySize) bytes, SHA-256 \(message.bodyDigest)"), "",
        ]
        guard page.history.isEmpty else { return lines + DurableTraceView(page: page, style: style).lines(message) }
        let cut =
            page.complete ? [] : [style.fit("… and its end, if there is one, lies further away than can be read here")]
        return lines + request(message) + ending() + cut
    }

    private func request(_ message: TracePage.Step) -> [String] {
        guard let finished = page.finished else {
            return [
                "  \(message.consumer)", "    │", "    ▼ accepted \(message.created)", "  broker", "    ┆",
                "    ┆ no end is recorded yet", "  \(message.provider)",
            ].map { style.fit($0) }
        }
        let times = finished.times
        let durations = finished.durations
        return way("  \(message.consumer)", nil)
            + way("    │", nil) + way("    ▼  request in", times.requestIn)
            + way("  broker", span(durations.brokerInUs, "checked, committed, queued"))
            + way("    │  request out", times.requestOut) + way("    ▼", nil)
            + way("  \(message.provider)", span(durations.providerUs, "the provider and its network"))
            + way("    │", nil) + way("    ▼  reply in", times.replyIn)
            + way("  broker", span(durations.brokerOutUs, "committed, sent"))
            + way("    │  reply out", times.replyOut) + way("    ▼", nil)
            + way("  \(message.consumer)", span(durations.totalUs, "in all, as the broker saw it"))
    }

    private func ending() -> [String] {
        guard let finished = page.finished else { return [] }
        var lines = [""]
        if finished.outcome.number == 0 {
            lines.append(style.paint("answered", .good))
        } else {
            lines.append(
                style.paint(
                    style.fit("failed: \(finished.outcome.number) \(finished.outcome.name), at \(finished.hop)"), .bad))
        }
        if let integration = finished.integration {
            lines.append(style.fit("integration \(integration), \(finished.stage)"))
        }
        for answer in page.answers {
            lines.append(style.fit("\(answer.kind) \(answer.id), record \(answer.position), \(answer.bodySize) bytes"))
        }
        return lines
    }

    private func way(_ place: String, _ note: String?) -> [String] {
        [style.fit(DisplayWidth.padded(place, to: 26) + (note ?? (place.contains("  re") ? "never" : "")))]
    }

    private func span(_ microseconds: Int64?, _ what: String) -> String? {
        microseconds.map { "\(Spans.text(microseconds: $0))  \(what)" }
    }
}
