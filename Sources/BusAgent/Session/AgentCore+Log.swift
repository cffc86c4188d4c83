import BusDirectory
package import BusEvidence
package import BusProtocol

/// The log of the broker: asked for proofs of, and refused when it is not the one it was.
extension AgentCore {
    /// The newest checkpoint of the broker's log that was checked.
    package var checkpoint: KnownCheckpoint? { log.checkpoint }

    /// With which key and in which name the space says that the log is signed.
    private var logKey: NoteVerifier? { directory?.log }

    /// Messages of this session, of both directions.
    private var traffic: UInt64 { sentMessages &+ deliveredMessages }

    /// A session is open, and `receipt` is still the one of before.
    mutating func beginWatching(_ welcome: Welcome, _ clock: ClockReading) {
        log.begin(
            isSpoken: welcome.version >= Command.prove.since, knowsKey: logKey != nil, after: receipt, at: clock.now,
            &random)
    }

    /// Another space was taken; it may be the first.
    mutating func spaceWasTaken(_ clock: ClockReading) {
        if isOpen, logKey != nil { log.knowsKey(at: clock.now) }
    }

    mutating func watchTraffic(_ clock: ClockReading) { log.heard(traffic, at: clock.now, timing.proofInterval) }

    /// Asks for the newest checkpoint, when that is due.
    mutating func askForCheckpoint(_ clock: ClockReading, into actions: inout [AgentAction]) {
        guard logKey != nil else { return log.rest() }
        let (wish, unanswered) = log.ask(receipt, traffic, at: clock.now)
        if unanswered {
            let why =
                "the broker was asked to prove its log and did not, \(timing.proofInterval / 1_000_000) s ago or more"
            actions.append(.notice(Fault(.deadlinePassed, at: .broker, why)))
        }
        actions.append(.send(framed(.prove, wish.encoded())))
    }

    /// Asks that the log has messages of one of this agent's systems. The answer comes as `.inquired`.
    /// - Parameter token: any number without the highest bit.
    /// - Returns: why nobody can be asked.
    package mutating func prove(
        _ claims: [LogClaim], of system: String, token: UInt64, into actions: inout [AgentAction]
    ) -> Fault? {
        guard isOpen else { return Fault(.brokerUnreachable, at: .consumerAgent) }
        guard log.isSpoken else {
            return Fault(.badVersion, at: .broker, "this broker speaks no version with \(Command.prove)")
        }
        guard logKey != nil else {
            return Fault(.logUnsigned, at: .broker, "the space states no key with which the broker signs its log")
        }
        let wish = log.wish(token, receipt, claims, of: system)
        actions.append(.send(framed(.prove, wish.encoded())))
        return nil
    }

    /// Whether a process that begins anew may take the receipt of now for what the log was: not before the broker has proven that its
    /// log goes on from the receipts of earlier sessions, and never that of another log.
    package var mayKeepReceipt: Bool {
        if case .refused(let fault) = state, fault.code == .logForked { return false }
        return !(log.isSpoken && logKey != nil && log.unproven.hasSessions)
    }

    /// PROOF.
    mutating func proven(_ answer: LogAnswer, _ clock: ClockReading, into actions: inout [AgentAction]) {
        guard isOpen, let question = log.take(answer.token) else { return }
        let isOwn = answer.token & LogWatch.ownBit != 0
        do throws(LogWatch.Refusal) {
            let claims = try judge(answer, to: question)
            if log.keep(claims.checkpoint, answering: question, at: clock.now) {
                actions.append(.keepCheckpoint(claims.checkpoint))
            }
            // Whatever the broker shows from now on has to go on from here.
            if claims.checkpoint.head.size > receipt.treeSize { receipt = LogReceipt(claims.checkpoint.head) }
            if !isOwn { actions.append(.inquired(token: answer.token, .proof(.success(claims)))) }
        } catch {
            if case .fork(_, let note) = error { actions.append(.keepFork(note)) }
            if !isOwn { actions.append(.inquired(token: answer.token, .proof(.failure(error.fault)))) }
            guard error.fault.code == .logForked else {
                // Too much at once is no news to an operator, where it was a caller's question. This agent asks seldom.
                if isOwn || error.fault.code != .queueFull { actions.append(.notice(error.fault)) }
                return
            }
            actions.append(.notice(error.fault))
            refuse(error.fault, into: &actions)
        }
    }

    private func judge(_ answer: LogAnswer, to question: LogWatch.Question) throws(LogWatch.Refusal) -> ProvenClaims {
        guard answer.code == 0 else {
            let code = FaultCode(rawValue: answer.code) ?? .proofRefused
            let retry: UInt32 = code == .queueFull ? 100 : 0
            throw .proof(
                Fault(code, at: .broker, "the broker proves nothing of its log", retryAfterMilliseconds: retry))
        }
        guard let logKey else { throw .proof(Fault(.logUnsigned, at: .broker)) }
        let (known, places) = try log.judge(answer, to: question, by: logKey, receipt)
        return ProvenClaims(checkpoint: known, key: logKey.key.id, places: places)
    }

    /// The broker has not understood PROVE.
    mutating func proofsAreUnknown(_ fault: Fault, into actions: inout [AgentAction]) {
        for token in log.isNotSpoken() { actions.append(.inquired(token: token, .proof(.failure(fault)))) }
    }
}

extension LogReceipt {
    package init(_ head: TreeHead) { self.init(treeSize: head.size, root: head.root.bytes) }
}
