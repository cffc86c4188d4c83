import BusDirectory
package import BusEvidence
import BusJournal
package import BusProtocol

/// What the journal's reader is asked to prove: always of a log of the size the core knows, so that what is proven and what ACCEPT says
/// never contradict each other.
package struct LogQuestion: Sendable {
    /// The log as ACCEPT names it now.
    package var head: TreeHead
    /// The name that the checkpoint is signed in.
    package var origin: String
    /// Earlier sizes, none above the head's.
    package var sizes: [UInt64]
    /// Records within the head.
    package var positions: [UInt64]

    package init(head: TreeHead, origin: String, sizes: [UInt64], positions: [UInt64]) {
        self.head = head
        self.origin = origin
        self.sizes = sizes
        self.positions = positions
    }
}

/// What the journal's reader found.
package struct ProvenLog: Sendable {
    /// A message of the log and its path.
    package struct Row: Sendable {
        package var position: UInt64
        package var header: [UInt8]
        package var path: [Digest32]
        package init(position: UInt64, header: [UInt8], path: [Digest32]) {
            self.position = position
            self.header = header
            self.path = path
        }
    }

    /// The signed note.
    package var checkpoint: String
    /// For each size of the question.
    package var consistency: [[Digest32]]
    /// What is no message has no row.
    package var rows: [Row]

    package init(checkpoint: String, consistency: [[Digest32]], rows: [Row]) {
        self.checkpoint = checkpoint
        self.consistency = consistency
        self.rows = rows
    }

    /// Makes what was asked for from the subtrees of a log.
    /// - Parameter header: of the message at a position; `nil` when it is none.
    package init<Failure: Error>(
        _ question: LogQuestion, by signer: NoteSigner, _ prover: LogProver<Failure>,
        header: (UInt64) throws(Failure) -> [UInt8]?
    ) throws(Failure) {
        self.init(checkpoint: Checkpoint.sign(question.head, by: signer), consistency: [], rows: [])
        for size in question.sizes { consistency.append(try prover.consistency(from: size)) }
        for position in question.positions {
            guard let header = try header(position) else { continue }
            rows.append(Row(position: position, header: header, path: try prover.inclusion(of: position - 1)))
        }
    }
}

/// A PROVE whose answer is being made.
struct Proving: Sendable {
    let session: SessionReference
    let key: String
    let wish: LogWish
    /// Where the wished messages are, in their order; 0 where that is not known.
    let positions: [UInt64]
}

/// PROVE: what the log is, signed, and that an agent's messages are in it. Only their sender's agents are told where messages stand.
extension BrokerCore {
    mutating func prove(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let wish = try frame.reading { raw throws(Fault) in
            var reader = head.fields(of: raw)
            return try LogWish(&reader)
        }
        let session = SessionReference(slot: slot, id: sessions[slot].id)
        if let refusal = reasonNotToProve(wish, slot, now) {
            return tell(LogAnswer(token: wish.token, code: refusal.number), session)
        }
        guard let root = Digest32(treeRoot) else { return }
        let positions = wish.messages.map { row in
            let known =
                row.position == 0
                ? book.ledger.row(book.ledger.key(wish.system, row.id), of: row.id)?.position ?? 0 : row.position
            return known <= treeSize ? known : 0
        }
        self[burdenOf: slot, now].proving += 1
        nextLoad += 1
        provings[nextLoad] = Proving(session: session, key: sessions[slot].key, wish: wish, positions: positions)
        let question = LogQuestion(
            head: TreeHead(size: treeSize, root: root), origin: rights.snapshot.space.logName, sizes: wish.heads,
            positions: Set(positions).subtracting([0]).sorted())
        actions.append(.prove(ticket: nextLoad, question))
    }

    private mutating func reasonNotToProve(_ wish: LogWish, _ slot: Int, _ now: Moment) -> FaultCode? {
        guard wish.messages.isEmpty || rights.agents[sessions[slot].agentIndex].systems.contains(wish.system) else {
            return .keyNotForSystem
        }
        guard wish.heads.allSatisfy({ $0 <= treeSize }) else { return .logForked }
        guard self[burdenOf: slot, now].proving < limits.proofsAtOnce, sessions[slot].unread.hasRoom(),
            self[burdenOf: slot, now].proofShare.take(wish.blocks, at: now.monotonic) == nil
        else { return .queueFull }
        return nil
    }

    /// The journal's reader answered, or says why it cannot.
    package mutating func proven(_ ticket: UInt64, _ result: Result<ProvenLog, Fault>, at now: Moment) {
        guard let proving = provings.removeValue(forKey: ticket) else { return }
        let (session, wish) = (proving.session, proving.wish)
        proved(key: proving.key)
        guard sessions.isLive(session.slot, session.id) else { return }
        switch result {
        case .failure(let fault): tell(LogAnswer(token: wish.token, code: fault.code.number), session)
        case .success(let log):
            let found = Dictionary(log.rows.map { ($0.position, $0) }, uniquingKeysWith: { first, _ in first })
            let rows = zip(wish.messages, proving.positions).compactMap { message, position -> LogAnswer.Row? in
                guard let row = found[position], let header = try? Header(decoding: row.header),
                    header.id == message.id,
                    header.sender == wish.system
                else { return nil }
                return LogAnswer.Row(message.id, at: position, path: row.path.hashBytes)
            }
            tell(
                LogAnswer(
                    token: wish.token, checkpoint: log.checkpoint, consistency: log.consistency.map(\.hashBytes),
                    rows: rows), session)
        }
        finishStep(now)
    }

    private mutating func tell(_ answer: LogAnswer, _ session: SessionReference) {
        transmit(head(.proof, session.slot).frame(answer.encoded()), to: session.slot)
    }
}

extension LogWish {
    /// Blocks of the log that an answer reads, at most: what is asked with `position` 0 is taken for a block of its own.
    fileprivate var blocks: Int {
        let known = Set(messages.filter { $0.position > 0 }.map { $0.position >> UInt64(LogIndex.level) })
        return 1 + heads.count + known.count + messages.count { $0.position == 0 }
    }
}
