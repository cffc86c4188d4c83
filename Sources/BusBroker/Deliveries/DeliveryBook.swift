import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol

/// Commands, outcomes and events between acceptance and their end: who is owed what, what was sent before, what was given up.
///
/// A view of the journal. The same steps make it while the broker runs and when it is rebuilt from the records at start.
struct DeliveryBook: Sendable {
    private(set) var queues: [DeliveryQueue] = []
    private var byName: [QueueName: Int] = [:]
    private var bySystem: [String: [Int]] = [:]
    var ledger: MessageLedger
    var keys: KeyIndex
    var dead = DeadLetters()
    private(set) var erasures = Erasures()
    /// By service and event, milliseconds: of the space in force.
    var retentions: [String: Int64] = [:]
    /// Queues in which something changed that may let a message go.
    private var flagged: [Int] = []
    private var isFlagged: [Bool] = []
    /// Queues that have an entry waiting for a time.
    private(set) var timed: Set<Int> = []
    /// Queues whose messages could not be read, and when to try again (monotonic microseconds).
    private var paused: [Int: Int64] = [:]

    init(_ limits: BrokerLimits) {
        ledger = MessageLedger(limit: limits.ledger)
        keys = KeyIndex(limit: limits.keyRecords)
    }

    /// Messages that are owed to somebody.
    var depth: Int { queues.reduce(0) { $0 + $1.depth } }

    /// Of these, with an agent now.
    var inFlight: Int { queues.reduce(0) { $0 + $1.inFlight } }

    func index(_ name: QueueName) -> Int? { byName[name] }
    func queues(of system: String) -> [Int] { bySystem[system] ?? [] }

    mutating func queue(_ name: QueueName) -> Int {
        if let index = byName[name] { return index }
        queues.append(DeliveryQueue(name))
        isFlagged.append(false)
        byName[name] = queues.count - 1
        bySystem[name.system, default: []].append(queues.count - 1)
        return queues.count - 1
    }

    mutating func change<Value>(_ queue: Int, _ body: (inout DeliveryQueue) -> Value) -> Value { body(&queues[queue]) }

    /// A command that is not settled.
    func queued(command position: UInt64) -> QueuedMessage? {
        for queue in queues where queue.name.kind == .commands {
            if let message = queue.messages[position] { return message }
        }
        return nil
    }

    mutating func flag(_ queue: Int) {
        guard !isFlagged[queue] else { return }
        isFlagged[queue] = true
        flagged.append(queue)
    }

    mutating func flagAll(of system: String) {
        for index in bySystem[system] ?? [] where !queues[index].isEmpty { flag(index) }
    }

    mutating func takeFlagged() -> Int? {
        guard let queue = flagged.popLast() else { return nil }
        isFlagged[queue] = false
        return queue
    }

    // MARK: - What the records say

    /// A durable message takes its place in the queues of its receivers.
    ///
    /// - Parameter content: the bytes when they are at hand; from the journal later otherwise.
    mutating func enqueue(
        _ header: Header, position: UInt64, acceptedAt: Int64, fingerprint: UInt64, size: Int,
        content: QueuedMessage.Content, to address: MessageAddress
    ) {
        let key = ledger.key(MessageLedger.sender(of: header), header.id)
        var row = MessageLedger.Row(header, fingerprint: fingerprint, position: position)
        row.acceptedAt = acceptedAt
        ledger.becameDurable(row, key)
        ledger.trim()
        let message = QueuedMessage(
            header, position: position, acceptedAt: acceptedAt, expiry: address.expiry, size: size, content: content)
        for name in address.receivers {
            let queue = queue(name)
            queues[queue].add(message)
            flag(queue)
        }
        if address.receivers.isEmpty { planErasure(position, of: header.target, at: acceptedAt) }
        if header.kind == .outcome { concluded(header, position) }
    }

    // MARK: - Erasing

    /// A message came to its end for one receiver, or never had any. Unix microseconds.
    private mutating func planErasure(_ position: UInt64, of target: String, at time: Int64) {
        guard let retention = retentions[target], !isOwed(position) else { return }
        erasures.plan(position, at: time / 1000 + retention)
    }

    private func isOwed(_ position: UInt64) -> Bool { queues.contains { $0.holds(position) } }

    /// Positions whose retention has passed. What was sought or resent meanwhile is planned anew when it is settled again.
    mutating func takeErasable(at now: Int64, limit: Int, most: Int) -> [UInt64] {
        erasures.take(at: now, limit: limit, most: most).filter { !isOwed($0) }
    }

    mutating func erased(_ position: UInt64) { erasures.forget(position) }

    private mutating func concluded(_ outcome: Header, _ position: UInt64) {
        let command = ledger.key(outcome.consumer, outcome.correlation)
        // Made by the broker itself: it says in the outcome what the state said then. The command may have been resent since.
        let isOwn = outcome.provider.isEmpty
        ledger.change(command) { row in
            if isOwn {
                // The provider's word, or an operator's new attempt, may have come before it.
                guard row.state == .expired || row.state == .deadLettered else { return }
            } else {
                row.state = outcome.outcome == 0 ? .completed : .failed
                row.isConcluding = false
            }
            row.outcome = position
            guard !isOwn else { return }
            row.code = outcome.outcome
        }
        // Its provider had it after all: there is nothing left to resend.
        guard !isOwn, let position = ledger[command]?.position, !Mutant.isOn(.resendPastLedger) else { return }
        _ = dead.take(position, receiver: Names.system(of: outcome.target))
    }

    /// A receiver is done with a message, or it was given up (`code` ≠ 0).
    @discardableResult
    mutating func settle(_ position: UInt64, in queue: Int, code: UInt16, at: Int64) -> QueuedMessage? {
        let message = queues[queue].remove(position)
        flag(queue)
        planErasure(position, of: message?.target ?? queues[queue].name.event, at: at)
        // Sought or resent, it may have been a letter: it is taken now, or it died anew, in the place of now.
        _ = dead.take(position, receiver: queues[queue].name.system)
        guard let message else { return nil }
        if code != 0 { dead.add(DeadLetter(message, in: queues[queue].name, code: code, at: at)) }
        if queues[queue].name.kind == .commands {
            ledger.change(ledger.key(message.consumer, message.id)) { row in
                row.attempts = message.attempt
                guard row.state == .accepted || row.state == .delivering else { return }
                row.code = code
                row.state = code == 0 ? .delivered : (code == FaultCode.expired.number ? .expired : .deadLettered)
            }
        }
        return message
    }

    /// Whether the provider of a command has said what became of it, durably or in the batch being written.
    mutating func isConcluded(_ position: UInt64, in queue: Int) -> Bool {
        guard queues[queue].name.kind == .commands, let message = queues[queue].messages[position],
            let row = ledger[ledger.key(message.consumer, message.id)]
        else { return false }
        return row.isConcluded || row.isConcluding
    }

    mutating func delivering(_ message: QueuedMessage) {
        ledger.change(ledger.key(message.consumer, message.id)) { row in
            if row.state == .accepted { row.state = .delivering }
        }
    }

    mutating func waitsAgain(_ message: QueuedMessage) {
        ledger.change(ledger.key(message.consumer, message.id)) { row in
            if row.state == .delivering { row.state = .accepted }
        }
    }

    /// A subscriber is owed these events again, in the order of their positions.
    mutating func seek(_ positions: [UInt64], in queue: Int) {
        queues[queue].seek(positions)
        keepResends(of: positions, in: queue)
        flag(queue)
    }

    /// Sought is not cured: what dies once more was resent as often as its letter says, and who resends it again is warned by that.
    private mutating func keepResends(of positions: [UInt64], in queue: Int) {
        guard !dead.isEmpty else { return }
        let receiver = queues[queue].name.system
        for position in positions {
            guard let letter = dead.letter(position, receiver: receiver), letter.resent > 0 else { continue }
            queues[queue].setResends(letter.resent, of: position)
        }
    }

    /// A dead letter is on its way again.
    mutating func resend(_ letter: DeadLetter, expiry: Int64) {
        let message = QueuedMessage(letter, expiry: expiry)
        let queue = queue(letter.queue)
        // Its subscriber may have sought it meanwhile: then it is on its way already.
        if queues[queue].holds(letter.position) {
            queues[queue].setResends(message.resent, of: letter.position)
        } else {
            queues[queue].add(message)
        }
        flag(queue)
        guard letter.queue.kind == .commands else { return }
        let key = ledger.key(message.consumer, message.id)
        // Letters outlive the ledger: without a row nobody could conclude what is carried out now.
        if ledger[key] == nil { ledger.insert(MessageLedger.Row(letter), key) }
        ledger.change(key) { row in
            guard row.state == .expired || row.state == .deadLettered else { return }
            row.state = .accepted
            row.code = 0
            row.outcome = 0
        }
    }

    // MARK: - Time

    mutating func retry(_ position: UInt64, in queue: Int, notBefore: Int64) {
        queues[queue].retry(position, notBefore: notBefore)
        timed.insert(queue)
    }

    func isPaused(_ queue: Int) -> Bool { paused[queue] != nil }

    mutating func pause(_ queue: Int, until time: Int64) { paused[queue] = time }

    mutating func wake(at monotonic: Int64) {
        for queue in paused.keys.sorted() where paused[queue] ?? 0 <= monotonic {
            paused[queue] = nil
            flag(queue)
        }
        // In order: what a core does depends on what it was given, never on how a set lies in memory.
        for queue in timed.sorted() {
            if queues[queue].wake(at: monotonic) { flag(queue) }
            if queues[queue].nextTime == nil { timed.remove(queue) }
        }
    }
}
