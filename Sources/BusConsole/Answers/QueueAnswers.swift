import BusBroker
import BusDirectory
import BusJournal
import BusProtocol

/// Queues, dead letters, and a subscriber's cursor.
extension AdminAnswers {
    /// Dead letters on one page unless asked for another number, and at most.
    static let usualLetters = 1_000
    static let mostLetters = 10_000

    // MARK: - Queues

    func queues(system: String?) async throws(AdminError) -> QueuesPage {
        var views = await broker.queues()
        if let system {
            try known(system, or: views)
            views.removeAll { $0.system != system }
        }
        let times = try await unknownTimes(views)
        let items = views.map { view in
            let at = view.oldestAcceptedAt == 0 ? times[view.oldest] : view.oldestAcceptedAt / 1000
            return QueuesPage.Item(
                kind: view.kind, system: view.system, event: view.event.isEmpty ? nil : view.event, depth: view.depth,
                inFlight: view.inFlight, agents: view.agents,
                oldest: view.oldest == 0 ? nil : view.oldest, oldestAt: RFC3339.text(at), oldestAtMs: at,
                dead: view.dead, held: view.held.map(QueuesPage.Held.init))
        }
        return QueuesPage(
            queues: items, depth: items.reduce(0) { $0 + $1.depth }, inFlight: items.reduce(0) { $0 + $1.inFlight },
            dead: items.reduce(0) { $0 + $1.dead })
    }

    private func known(_ system: String, or views: [QueueView]) throws(AdminError) {
        let space = broker.readModel.overview.snapshot.space
        guard space.systems.contains(where: { $0.id == system }) || views.contains(where: { $0.system == system })
        else {
            throw .badRequest(
                "there is no system `\(system.prefix(64))`", why: "neither the space nor a queue has it",
                next: "kerege systems lists them")
        }
    }

    /// Of a long backlog the broker keeps positions only; when the oldest was accepted stands in the journal.
    private func unknownTimes(_ views: [QueueView]) async throws(AdminError) -> [UInt64: Int64] {
        let positions = views.filter { $0.oldest != 0 && $0.oldestAcceptedAt == 0 }.map(\.oldest)
        guard !positions.isEmpty else { return [:] }
        return try await reading { reader throws(JournalError) in
            try reader.messages(at: positions).mapValues { $0.receivedAt / 1000 }
        }
    }

    // MARK: - Dead letters

    /// Which dead letters are asked for.
    struct LetterFilter {
        var id: String?
        var system: String?
        var service: String?
        /// Given up at or after this time, Unix milliseconds.
        var since: Int64?
        var limit: Int

        init(_ parameters: (String) -> String?) throws(AdminError) {
            id = try parameters("id").map { text throws(AdminError) in try AdminAnswers.messageID(text).description }
            system = parameters("system")
            service = parameters("service")
            since = try Self.number("since_ms", parameters).map { Int64($0) }
            limit = try Self.number("limit", parameters) ?? AdminAnswers.usualLetters
            guard (1...AdminAnswers.mostLetters).contains(limit) else {
                throw .badRequest(
                    "`limit` is \(limit)", why: "1 to \(AdminAnswers.mostLetters) letters fit on a page",
                    next: "leave it out for \(AdminAnswers.usualLetters)")
            }
        }

        private static func number(_ name: String, _ parameters: (String) -> String?) throws(AdminError) -> Int? {
            guard let text = parameters(name) else { return nil }
            guard let number = Int(text), number >= 0 else {
                throw .badRequest(
                    "`\(name)` is no number", why: "it is a whole number that is not negative",
                    next: "compare it with Schemas/admin.openapi.yaml")
            }
            return number
        }

        func takes(_ letter: DeadLetter) -> Bool {
            if let id, letter.id.description != id { return false }
            if let system, letter.queue.system != system { return false }
            if let service, letter.target != service { return false }
            return since.map { letter.at / 1000 >= $0 } ?? true
        }
    }

    func deadLetters(_ filter: LetterFilter) async throws(AdminError) -> DeadLettersPage {
        let all = await broker.deadLetters()
        try expectKnown(filter, among: all)
        let letters = all.filter(filter.takes)
        return DeadLettersPage(letters: letters.prefix(filter.limit).map(DeadLetterItem.init), total: letters.count)
    }

    /// A name nobody has finds nothing, which would look like good news. What left the space may still have letters.
    private func expectKnown(_ filter: LetterFilter, among letters: [DeadLetter]) throws(AdminError) {
        let space = broker.readModel.overview.snapshot.space
        if let system = filter.system, !space.systems.contains(where: { $0.id == system }),
            !letters.contains(where: { $0.queue.system == system })
        {
            throw .badRequest(
                "there is no system `\(system.prefix(64))`", why: "neither the space nor a dead letter has it",
                next: "kerege systems lists them")
        }
        if let service = filter.service, !space.services.contains(where: { $0.name == service }),
            !letters.contains(where: { $0.target == service })
        {
            throw .badRequest(
                "there is no service or event `\(service.prefix(128))`",
                why: "neither the space nor a dead letter has it", next: "kerege services lists them")
        }
    }

    // MARK: - Replay

    func replay(_ order: ReplayOrder) async throws(AdminError) -> ReplayPage {
        let wish = try seek(order)
        let space = broker.readModel.overview.snapshot.space
        try expectKnown(order, in: space)
        let isSubscriber = space.integrations.contains {
            $0.consumer == order.system && $0.service == order.event && $0.stage.permitsTraffic
        }
        guard isSubscriber else {
            throw AdminError(
                409, "no-subscription", "`\(order.system.prefix(64))` does not subscribe to \(order.event)",
                why: "no integration in testing or approved gives it this event",
                next: "kerege services lists who subscribes")
        }
        guard let count = await broker.seek(wish) else {
            throw AdminError(
                500, "journal", "the events could not be looked up, or the replay not written down",
                why: "the journal could not be read or written, or the broker is stopping",
                next: "kerege journal verify DIR")
        }
        var page = ReplayPage(event: order.event, system: order.system, count: count)
        if count == 0 { (page.logEnd, page.newestEvent) = try await ends(of: order.event) }
        return page
    }

    private func expectKnown(_ order: ReplayOrder, in space: Space) throws(AdminError) {
        guard let service = space.services.first(where: { $0.name == order.event }), service.kind == .event else {
            throw AdminError(
                400, "no-such-event", "there is no event `\(order.event.prefix(128))`",
                why: space.services.contains { $0.name == order.event }
                    ? "the space has a service of this name, and only events are replayed"
                    : "the space has no event type of this name", next: "kerege services lists them")
        }
        guard space.systems.contains(where: { $0.id == order.system }) else {
            throw .badRequest(
                "there is no system `\(order.system.prefix(64))`", why: "the space has none of this name",
                next: "kerege systems lists them")
        }
    }

    /// Kept bodies that are looked at for the newest event of a type.
    static let newestBodies = 100_000

    /// What a start that lies beyond everything is to be compared with.
    private func ends(of event: String) async throws(AdminError) -> (log: ReplayPage.Place?, event: ReplayPage.Place?) {
        typealias Ends = (log: ReplayPage.Place?, event: ReplayPage.Place?)
        return try await reading { reader throws(JournalError) -> Ends in
            let end = try reader.batchEnds(limit: 1).last
            let commit = try reader.lastCommit()
            let newest = try reader.newestEvent(event, among: Self.newestBodies)
            return (
                end.map { ReplayPage.Place(position: $0.size, microseconds: commit) },
                newest.map { ReplayPage.Place(position: $0.position, microseconds: $0.acceptedAt) }
            )
        }
    }

    private func seek(_ order: ReplayOrder) throws(AdminError) -> Seek {
        let start: Seek.Start? =
            switch order.from {
            case "beginning": .beginning
            case "position": .position
            case "time": .time
            default: nil
            }
        guard let start, start == .beginning || (order.value ?? -1) >= 0 else {
            throw .badRequest(
                "the start of the replay cannot be read",
                why: "`from` is beginning, or position or time with a `value` that is not negative",
                next: #"send {"event": "…", "system": "…", "from": "position", "value": 1}"#)
        }
        return Seek(
            token: 0, start: start, value: UInt64(clamping: order.value ?? 0), system: order.system,
            event: order.event)
    }
}

extension QueuesPage.Held {
    init(_ held: HeldDelivery) {
        self.init(id: held.id.description, service: held.service, agent: held.agent, heldMs: held.heldFor)
    }
}

extension DeadLetterItem {
    init(_ letter: DeadLetter) {
        self.init(
            id: letter.id.description, position: letter.position, kind: letter.queue.kind.word, service: letter.target,
            consumer: letter.consumer, receiver: letter.queue.system,
            reason: TracePage.Outcome(number: letter.code), attempts: letter.attempts, resent: letter.resent,
            acceptedAt: RFC3339.text(letter.acceptedAt / 1000), acceptedAtMs: letter.acceptedAt / 1000,
            diedAt: RFC3339.text(letter.at / 1000), diedAtMs: letter.at / 1000)
    }
}
