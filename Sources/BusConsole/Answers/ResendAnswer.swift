import BusBroker
import BusProtocol

/// Resending dead letters: only what was given up, and twice only when that is said.
extension AdminAnswers {
    func resend(_ order: ResendOrder) async throws(AdminError) -> ResendPage {
        guard (1...Self.mostLetters).contains(order.letters.count) else {
            throw .badRequest(
                "\(order.letters.count) letters are named", why: "one request resends 1 to \(Self.mostLetters)",
                next: "send them in parts")
        }
        var byID: [MessageID: [DeadLetter]] = [:]
        for letter in await broker.deadLetters() { byID[letter.id, default: []].append(letter) }
        var page = ResendPage(resent: [], refused: [])
        var wanted: [DeadLetter] = []
        for named in order.letters {
            let id = try Self.messageID(named.id)
            let givenUp = (byID[id] ?? []).filter { named.position == nil || $0.position == named.position }
            let letters = givenUp.filter { named.receiver == nil || $0.queue.system == named.receiver }
            if letters.isEmpty { page.refused.append(await refusal(id, named, givenUp: givenUp)) }
            if let several = Self.several(named, letters) {
                page.refused.append(several)
                continue
            }
            for letter in letters {
                if letter.resent > 0, order.again != true {
                    page.refused.append(.init(before: letter))
                } else {
                    wanted.append(letter)
                }
            }
        }
        if order.dryRun == true {
            page.resent = wanted.map(DeadLetterItem.init)
            return page
        }
        guard let resent = await broker.resend(wanted.map { (position: $0.position, receiver: $0.queue.system) }) else {
            throw AdminError(
                500, "journal", "the resend could not be written down",
                why: "the journal took no record, or the broker is stopping; the letters may come all the same",
                next: "kerege doctor; then kerege queues --dead")
        }
        page.resent = resent.map(DeadLetterItem.init)
        // Somebody else was faster, or it was named twice.
        let done = Set(resent.map { "\($0.position) \($0.queue.system)" })
        for letter in wanted where !done.contains("\(letter.position) \(letter.queue.system)") {
            page.refused.append(
                .init(
                    id: letter.id.description, receiver: letter.queue.system, code: "on-its-way",
                    why: "it has just been resent by somebody else",
                    next: "kerege trace \(letter.id) --position \(letter.position)"))
        }
        return page
    }

    /// Nobody who names an id of two systems' messages means both.
    private static func several(_ named: ResendOrder.Letter, _ letters: [DeadLetter]) -> ResendPage.Refusal? {
        several(named, Set(letters.map(\.position)))
    }

    private static func several(_ named: ResendOrder.Letter, _ positions: Set<UInt64>) -> ResendPage.Refusal? {
        guard positions.count > 1, let first = positions.min() else { return nil }
        let places = positions.sorted().map(String.init).joined(separator: ", ")
        return ResendPage.Refusal(
            id: named.id, receiver: named.receiver, code: "several-messages",
            why: "\(positions.count) messages have this id: record \(places)",
            next: "name one by its record: kerege resend \(named.id) --position \(first)")
    }

    /// Why there is nothing to resend.
    private func refusal(
        _ id: MessageID, _ named: ResendOrder.Letter, givenUp: [DeadLetter]
    ) async -> ResendPage.Refusal {
        func refused(_ code: String, _ why: String, _ next: String) -> ResendPage.Refusal {
            ResendPage.Refusal(id: id.description, receiver: named.receiver, code: code, why: why, next: next)
        }
        let position = named.position.map { " --position \($0)" } ?? ""
        let trace = "kerege trace \(id)\(position)"
        if let receiver = named.receiver, !givenUp.isEmpty {
            let others = Set(givenUp.map(\.queue.system)).sorted().joined(separator: ", ")
            return refused(
                "not-dead", "it was not given up for \(receiver), but for \(others)", "kerege resend \(id)\(position)")
        }
        let all = await broker.whereabouts(of: id)
        if named.position == nil, let several = Self.several(named, Set(all.map(\.position))) { return several }
        guard let known = all.first(where: { named.position == nil || $0.position == named.position }) else {
            return refused(
                "no-such-message",
                "the broker remembers no command, outcome or event of this id"
                    + (named.position.map { " at record \($0)" } ?? ""), "kerege trace \(id)")
        }
        switch known.state {
        case .completed:
            return refused("completed", "it is completed already; resending could carry it out twice", trace)
        case .failed:
            let name = FaultCode(rawValue: known.code)?.name ?? "unknown"
            return refused(
                "failed", "its provider answered \(known.code) \(name); a new command is needed", trace)
        case .accepted, .delivering, .delivered:
            return refused("on-its-way", "it was not given up; it is \(known.state?.name ?? "")", trace)
        case .expired, .deadLettered:
            return refused("not-dead", "it has left the list of dead letters, which keeps the newest", trace)
        case nil: break
        }
        return known.owed.isEmpty
            ? refused("settled", "every receiver has taken it", trace)
            : refused(
                "on-its-way", "it waits for \(known.owed.map(\.receiver).joined(separator: ", "))", trace)
    }
}

extension ResendPage.Refusal {
    fileprivate init(before letter: DeadLetter) {
        self.init(
            id: letter.id.description, receiver: letter.queue.system, code: "resent-before",
            why: "it was resent \(letter.resent == 1 ? "once" : "\(letter.resent) times") and given up again",
            next: "mend the receiver, then kerege resend \(letter.id) --position \(letter.position) --yes")
    }
}
