package import BusEvidence
package import BusProtocol

/// A message of this agent's that the log is to be proven to have.
package struct LogClaim: Sendable {
    package var id: MessageID
    /// Of its header and body as they left: made here, never taken from the broker.
    package var leaf: Digest32
    /// The log as the ACCEPT named it that said it was there.
    package var accepted: TreeHead
    /// In the journal; 0: not known.
    package var position: UInt64

    package init(id: MessageID, leaf: Digest32, accepted: TreeHead, position: UInt64 = 0) {
        self.id = id
        self.leaf = leaf
        self.accepted = accepted
        self.position = position
    }
}

/// What PROOF has proven: everything in it was checked.
package struct ProvenClaims: Sendable {
    package var checkpoint: KnownCheckpoint
    package var key: KeyID
    /// Of the claims, in their order.
    package var places: [EvidenceFile.Place]
}

/// What this agent holds the broker's log to: the newest checkpoint that it has checked, and questions under way. It asks by itself, when a
/// session begins and then as seldom as `AgentTiming.proofInterval` says.
struct LogWatch: Sendable {
    struct Question: Sendable {
        let heads: [TreeHead]
        let claims: [LogClaim]
    }

    /// Why an answer of the broker's is not believed.
    enum Refusal: Error, Sendable {
        /// It proves nothing. The one that is right may still come.
        case proof(Fault)
        /// The log is not the one it was: for good. With the note that says so.
        case fork(Fault, note: String)

        var fault: Fault {
            switch self {
            case .proof(let fault), .fork(let fault, _): fault
            }
        }
    }

    /// Tokens of the agent's own questions have this bit, those of its callers have not.
    static let ownBit: UInt64 = 1 << 63

    private(set) var checkpoint: KnownCheckpoint?
    /// When the next question is due, monotonic microseconds.
    private(set) var due: UInt64 = .never
    private(set) var questions: [UInt64: Question] = [:]
    private var own: UInt64?
    private var asked: UInt64 = 0
    private var traffic: UInt64 = 0
    private var nextToken = Self.ownBit
    /// In this session.
    private(set) var hasAsked = false
    /// The broker's version of the wire has PROVE, as far as is known.
    private(set) var isSpoken = false
    /// What the broker has named and not yet shown to be in one log with a checkpoint.
    private(set) var unproven = UnprovenHeads()
    /// A session ended over a question of this agent's own.
    private var wasLeftUnanswered = false

    init(_ checkpoint: KnownCheckpoint?) { self.checkpoint = checkpoint }

    // MARK: - When to ask

    /// A session is open.
    mutating func begin(
        isSpoken: Bool, knowsKey: Bool, after receipt: LogReceipt, at now: UInt64,
        _ random: inout some RandomNumberGenerator
    ) {
        self.isSpoken = isSpoken
        // What was not proven in one session is asked for in the next: else a broker need only end sessions to be held to nothing.
        if let head = TreeHead(receipt) { unproven.sessionEnded(at: head, &random) }
        wasLeftUnanswered = wasLeftUnanswered || own != nil
        questions = [:]
        own = nil
        hasAsked = false
        due = isSpoken && knowsKey ? now : .never
    }

    /// The space is here, without which nobody could check an answer.
    mutating func knowsKey(at now: UInt64) { if isSpoken, !hasAsked { due = now } }

    /// - Parameter traffic: messages of this session, of both directions.
    mutating func heard(_ traffic: UInt64, at now: UInt64, _ interval: UInt64) {
        guard isSpoken, hasAsked, due == .never, traffic != self.traffic else { return }
        self.traffic = traffic
        due = max(now, asked.saturating(adding: interval))
    }

    /// ACCEPT named the log.
    mutating func accepted(_ receipt: LogReceipt, _ random: inout some RandomNumberGenerator) {
        guard isSpoken, let head = TreeHead(receipt) else { return }
        unproven.accepted(head, &random)
    }

    /// Nobody can be asked now.
    mutating func rest() { due = .never }

    /// The broker does not know the command: it is asked no more in this session.
    /// - Returns: tokens of callers who wait in vain.
    mutating func isNotSpoken() -> [UInt64] {
        defer { questions = [:] }
        isSpoken = false
        due = .never
        own = nil
        return questions.keys.filter { $0 & Self.ownBit == 0 }.sorted()
    }

    // MARK: - Asking

    /// - Returns: the token, and whether the question before was never answered.
    mutating func ask(_ receipt: LogReceipt, _ traffic: UInt64, at now: UInt64) -> (wish: LogWish, unanswered: Bool) {
        let unanswered = own != nil || wasLeftUnanswered
        wasLeftUnanswered = false
        if let own { questions[own] = nil }
        nextToken += 1
        own = nextToken
        hasAsked = true
        asked = now
        due = .never
        self.traffic = traffic
        let wish = wish(nextToken, receipt, [], of: "")
        return (wish, unanswered)
    }

    /// - Parameter claims: of one system.
    mutating func wish(_ token: UInt64, _ receipt: LogReceipt, _ claims: [LogClaim], of system: String) -> LogWish {
        var heads: [TreeHead] = []
        let own = [checkpoint?.head, claims.first?.accepted, TreeHead(receipt)].compactMap { $0 }
        for head in own + unproven.all {
            guard head.size > 0, heads.count < Limits.provedHeads, !heads.contains(head) else { continue }
            heads.append(head)
        }
        questions[token] = Question(heads: heads, claims: claims)
        return LogWish(
            token: token, heads: heads.map(\.size), system: system,
            messages: claims.map { LogWish.Row($0.id, at: $0.position) })
    }

    mutating func take(_ token: UInt64) -> Question? {
        if token == own { own = nil }
        return questions.removeValue(forKey: token)
    }

    // MARK: - Judging

    /// Checks an answer.
    /// - Returns: the places of the claims.
    func judge(
        _ answer: LogAnswer, to question: Question, by log: NoteVerifier, _ receipt: LogReceipt
    ) throws(Refusal) -> (KnownCheckpoint, [EvidenceFile.Place]) {
        let known = try Self.checkpoint(answer.checkpoint, by: log)
        try expectOneHistory(answer, question, known, receipt)
        var places: [EvidenceFile.Place] = []
        for claim in question.claims { places.append(try Self.place(of: claim, answer, known.head)) }
        return (known, places)
    }

    private static func checkpoint(_ note: String, by log: NoteVerifier) throws(Refusal) -> KnownCheckpoint {
        let checkpoint: Checkpoint
        do throws(NoteFault) { checkpoint = try Checkpoint(note, by: log.key) } catch {
            throw refused("\(error.code): \(error)")
        }
        guard checkpoint.origin == log.name else {
            throw refused("other-log: the checkpoint is of \(checkpoint.origin), this bus has the log \(log.name)")
        }
        return KnownCheckpoint(head: checkpoint.head, note: note)
    }

    private func expectOneHistory(
        _ answer: LogAnswer, _ question: Question, _ known: KnownCheckpoint, _ receipt: LogReceipt
    ) throws(Refusal) {
        guard answer.consistency.count == question.heads.count else {
            throw Self.refused("\(answer.consistency.count) proofs came for \(question.heads.count) sizes")
        }
        for (head, bytes) in zip(question.heads, answer.consistency) {
            do throws(LogFault) {
                try LogProof.check(consistency: [Digest32](hashes: bytes) ?? [], from: head, to: known.head)
            } catch {
                throw Self.forked("\(error.code) between \(head.size) and \(known.head.size) records: \(error)", known)
            }
        }
        // What was named while the question was under way.
        let others = [checkpoint?.head, TreeHead(receipt)].compactMap { $0 }
        if let other = others.first(where: { $0.size == known.head.size && $0.root != known.head.root }) {
            throw Self.forked("log-forked: two roots were shown at \(other.size) records", known)
        }
    }

    private static func place(
        of claim: LogClaim, _ answer: LogAnswer, _ head: TreeHead
    ) throws(Refusal) -> EvidenceFile.Place {
        guard let row = answer.rows.first(where: { $0.id == claim.id }) else {
            throw .proof(
                Fault(.noSuchMessage, at: .broker, "the broker proves no place of \(claim.id), which it has accepted"))
        }
        guard row.position > 0, row.position <= claim.accepted.size else {
            throw refused(
                "outside-log: \(claim.id) was accepted in a log of \(claim.accepted.size) and stands at \(row.position)"
            )
        }
        let place = EvidenceFile.Place(position: row.position, inclusion: [Digest32](hashes: row.path) ?? [])
        do throws(LogFault) {
            try LogProof.check(inclusion: place.inclusion, of: claim.leaf, at: row.position - 1, in: head)
        } catch { throw refused("\(error.code): \(error)") }
        return place
    }

    private static func refused(_ why: String) -> Refusal { .proof(Fault(.proofRefused, at: .broker, why)) }

    private static func forked(_ why: String, _ shown: KnownCheckpoint) -> Refusal {
        .fork(Fault(.logForked, at: .consumerAgent, why), note: shown.note)
    }

    // MARK: - Remembering

    /// Keeps a checked checkpoint.
    /// - Returns: whether it is newer than the one before.
    mutating func keep(_ known: KnownCheckpoint, answering question: Question, at now: UInt64) -> Bool {
        // An empty log holds nobody to anything.
        guard known.head.size > 0 else { return false }
        // One that was asked for before the present one came was not held to it.
        if let checkpoint, known.head != checkpoint.head, !question.heads.contains(checkpoint.head) { return false }
        unproven.remove(question.heads)
        // Of more sessions than one question holds.
        if unproven.hasSessions, own == nil { due = min(due, now.saturating(adding: Self.pause)) }
        guard known.head.size > checkpoint?.head.size ?? 0 else { return false }
        checkpoint = known
        return true
    }

    /// Between questions that belong together, microseconds.
    private static let pause: UInt64 = 1_000_000
}

extension TreeHead {
    /// What a receipt names; `nil` where it names nothing.
    init?(_ receipt: LogReceipt) {
        guard receipt.treeSize > 0, let root = Digest32(receipt.root) else { return nil }
        self.init(size: receipt.treeSize, root: root)
    }
}
