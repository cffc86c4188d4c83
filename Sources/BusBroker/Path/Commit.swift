import BusEvidence
package import BusJournal
package import BusProtocol

/// Records that will be committed together, and what is to happen once they are.
struct Gathering: Sendable {
    enum Effect: Sendable {
        case deliver(CallReference)
        case finish(CallReference)
        // Beside what most effects need these are large, and every step moves effects.
        indirect case enqueue(DurableMessage)
        indirect case keep(RecordName, Header)
        indirect case say(RecordAnswer)
    }
    /// An agent whose messages are in this batch, and how far it will be decided with it.
    struct Touched: Sendable {
        var session: SessionReference
        var received: UInt64 = 0
        var receivedBytes: UInt64 = 0
    }

    var batch = JournalBatch()
    var effects: [(index: Int, effect: Effect)] = []
    var touched: [Touched] = []
    /// Somebody waits for it. Ends of requests alone can wait for the next batch.
    var isUrgent = false
    /// Monotonic time of the first record that can wait; 0 while there is none.
    var lazySince: Int64 = 0

    var isEmpty: Bool { batch.isEmpty && touched.isEmpty }

    /// Repetitions of messages of this batch, decided with a later one: they fail should this one.
    private(set) var repetitions: [(key: MessageLedger.Key, session: SessionReference, sequence: UInt64)] = []

    mutating func noteRepetition(of key: MessageLedger.Key, _ session: SessionReference, _ sequence: UInt64) {
        repetitions.append((key, session, sequence))
    }

    /// Effects and agents for which room is made beforehand; what comes beyond grows step by step.
    static let mostRoom = 1024
}

extension Gathering {
    /// With room for as much as the last one had: what gathers next is mostly as much, and growing moves all of it each time.
    init(after last: Gathering) {
        self.init()
        if !last.effects.isEmpty { effects.reserveCapacity(min(last.effects.count, Self.mostRoom)) }
        if !last.touched.isEmpty { touched.reserveCapacity(min(last.touched.count, Self.mostRoom)) }
    }
}

/// A batch that is on the disk, and what is now to be done.
package struct DurableBatch: Sendable {
    let firstPosition: UInt64
    let effects: [(index: Int, effect: Gathering.Effect)]
    let touched: [Gathering.Touched]
}

/// Step 3: nothing is delivered or acknowledged before it is durable. While one batch is written, the next one gathers.
extension BrokerCore {
    /// The next batch, when there is one worth a commit and none is under way.
    package mutating func takeBatch(at now: Moment) -> JournalBatch? {
        guard committing == nil else { return nil }
        if gathering.batch.isEmpty {
            decideTouched(gathering.touched)
            gathering.touched = []
            gathering.isUrgent = false
            finishStep(now)
            return nil
        }
        guard now.monotonic >= commitNotBefore else { return nil }
        let lazyIsDue = gathering.lazySince > 0 && now.monotonic - gathering.lazySince >= limits.finishDelay
        guard gathering.isUrgent || lazyIsDue || isDraining else { return nil }
        for index in gathering.touched.indices {
            let slot = gathering.touched[index].session.slot
            guard sessions.isLive(slot, gathering.touched[index].session.id) else { continue }
            gathering.touched[index].received = sessions[slot].received
            gathering.touched[index].receivedBytes = sessions[slot].receivedBytes
            sessions[slot].isTouched = false
        }
        let batch = gathering.batch
        committing = gathering
        gathering = Gathering(after: gathering)
        if Mutant.isOn(.acceptBeforeCommit) { decide(committing?.touched ?? []) }
        return batch
    }

    /// The batch is on the disk: now its messages may be acknowledged and go their way.
    package mutating func committed(_ result: Committed, at now: Moment) {
        if let done = durable(result) { carryOut(done, at: now) }
    }

    /// The first half of it: the next batch may be taken, to be written while this one is carried out.
    package mutating func durable(_ result: Committed) -> DurableBatch? {
        guard let done = committing.take() else { return nil }
        counters.commits += 1
        counters.records += UInt64(done.batch.count)
        treeSize = result.treeSize
        treeRoot = result.root.bytes
        receipts.note(treeSize, treeRoot)
        return DurableBatch(firstPosition: result.firstPosition, effects: done.effects, touched: done.touched)
    }

    /// The second half: what had to wait for the disk.
    package mutating func carryOut(_ done: DurableBatch, at now: Moment) {
        for (index, effect) in done.effects {
            let position = done.firstPosition + UInt64(index)
            switch effect {
            case .deliver(let call): deliver(call, position: position, now)
            case .finish(let call): finish(call, position: position, now)
            case .enqueue(let message): enqueue(message, position: position, now)
            case .keep(let name, let header): book.keys.insert(name, header, at: position)
            case .say(let answer): say(answer)
            }
        }
        decide(done.touched)
        finishStep(now)
    }

    /// The batch could not be written. None of its messages happened: every sender is told, and may send again. What the
    /// broker itself did (ends of requests, spaces, who came and went) did happen and goes into the next batch.
    package mutating func commitFailed(_ fault: Fault, at now: Moment) {
        guard let failed = committing else { return }
        committing = nil
        commitNotBefore = now.monotonic + limits.commitRetry
        withdraw(failed.effects.map(\.effect))
        for (_, effect) in failed.effects {
            switch effect {
            case .deliver(let call): withdraw(call, fault.code, failed.touched, now)
            case .finish(let call): fail(call, fault.code, at: .broker, now)
            case .enqueue, .keep: break
            case .say(let answer): say(answer, failed: fault.code)
            }
        }
        for case (_, .enqueue(let message)) in failed.effects where message.isOwn { sayAgain(message) }
        for item in failed.touched where sessions.isLive(item.session.slot, item.session.id) {
            refuseAll(item, fault.code)
        }
        for item in failed.repetitions where sessions.isLive(item.session.slot, item.session.id) {
            // A rival of an outcome has a row already.
            sessions[item.session.slot].refused.removeAll { $0.sequence == item.sequence }
            sessions[item.session.slot].refused.append(
                Acceptance.Refused(sequence: item.sequence, code: fault.code.number, retryAfterMilliseconds: 1000))
            sessions[item.session.slot].refused.sort { $0.sequence < $1.sequence }
        }
        takeBack(failed, now)
        decide(failed.touched)
        notice(.error, "the journal refused a batch", ["why": fault.detail, "records": "\(failed.batch.count)"])
        finishStep(now)
    }

    /// A request whose acceptance failed. The refused row of ACCEPT is its answer, unless somebody else waits for it by now.
    private mutating func withdraw(
        _ call: CallReference, _ code: FaultCode, _ touched: [Gathering.Touched], _ now: Moment
    ) {
        guard calls.isOpen(call) else { return }
        if calls[call].isRepeated || !touched.contains(where: { $0.session == calls[call].consumer }) {
            return fail(call, code, at: .broker, now)
        }
        counters.requestsFailed += 1
        calls.remove(call)
    }

    /// Commands, outcomes and events that are not durable never came.
    private mutating func withdraw(_ effects: [Gathering.Effect]) {
        var keys: Set<MessageLedger.Key> = []
        for case .enqueue(let message) in effects {
            keys.insert(message.key)
            guard message.decoded.kind == .outcome, !message.isOwn else { continue }
            let command = book.ledger.key(message.decoded.consumer, message.decoded.correlation)
            book.ledger.change(command) { $0.isConcluding = false }
        }
        book.ledger.withdraw(keys)
    }

    /// What the broker said itself it says again, unless the provider has spoken meanwhile: then that is the outcome.
    private mutating func sayAgain(_ message: DurableMessage) {
        let command = book.ledger.key(message.decoded.consumer, message.decoded.correlation)
        guard let row = book.ledger[command], !row.isConcluded, !row.isConcluding else { return }
        gatherOwn(message)
    }

    private mutating func refuseAll(_ item: Gathering.Touched, _ code: FaultCode) {
        let slot = item.session.slot
        let first = sessions[slot].decided + 1
        guard item.received >= first else { return }
        let known = Set(sessions[slot].refused.map(\.sequence))
        for sequence in first...item.received where !known.contains(sequence) {
            sessions[slot].refused.append(
                Acceptance.Refused(sequence: sequence, code: code.number, retryAfterMilliseconds: 1000))
        }
        sessions[slot].refused.sort { $0.sequence < $1.sequence }
    }

    /// Puts the records of a failed batch that are not messages before those that gather now. While the disk stays full
    /// the oldest are given up; a space never is.
    private mutating func takeBack(_ failed: Gathering, _ now: Moment) {
        var kept: [JournalBatch.Entry] = []
        var surplus = -limits.gatheredRecords / 2
        for entry in failed.batch.entries { if case .message = entry {} else { surplus += 1 } }
        for entry in failed.batch.entries {
            switch entry {
            case .message: continue
            case .record(.space, _):
                kept.append(entry)
                gathering.isUrgent = true
            case .record, .finished:
                surplus -= 1
                if surplus < 0 { kept.append(entry) }
            }
        }
        guard !kept.isEmpty else { return }
        var batch = JournalBatch()
        for entry in kept { batch.append(entry) }
        for entry in gathering.batch.entries { batch.append(entry) }
        gathering.batch = batch
        for index in gathering.effects.indices { gathering.effects[index].index += kept.count }
        gathering.lazySince = now.monotonic
    }

    /// Whatever gathered is worth a commit now.
    package mutating func hurry() { gathering.isUrgent = true }

    mutating func gather(_ message: consuming JournalBatch.Message, then effect: Gathering.Effect) {
        let index = gathering.batch.append(.message(message))
        gathering.effects.append((index, effect))
        gathering.isUrgent = true
    }

    /// A record that should be written soon, though nobody waits for it.
    /// - Returns: its index in the batch.
    @discardableResult
    mutating func gather(_ type: RecordType, _ payload: [UInt8], _ now: Moment, urgent: Bool = false) -> Int {
        let index = gathering.batch.append(.record(type, payload))
        if urgent { gathering.isUrgent = true }
        if gathering.lazySince == 0 { gathering.lazySince = now.monotonic }
        return index
    }

    /// Notes that the gathering batch decides messages of this agent.
    mutating func touch(_ slot: Int) {
        guard !sessions[slot].isTouched else { return }
        sessions[slot].isTouched = true
        noteTouched(slot)
    }

    mutating func noteTouched(_ slot: Int) {
        gathering.touched.append(.init(session: SessionReference(slot: slot, id: sessions[slot].id)))
    }

    private mutating func decideTouched(_ touched: [Gathering.Touched]) {
        guard !touched.isEmpty else { return }
        var now = touched
        for index in now.indices where sessions.isLive(now[index].session.slot, now[index].session.id) {
            let slot = now[index].session.slot
            now[index].received = sessions[slot].received
            now[index].receivedBytes = sessions[slot].receivedBytes
            sessions[slot].isTouched = false
        }
        decide(now)
    }

    private mutating func decide(_ touched: [Gathering.Touched]) {
        for item in touched where sessions.isLive(item.session.slot, item.session.id) {
            let slot = item.session.slot
            sessions[slot].decided = max(sessions[slot].decided, item.received)
            sessions[slot].decidedBytes = max(sessions[slot].decidedBytes, item.receivedBytes)
            markDirty(slot)
        }
    }
}
