import BusConsole
import BusProtocol

/// What `kerege doctor` says of durable messages.
struct QueueExamination {
    /// A queue that nobody serves for a moment is a restart, milliseconds.
    static let patience: Int64 = 60_000
    /// A delivery that an agent has had for longer, and neither taken nor refused, is stuck, milliseconds: ten minutes. Work that takes
    /// longer is taken at once and concluded later.
    static let longestHeld: Int64 = 600_000
    private static let shown = 5

    let page: QueuesPage
    /// Unix milliseconds by the broker's clock.
    let now: Int64

    var checks: [Check] { [deadLetters, unserved, stuck] }

    var deadLetters: Check {
        let systems = Set(page.queues.filter { $0.dead > 0 }.map(\.system)).sorted()
        guard !systems.isEmpty else { return .good("dead letters", "none") }
        return .bad(
            "dead letters", "\(page.dead), for \(systems.joined(separator: ", "))",
            mend: "kerege queues --dead; kerege trace ID tells why; kerege resend ID when the receiver is mended")
    }

    /// Deliveries that connected agents keep: whatever is behind one of them in its order waits, and no deadline ends it.
    var stuck: Check {
        let found = page.queues.compactMap(\.held).filter { $0.heldMs > Self.longestHeld }.sorted {
            $0.heldMs > $1.heldMs
        }
        guard let oldest = found.first else {
            let span = Spans.text(milliseconds: Self.longestHeld)
            return .good("deliveries", "\(page.inFlight) with agents, none for longer than \(span)")
        }
        let shown = found.prefix(Self.shown)
        let words = shown.map { held in
            "\(held.agent) has had \(held.service) for \(Spans.text(milliseconds: held.heldMs))"
        }
        let more = found.count > Self.shown ? ", and \(found.count - Self.shown) more" : ""
        return .bad(
            "deliveries", "neither taken nor refused: \(words.joined(separator: ", "))\(more)",
            mend:
                "end \(Self.names(shown.map(\.agent)))\(more) and start it again (kerege-agent --config FILE): what it has is "
                + "delivered again; its log and \(ShellText.trace(oldest.id)) tell what it was doing")
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
            mend: "kerege-agent --config FILE for \(Self.names(alone.prefix(Self.shown).map(\.system)))\(more)")
    }

    /// Others have said them, and they stand beside what is copied.
    private static func names(_ names: [String]) -> String {
        Set(names.map { ShellText.word($0.plain()) }).sorted().joined(separator: ", ")
    }
}
