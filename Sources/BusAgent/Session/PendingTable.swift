import BusEvidence
import BusProtocol

/// Every submission that has not ended, in arrays with a free list: no allocation per message.
struct PendingTable: Sendable {
    enum Stage: Sendable { case waiting, sent, accepted }

    /// What is asked of a row for every message. It stands apart from the submission: to look at that counts references to its bytes.
    struct Slot: Sendable {
        /// Order of submission over all sessions; 0: the row is free.
        var serial: UInt64
        let deadline: UInt64
        let ticket: UInt64
        let kind: MessageKind
        var stage: Stage
    }

    /// Names a row; a reference to a row that has ended finds nothing.
    struct Reference: Sendable {
        let index: Int
        let serial: UInt64
    }

    private(set) var slots: [Slot] = []
    private var submissions: [Submission?] = []
    /// What was signed of each, once it was.
    private var signed: [Digest32?] = []
    private var free: [Int] = []
    private var nextSerial: UInt64 = 0
    private(set) var count = 0

    mutating func insert(_ submission: Submission) -> Reference {
        nextSerial += 1
        let slot = Slot(
            serial: nextSerial, deadline: submission.deadline, ticket: submission.ticket, kind: submission.kind,
            stage: .waiting)
        count += 1
        if let index = free.popLast() {
            slots[index] = slot
            submissions[index] = submission
            signed[index] = nil
            return Reference(index: index, serial: nextSerial)
        }
        slots.append(slot)
        submissions.append(submission)
        signed.append(nil)
        return Reference(index: slots.count - 1, serial: nextSerial)
    }

    func lives(_ reference: Reference) -> Bool { slots[reference.index].serial == reference.serial }

    subscript(_ reference: Reference) -> Submission? { lives(reference) ? submissions[reference.index] : nil }

    func kind(of reference: Reference) -> MessageKind? { lives(reference) ? slots[reference.index].kind : nil }

    /// Whether it was sent to this service.
    func goes(_ reference: Reference, to service: UnsafeRawBufferPointer) -> Bool {
        guard lives(reference) else { return false }
        return submissions[reference.index]?.isFor(service) ?? false
    }

    mutating func setStage(_ stage: Stage, of reference: Reference) {
        if lives(reference) { slots[reference.index].stage = stage }
    }

    /// What nobody may do: the same message under another id. There for the mutant that proves it would be seen.
    mutating func rename(_ reference: Reference) {
        guard lives(reference), var submission = submissions[reference.index] else { return }
        submission.id = MessageID(value: submission.id.value ^ 1)
        let id = withUnsafeBytes(of: submission.id.value.bigEndian) { Array($0) }
        submission.header.replaceSubrange(8..<24, with: id)
        submissions[reference.index] = submission
    }

    func stage(of reference: Reference) -> Stage? { lives(reference) ? slots[reference.index].stage : nil }

    /// It leaves now: whatever is said of it later, the broker may have it.
    mutating func leaves(_ reference: Reference) {
        guard lives(reference) else { return }
        slots[reference.index].stage = .sent
        submissions[reference.index]?.mayBeKnown = true
    }

    mutating func setLeaf(_ leaf: Digest32, of reference: Reference) {
        if lives(reference) { signed[reference.index] = leaf }
    }

    func leaf(of reference: Reference) -> Digest32? { lives(reference) ? signed[reference.index] : nil }

    /// The credit of the answered delivery has been given back; it must not be given twice.
    mutating func clearMark(of reference: Reference) {
        if lives(reference) { submissions[reference.index]?.answers = nil }
    }

    /// Ends a row; `nil` when it had ended before. The one place where a submission leaves the table.
    mutating func remove(_ reference: Reference) -> (submission: Submission, stage: Stage)? {
        guard lives(reference), let submission = submissions[reference.index].take() else { return nil }
        slots[reference.index].serial = 0
        free.append(reference.index)
        count -= 1
        return (submission, slots[reference.index].stage)
    }

    /// References to the rows a condition holds for, in order of submission.
    func references(where condition: (Slot) -> Bool) -> [Reference] {
        var found: [Reference] = []
        for index in slots.indices {
            let slot = slots[index]
            if slot.serial != 0, condition(slot) { found.append(Reference(index: index, serial: slot.serial)) }
        }
        return found.sorted { $0.serial < $1.serial }
    }
}
