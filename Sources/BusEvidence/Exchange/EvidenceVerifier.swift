import BusProtocol

/// Verifies a file of evidence without the bus, from the public key of the space's authority alone.
package struct EvidenceVerifier {
    private let file: EvidenceFile
    private let authority: VerifyingKey
    private let givenLogKey: VerifyingKey?

    private var steps: [EvidenceStep] = []
    private var stated: StatedKeys?
    private var logKey: VerifyingKey?
    private var head: TreeHead?
    private var headers: [Header?] = []
    private var checker = ProofChecker()
    /// Of the receipt before.
    private var receiptSize: UInt64 = 0

    /// Every step in a fixed order. The evidence holds when all are ok.
    ///
    /// - Parameter log: the public key of the broker's log, where the space does not state it.
    package static func verify(
        _ file: EvidenceFile, authority: VerifyingKey, log: VerifyingKey? = nil
    ) -> [EvidenceStep] {
        var verifier = EvidenceVerifier(file: file, authority: authority, givenLogKey: log)
        verifier.run()
        return verifier.steps
    }

    private init(file: EvidenceFile, authority: VerifyingKey, givenLogKey: VerifyingKey?) {
        self.file = file
        self.authority = authority
        self.givenLogKey = givenLogKey
    }

    private mutating func run() {
        checkSpace()
        checkLogKey()
        checkCheckpoint()
        checkSpaceInLog()
        for index in file.messages.indices { checkMessage(index) }
        for (index, record) in file.records.enumerated() {
            let leaf = record.payload.withUnsafeBytes { LogHash.recordLeaf(type: record.type, payload: $0) }
            checkInLog(leaf, record.place, about: "records/\(index)")
        }
        checkExchange()
        for index in file.messages.indices.dropFirst() { checkBinding(index) }
        for index in file.receipts.indices { checkReceipt(index) }
    }

    /// Notes a step: what the check says, or what it throws, or that it could not be done.
    private mutating func step(
        _ name: EvidenceStep.Name, _ about: String = "", needs: EvidenceStep.Name? = nil,
        _ check: (inout EvidenceVerifier) throws(StepFault) -> String
    ) {
        var outcome: EvidenceStep.Outcome
        if let needs {
            outcome = .skipped(needs)
        } else {
            do throws(StepFault) { outcome = .ok(try check(&self)) } catch {
                outcome = .failed(error.code, error.detail)
            }
        }
        steps.append(EvidenceStep(name: name, about: about, outcome: outcome))
    }

    // MARK: Whose keys these are

    private mutating func checkSpace() {
        step(.space) { verifier throws(StepFault) in
            let file = verifier.file.space
            guard SpaceSignature.holds(file.signature, of: file.snapshot, by: verifier.authority) else {
                throw StepFault(
                    "wrong-signature",
                    "the signature is not the authority's, of this snapshot; compare the "
                        + "authority's key with its owner, else the snapshot was changed")
            }
            guard let stated = StatedKeys(snapshot: file.snapshot) else {
                throw StepFault("malformed-space", "the snapshot cannot be read; use the program of its time")
            }
            verifier.stated = stated
            return "space \(stated.space), version \(stated.version), is the authority's"
        }
    }

    private mutating func checkLogKey() {
        step(.logKey, needs: stated == nil && givenLogKey == nil ? .space : nil) { verifier throws(StepFault) in
            let key = verifier.stated?.log ?? verifier.givenLogKey
            guard let key else {
                throw StepFault(
                    "no-log-key",
                    "the space states no key of the log, and none was given; name the broker's broker.pub with --log")
            }
            if let given = verifier.givenLogKey, given != key {
                throw StepFault("other-log-key", "the key given for the log is not the one the space states")
            }
            verifier.logKey = key
            return "the log signs with key \(key.id)"
        }
    }

    private mutating func checkCheckpoint() {
        step(.checkpoint, needs: logKey == nil ? .logKey : nil) { verifier throws(StepFault) in
            let checkpoint = try verifier.checkpoint(verifier.file.checkpoint)
            verifier.head = checkpoint.head
            return "\(checkpoint.origin) had \(checkpoint.head.size) records"
        }
    }

    private func checkpoint(_ note: String) throws(StepFault) -> Checkpoint {
        guard let logKey else { throw StepFault("no-log-key", "the log's key is not known") }
        let checkpoint: Checkpoint
        do throws(NoteFault) { checkpoint = try Checkpoint(note, by: logKey) } catch { throw StepFault(error) }
        // Under another name the same key could keep a second log, which would contradict the first nowhere.
        guard stated.map({ $0.logName == checkpoint.origin }) ?? true else {
            throw StepFault(
                "other-log",
                "the checkpoint is of \(checkpoint.origin), and the space has the log \(stated?.logName ?? "")")
        }
        return checkpoint
    }

    private mutating func checkSpaceInLog() {
        guard let place = file.space.place else { return }
        let leaf = file.space.snapshot.withUnsafeBytes { LogHash.recordLeaf(type: Self.spaceRecord, payload: $0) }
        checkInLog(leaf, place, about: "", as: .spaceInLog)
    }

    /// Number of the record that a space took effect.
    private static let spaceRecord: UInt8 = 5

    private mutating func checkInLog(
        _ leaf: Digest32, _ place: EvidenceFile.Place, about: String, as name: EvidenceStep.Name = .inLog
    ) {
        step(name, about, needs: head == nil ? .checkpoint : nil) { verifier throws(StepFault) in
            guard let head = verifier.head else { return "" }
            do throws(LogFault) {
                try LogProof.check(inclusion: place.inclusion, of: leaf, at: place.position - 1, in: head)
            } catch { throw StepFault(error) }
            return "it is record \(place.position) of the log"
        }
    }

    // MARK: Messages

    private mutating func checkMessage(_ index: Int) {
        let message = file.messages[index]
        let about = "messages/\(index)"
        headers.append(nil)
        step(.header, about) { verifier throws(StepFault) in
            guard let header = try? Header(decoding: message.header) else {
                throw StepFault("malformed-header", "the header cannot be read; it was changed")
            }
            verifier.headers[index] = header
            return "\(header.kind) \(header.id) of \(header.sender ?? "nobody"), \(header.target)"
        }
        if let body = message.body {
            step(.body, about) { _ throws(StepFault) in
                guard body.withUnsafeBytes({ LogHash.body($0) }) == message.bodyDigest else {
                    throw StepFault("wrong-body-digest", "the body is not the one the digest is of; it was changed")
                }
                return "the body is the one of the digest"
            }
        }
        let needs: EvidenceStep.Name? = headers[index] == nil ? .header : stated == nil ? .space : nil
        step(.signature, about, needs: needs) { verifier throws(StepFault) in
            try verifier.checkSignature(message, verifier.headers[index])
        }
        checkInLog(message.leaf, message.place, about: about)
    }

    private mutating func checkSignature(
        _ message: EvidenceFile.Message, _ header: Header?
    ) throws(StepFault) -> String {
        guard let stated, let header else { return "" }
        if message.proof == nil, message.signedRoot == nil, header.isOfBroker {
            return "the broker made it: the log's checkpoint speaks for it"
        }
        guard let sender = header.sender else {
            throw StepFault("no-sender", "the header names no sending system; it was never accepted so")
        }
        do throws(ProofFault) {
            // The row of a table that is not here: one way to write it, so that no byte of the file can be changed.
            if let proof = message.proof, proof.count >= 4, proof[2] | proof[3] != 0 { throw ProofFault.malformed }
            let id = try checker.check(
                leaf: message.leaf, proof: message.proof ?? [], signedRoot: message.signedRoot ?? []
            ) { stated.agent($0, for: sender)?.sender }
            return "signed by agent \(stated.agent(id, for: sender)?.name ?? "") for \(sender)"
        } catch { throw StepFault(error) }
    }

    // MARK: The exchange as a whole

    private mutating func checkExchange() {
        let headers = headers.compactMap { $0 }
        step(.exchange, needs: headers.count < file.messages.count ? .header : nil) { verifier throws(StepFault) in
            guard let first = headers.first else { return "" }
            guard first.kind == .request || first.kind == .command || first.kind == .event else {
                throw StepFault(
                    "wrong-first-message", "the first message asks or tells nothing; the question is missing")
            }
            guard Set(headers.map(\.id)).count == headers.count else {
                throw StepFault("repeated-message", "a message stands twice")
            }
            for answer in headers.dropFirst() { try Self.check(answer, answers: first) }
            guard headers.allSatisfy(\.namesItsProvider) else {
                throw StepFault("other-parties", "a message names a provider that its target does not belong to")
            }
            try verifier.checkOrder()
            return headers.count == 1 ? "the \(first.kind) alone" : "the \(first.kind) and its answers, in order"
        }
    }

    private static func check(_ answer: Header, answers first: Header) throws(StepFault) {
        let kind: MessageKind? = first.kind == .request ? .reply : first.kind == .command ? .outcome : nil
        guard answer.kind == kind else {
            throw StepFault("not-an-answer", "a message of kind \(answer.kind) does not answer a \(first.kind)")
        }
        guard answer.correlation == first.id else {
            throw StepFault("other-correlation", "an answer is to another message than the first")
        }
        // Agents leave the consumer out of replies: the correlation says whose question it was.
        let hasConsumer = answer.consumer == first.consumer || answer.kind == .reply && answer.consumer.isEmpty
        guard answer.target == first.target, hasConsumer else {
            throw StepFault("other-parties", "an answer names another target or consumer than what it answers")
        }
    }

    private func checkOrder() throws(StepFault) {
        let positions = file.messages.map(\.place.position)
        guard zip(positions, positions.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw StepFault("wrong-order", "an answer stands in the log before what it answers")
        }
        let records = file.records.map(\.place.position)
        guard zip(records, records.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw StepFault("wrong-order", "the other records are not in the order of the log")
        }
        if let space = file.space.place?.position, let first = positions.first, space >= first {
            throw StepFault("space-too-late", "the space took effect only after the first message; take an earlier one")
        }
    }

    // MARK: What an answer was made for

    private mutating func checkBinding(_ index: Int) {
        let header = headers[index]
        let isAnswer = header?.kind == .reply || header?.kind == .outcome
        let needs: EvidenceStep.Name? = headers[0] == nil || header == nil ? .header : isAnswer ? nil : .exchange
        step(.binding, "messages/\(index)", needs: needs) { verifier throws(StepFault) in
            guard let header else { return "" }
            let asked = header.kind == .reply ? "request" : "command"
            guard let digest = RequestDigest.value(in: header) else {
                // Told by agents of before, or long after the command was taken, or by the broker.
                guard header.kind == .outcome else {
                    throw StepFault(
                        "no-request-digest",
                        "the reply does not say which request it was made for; agents that sign always say it")
                }
                return "it names its command by the id alone"
            }
            guard digest == verifier.file.messages[0].leaf.bytes else {
                throw StepFault(
                    "other-request-digest",
                    "the \(header.kind) was made for another \(asked) than the one here; ask for what its sender answered"
                )
            }
            return "it was made for this very \(asked)"
        }
    }

    // MARK: Receipts

    private mutating func checkReceipt(_ index: Int) {
        let receipt = file.receipts[index]
        step(.receipt, "receipts/\(index)", needs: head == nil ? .checkpoint : nil) { verifier throws(StepFault) in
            guard let head = verifier.head else { return "" }
            let earlier = try verifier.checkpoint(receipt.checkpoint).head
            guard earlier.size > verifier.receiptSize else {
                throw StepFault("wrong-order", "the receipts do not go from the smallest to the largest")
            }
            verifier.receiptSize = earlier.size
            do throws(LogFault) {
                try LogProof.check(consistency: receipt.consistency, from: earlier, to: head)
            } catch { throw StepFault(error) }
            return "what was shown at \(earlier.size) records is still there"
        }
    }
}

extension Header {
    /// The system whose agent signs it: the consumer, or for answers and events the system of the target.
    package var sender: String? {
        let sender =
            switch kind {
            case .request, .command, .keyEpoch, .keyWrap: consumer
            case .reply, .outcome, .event: Names.system(of: target)
            }
        return sender.isEmpty ? nil : sender
    }

    /// An outcome that the broker gave because nobody else did.
    package var isOfBroker: Bool { kind == .outcome && provider.isEmpty && outcome >= FaultCode.least }

    fileprivate var namesItsProvider: Bool {
        provider.isEmpty || provider == Names.system(of: target)
    }
}
