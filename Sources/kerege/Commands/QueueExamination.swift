import BusConsole

/// What `kerege doctor` says of durable messages.
struct QueueExamination {
    /// A queue that nobody serves for a moment is a restart, milliseconds.
    static let patience: Int64 = 60_000
    private static let shown = 5

    let page: QueuesPage
    /// Unix milliseconds by the broker's clock.
    let now: Int64

    var deadLetters: Check {
        let systems = Set(page.queues.filter { $0.dead > 0 }.map(\.system)).sorted()
        guard !systems.isEmpty else { return .good("dead letters", "none") }
        return .bad(
            "dead letters", "\(page.dead), for \(systems.joined(separator: ", "))",
            mend: "kerege queues --dead; kerege trace ID tells why; kerege resend ID when the receiver is mended")
    }

    /// Queues that only grow, because no agent of their system is connected.
    var unserved: Check {
        let alone = page.queues.filter { queue in
            queue.agents == 0 && queue.depth > 0 && queue.oldestAtMs.map { now - $0 >= Self.patience } ?? true
        }
        guard !alone.isEmpty else {
            return .good("queues", "\(page.depth) messages on their way; nobody waits for an agent that is away")
        }
        let words = alone.prefix(Self.shown).map { queue in
            "\(queue.depth) \(queue.event ?? queue.kind) for \(queue.system)"
                + (queue.oldestAtMs.map { " since \(Spans.text(milliseconds: now - $0))" } ?? "")
        }
        let more = alone.count > Self.shown ? ", and \(alone.count - Self.shown) more" : ""
        return .bad(
            "queues", "nobody serves: \(words.joined(separator: ", "))\(more)",
            mend: "kerege-agent --config FILE for \(Set(alone.map(\.system)).sorted().joined(separator: ", "))")
    }
}
