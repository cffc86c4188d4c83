import BusDirectory
import BusJournal
package import BusProtocol

/// Questions about durable messages, and a subscriber's wish to see events again.
extension BrokerCore {
    /// QUERY: where commands stand. Only an agent whose key may speak for the system that sent them is told; it need not take
    /// that system's work.
    mutating func answer(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let query = try frame.reading { raw throws(Fault) in
            var reader = head.fields(of: raw)
            return try StateQuery(&reader)
        }
        guard rights.agents[sessions[slot].agentIndex].systems.contains(query.consumer) else {
            throw Fault(.keyNotForSystem, at: .broker, "this key may not speak for \(query.consumer)")
        }
        guard self[burdenOf: slot, now].answering < limits.answersAtOnce, sessions[slot].unread.hasRoom() else {
            throw Fault(
                .queueFull, at: .broker, "this agent's last \(limits.answersAtOnce) questions are still being answered",
                retryAfterMilliseconds: 100)
        }
        let rows = query.commands.compactMap { stateRow($0, of: query.consumer) }
        let answer = StateAnswer(token: query.token, rows: rows.map(\.row))
        let outcomes = rows.map(\.outcome).filter { $0 != 0 }
        let session = SessionReference(slot: slot, id: sessions[slot].id)
        if outcomes.isEmpty { return finishAnswer(answer, [], to: session) }
        self[burdenOf: slot, now].answering += 1
        load(outcomes, for: .answer(session, key: sessions[slot].key, answer))
    }

    private mutating func stateRow(
        _ command: MessageID, of consumer: String
    ) -> (row: StateAnswer.Row, outcome: UInt64)? {
        let key = book.ledger.key(consumer, command)
        guard let known = book.ledger.row(key, of: command), known.kind == .command, known.position != 0 else {
            return nil
        }
        let message = known.state.isFinal ? nil : book.queued(command: known.position)
        let row = StateAnswer.Row(
            command: command, state: known.state, code: known.code, attempts: message?.attempt ?? known.attempts,
            position: known.position, acceptedAt: known.acceptedAt)
        return (row, known.outcome)
    }

    mutating func finishAnswer(_ answer: StateAnswer, _ found: [LoadedMessage], to session: SessionReference) {
        guard sessions.isLive(session.slot, session.id) else { return }
        var answer = answer
        for item in found {
            guard let header = try? Header(decoding: item.bytes.header), item.hasBody,
                let index = answer.rows.firstIndex(where: { $0.command == header.correlation })
            else { continue }
            answer.rows[index].outcome = item.bytes.body
            if header.sealSuite != 0, sessions[session.slot].version >= 3 {
                answer.rows[index].outcomeHeader = item.bytes.header
            }
        }
        transmit(head(.state, session.slot).frame(answer.encoded()), to: session.slot)
    }

    /// SEEK: the positions are looked up in the journal by the shell, which then calls `sought`.
    mutating func seek(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let wish = try frame.reading { raw throws(Fault) in
            var reader = head.fields(of: raw)
            return try Seek(&reader)
        }
        let name = QueueName.events(wish.event, for: wish.system)
        let code: FaultCode? =
            if !sessions[slot].systems.contains(wish.system) {
                .keyNotForSystem
            } else if rights.event(wish.event) == nil {
                rights.service(wish.event) == nil ? .noSuchService : .wrongKind
            } else if !rights.mayReceive(name) {
                .noIntegration
            } else {
                nil
            }
        let session = SessionReference(slot: slot, id: sessions[slot].id)
        let origin = SeekOrigin.session(session, key: sessions[slot].key, wish.token)
        if let code { return say(.sought(origin, count: 0), failed: code) }
        guard self[burdenOf: slot, now].answering < limits.answersAtOnce else {
            return say(.sought(origin, count: 0), failed: .queueFull)
        }
        self[burdenOf: slot, now].answering += 1
        seek(wish, origin)
    }

    /// Who wants to hear what became of a seek.
    package enum SeekOrigin: Sendable {
        case session(SessionReference, key: String, UInt64)
        /// An operator's order, by a number of the shell's.
        case order(UInt64)
    }

    package mutating func seek(_ wish: Seek, _ origin: SeekOrigin) {
        nextLoad += 1
        seeks[nextLoad] = (wish, origin)
        actions.append(.find(ticket: nextLoad, wish))
    }

    /// The journal told which events there are; nil when it could not be read.
    package mutating func sought(_ ticket: UInt64, _ positions: [UInt64]?, at now: Moment) {
        guard let (wish, origin) = seeks.removeValue(forKey: ticket) else { return }
        if case .session(_, let key, _) = origin { answered(key: key) }
        guard let positions else { return say(.sought(origin, count: 0), failed: .storageFailed) }
        let queue = book.queue(.events(wish.event, for: wish.system))
        // What is on the disk though its commit is not known here yet takes its place with that commit.
        let missing = positions.filter { $0 <= treeSize && !book.queues[queue].holds($0) }
        let owed = Array(missing.prefix(max(0, limits.replay - book.queues[queue].sought)))
        if owed.isEmpty, !missing.isEmpty { return say(.sought(origin, count: 0), failed: .queueFull) }
        book.seek(owed, in: queue)
        var last: Int?
        for start in stride(from: 0, to: owed.count, by: SoughtRecord.most) {
            let part = Array(owed[start..<min(start + SoughtRecord.most, owed.count)])
            let record = SoughtRecord(at: now.wall, receiver: wish.system, event: wish.event, positions: part)
            last = gather(.sought, record.encoded, now, urgent: true)
        }
        say(.sought(origin, count: owed.count), whenDurable: last)
        finishStep(now)
    }

    // MARK: - For operators

    /// Sends dead letters on their way again. `.resent` says which, when that is durable.
    package mutating func resend(
        _ letters: [(position: UInt64, receiver: String)], order: UInt64, at now: Moment
    ) {
        let resent = letters.compactMap { resend($0.position, to: $0.receiver, at: now) }
        // One batch takes them all: the last record stands for the others.
        let last = resent.isEmpty ? nil : gathering.batch.count - 1
        say(.resent(order: order, resent), whenDurable: last)
        finishStep(now)
    }

    /// Sends a dead letter on its way again, with new attempts. Nil when there is none for this receiver, or when its provider's
    /// word is just being written.
    package mutating func resend(_ position: UInt64, to receiver: String, at now: Moment) -> DeadLetter? {
        guard let letter = book.dead.take(position, receiver: receiver) else { return nil }
        if letter.queue.kind == .commands,
            book.ledger[book.ledger.key(letter.consumer, letter.id)]?.isConcluding ?? false
        {
            book.dead.add(letter)
            return nil
        }
        let expiry = expiry(resent: letter, now)
        let record = ResentRecord(position: position, at: now.wall, expiry: expiry, receiver: receiver)
        gather(.resent, record.encoded, now, urgent: true)
        book.resend(letter, expiry: expiry)
        return letter
    }

    /// Its time begins anew.
    private func expiry(resent letter: DeadLetter, _ now: Moment) -> Int64 {
        switch letter.queue.kind {
        case .commands: rights.service(letter.target)?.deadline.map { now.wallMilliseconds + $0.count } ?? .max
        case .outcomes: now.wallMilliseconds + Rights.outcomeExpiry
        case .events: .max
        }
    }

    package var deadLetters: [DeadLetter] { book.dead.all }

    /// Queues that hold something or ever did, for screens. Times in Unix microseconds.
    package func queueViews(at now: Moment) -> [QueueView] {
        var dead: [QueueName: Int] = [:]
        for letter in book.dead.all { dead[letter.queue, default: 0] += 1 }
        return book.queues.map { queue in
            let (oldest, held) = queue.longest
            return QueueView(
                kind: queue.name.kind.word, system: queue.name.system, event: queue.name.event, depth: queue.depth,
                inFlight: queue.inFlight, agents: takers(of: queue.name), oldest: oldest ?? 0,
                oldestAcceptedAt: oldest.flatMap { queue.messages[$0]?.acceptedAt } ?? 0,
                dead: dead[queue.name] ?? 0, held: held.flatMap { delivery($0, now) })
        }
        .sorted { ($0.kind, $0.system, $0.event) < ($1.kind, $1.system, $1.event) }
    }

    private func delivery(_ message: QueuedMessage, _ now: Moment) -> HeldDelivery? {
        guard let session = message.session, sessions.isLive(session.slot, session.id) else { return nil }
        return HeldDelivery(
            id: message.id, service: message.target, agent: sessions[session.slot].agent,
            heldFor: (now.monotonic - message.handedAt) / 1000)
    }

    private func takers(of queue: QueueName) -> Int {
        sessions.indices.count { slot in
            guard sessions[slot].systems.contains(queue.system) else { return false }
            if queue.kind == .events { return sessions[slot].fit(Work(.event, queue.event)) != .none }
            return sessions[slot].takes?.takes(queue.kind.message) ?? true
        }
    }
}

extension QueueName.Kind {
    /// The kind of the messages in such a queue.
    var message: MessageKind {
        switch self {
        case .commands: .command
        case .outcomes: .outcome
        case .events: .event
        }
    }

    package var word: String {
        switch self {
        case .commands: "commands"
        case .outcomes: "outcomes"
        case .events: "events"
        }
    }
}

/// One queue, for operators.
package struct QueueView: Sendable, Equatable {
    /// `commands`, `outcomes` or `events`.
    package var kind: String
    /// Who receives.
    package var system: String
    package var event: String
    package var depth: Int
    package var inFlight: Int
    /// Connected agents that take something of it.
    package var agents: Int
    /// Position of the oldest message that is not settled; 0 when there is none.
    package var oldest: UInt64
    /// When it was accepted, Unix microseconds; 0 when it is not in memory.
    package var oldestAcceptedAt: Int64
    package var dead: Int
    /// Of what agents have of it, the delivery that was handed over first.
    package var held: HeldDelivery?
}

/// A delivery that a live agent has and has not settled. No deadline ends it: only the agent's word or end does.
package struct HeldDelivery: Sendable, Equatable {
    package var id: MessageID
    /// Service or event type.
    package var service: String
    package var agent: String
    /// Milliseconds by the broker's monotonic clock.
    package var heldFor: Int64
}
