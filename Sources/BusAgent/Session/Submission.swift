import BusEvidence
package import BusProtocol

/// A message an agent wants to send: bytes that never change, so that repeating them is safe.
package struct Submission: Sendable {
    package var kind: MessageKind
    package var id: MessageID
    /// Encoded header.
    package var header: [UInt8]
    package var body: [UInt8]
    /// Monotonic time after which the sender no longer wants it, microseconds.
    package var deadline: UInt64
    /// The caller's mark; it comes back exactly once, in `AgentAction.completed`. `noTicket`: nobody waits.
    package var ticket: UInt64
    /// Replies: the delivery this answers. Its credit is given back when the reply leaves.
    package var answers: DeliveryMark?

    /// The broker may have it already: from an earlier session, or an earlier process.
    package var mayBeKnown = false

    /// Where the target stands in `header`, as its `HeaderTemplate` says; `nil`: it is looked up there.
    var target: Range<Int>?

    package static let noTicket = UInt64.max

    package init(
        kind: MessageKind, id: MessageID, header: [UInt8], body: [UInt8], deadline: UInt64 = .never,
        ticket: UInt64 = Submission.noTicket, answers: DeliveryMark? = nil
    ) {
        self.kind = kind
        self.id = id
        self.header = header
        self.body = body
        self.deadline = deadline
        self.ticket = ticket
        self.answers = answers
    }

    var cost: Int { header.count + body.count }
    /// The record of a sealing epoch.
    var isKey: Bool { kind == .keyEpoch || kind == .keyWrap }
    /// A broker that drains takes what ends something, and nothing new.
    var isNewWork: Bool { kind != .reply && kind != .outcome && !isKey }
    /// A broker that drains has not got it, for certain.
    var isUnknownWork: Bool { isNewWork && !mayBeKnown }

    /// Whether it was sent to this service.
    func isFor(_ service: UnsafeRawBufferPointer) -> Bool {
        header.withUnsafeBytes { raw in
            if let target { return raw.part(target).isSame(as: service) }
            guard let view = try? HeaderView(raw, in: 0..<raw.count) else { return false }
            return raw.part(view.target).isSame(as: service)
        }
    }
}

/// Which delivery was handled: its cost in bytes and the session it came in.
package struct DeliveryMark: Sendable, Equatable {
    package let session: UInt64
    package let cost: Int
}

/// Every submission that has not ended, in one array with a free list: no allocation per message.
struct PendingTable: Sendable {
    enum Stage: Sendable { case waiting, sent, accepted }

    struct Row: Sendable {
        var submission: Submission
        var stage: Stage
        /// Order of submission over all sessions.
        var serial: UInt64
        /// What was signed of it, once it was.
        var leaf: Digest32?
    }

    /// Names a row; a reference to a row that has ended finds nothing.
    struct Reference: Sendable {
        let index: Int
        let serial: UInt64
    }

    private(set) var rows: [Row?] = []
    private var free: [Int] = []
    private var nextSerial: UInt64 = 0
    private(set) var count = 0

    mutating func insert(_ submission: Submission) -> Reference {
        nextSerial += 1
        let row = Row(submission: submission, stage: .waiting, serial: nextSerial)
        count += 1
        if let index = free.popLast() {
            rows[index] = row
            return Reference(index: index, serial: nextSerial)
        }
        rows.append(row)
        return Reference(index: rows.count - 1, serial: nextSerial)
    }

    func lives(_ reference: Reference) -> Bool { rows[reference.index]?.serial == reference.serial }

    subscript(_ reference: Reference) -> Submission? {
        guard let row = rows[reference.index], row.serial == reference.serial else { return nil }
        return row.submission
    }

    func kind(of reference: Reference) -> MessageKind? {
        lives(reference) ? rows[reference.index]?.submission.kind : nil
    }

    mutating func setStage(_ stage: Stage, of reference: Reference) {
        if lives(reference) { rows[reference.index]?.stage = stage }
    }

    /// What nobody may do: the same message under another id. There for the mutant that proves it would be seen.
    mutating func rename(_ reference: Reference) {
        guard lives(reference), var submission = rows[reference.index]?.submission else { return }
        submission.id = MessageID(value: submission.id.value ^ 1)
        let id = withUnsafeBytes(of: submission.id.value.bigEndian) { Array($0) }
        submission.header.replaceSubrange(8..<24, with: id)
        rows[reference.index]?.submission = submission
    }

    func stage(of reference: Reference) -> Stage? { lives(reference) ? rows[reference.index]?.stage : nil }

    /// It leaves now: whatever is said of it later, the broker may have it.
    mutating func leaves(_ reference: Reference) {
        guard lives(reference) else { return }
        rows[reference.index]?.stage = .sent
        rows[reference.index]?.submission.mayBeKnown = true
    }

    mutating func setLeaf(_ leaf: Digest32, of reference: Reference) {
        if lives(reference) { rows[reference.index]?.leaf = leaf }
    }

    func leaf(of reference: Reference) -> Digest32? { lives(reference) ? rows[reference.index]?.leaf : nil }

    /// The credit of the answered delivery has been given back; it must not be given twice.
    mutating func clearMark(of reference: Reference) {
        if lives(reference) { rows[reference.index]?.submission.answers = nil }
    }

    /// Ends a row; `nil` when it had ended before. The one place where a submission leaves the table.
    mutating func remove(_ reference: Reference) -> Row? {
        guard lives(reference), let row = rows[reference.index].take() else { return nil }
        free.append(reference.index)
        count -= 1
        return row
    }

    /// References to the rows a condition holds for, in order of submission.
    func references(where condition: (Row) -> Bool) -> [Reference] {
        var found: [Reference] = []
        for index in rows.indices {
            if let row = rows[index], condition(row) { found.append(Reference(index: index, serial: row.serial)) }
        }
        return found.sorted { $0.serial < $1.serial }
    }
}
