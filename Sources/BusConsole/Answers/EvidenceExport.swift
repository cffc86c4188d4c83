import BusBroker
import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol

/// Gathers the evidence of one exchange out of the journal. What it gives out has been verified as a stranger would.
struct EvidenceExport {
    let reader: JournalReader
    let index: LogIndex
    let head: TreeHead
    let log: NoteSigner
    let authority: VerifyingKey
    let store: SpaceStore

    /// - Parameter first: the message that began the exchange.
    /// - Throws: `AdminError` for what is missing, `JournalError`.
    func file(_ first: MessageTrace.Step) throws -> EvidenceFile {
        let steps = try exchange(first)
        let space = try space(before: steps[0].position)
        let proofs = try index.proofs(reader, of: steps.map(\.position) + [space.position])
        func place(_ position: UInt64) throws -> EvidenceFile.Place {
            EvidenceFile.Place(position: position, inclusion: try proofs.inclusion(of: position - 1))
        }
        let file = EvidenceFile(
            space: EvidenceFile.Space(
                snapshot: space.snapshot, signature: space.signature, place: try place(space.position)),
            checkpoint: Checkpoint.sign(head, by: log),
            messages: try steps.map { try message($0, place($0.position)) })
        try expectToHold(file)
        return file
    }

    // MARK: - Messages

    /// The message and its answers, in the order of the log.
    private func exchange(_ first: MessageTrace.Step) throws -> [MessageTrace.Step] {
        switch first.header.kind {
        case .request, .command, .event: break
        default:
            throw AdminError(
                409, "no-exchange", "\(first.header.id) asks or tells nothing", why: "it is a \(first.header.kind)",
                next: "name a request, a command or an event")
        }
        let answers = try reader.trace(first).answers.filter { $0.position <= head.size }
        return [first] + answers.prefix(EvidenceFile.Limit.messages - 1)
    }

    private func message(_ step: MessageTrace.Step, _ place: EvidenceFile.Place) throws -> EvidenceFile.Message {
        guard let record = try reader.message(at: step.position), let digest = Digest32(record.bodyDigest) else {
            throw AdminError(
                500, "journal", "the message at \(step.position) cannot be read again",
                why: "the journal gave another record than before", next: "kerege journal verify DIR")
        }
        let isSigned = !record.proof.isEmpty && !record.signedRoot.isEmpty
        return EvidenceFile.Message(
            header: record.header, bodyDigest: digest, body: try reader.body(at: step.position),
            signedRoot: isSigned ? record.signedRoot : nil, proof: isSigned ? record.proof : nil, place: place)
    }

    // MARK: - The space

    private func space(before position: UInt64) throws -> (position: UInt64, snapshot: [UInt8], signature: [UInt8]) {
        guard let place = index.space(before: position), let record = try reader.record(at: place) else {
            throw AdminError(
                409, "no-space", "no space was in force when the message came", why: "the journal has none before it",
                next: "kerege journal verify DIR")
        }
        let snapshot = try SpaceSnapshot(canonical: record.payload)
        guard let signature = try store.signature(of: snapshot.digest) else {
            throw AdminError(
                409, "space-not-signed",
                "the authority's signature of version \(snapshot.version) of the space is not here",
                why:
                    "version \(snapshot.version) was in force when the message came, and no authority had signed it or "
                    + "its signature was not kept",
                next:
                    "only messages of signed versions can be proven; the authority may sign the version of the record at "
                    + "position \(place) anew")
        }
        return (place, record.payload, signature)
    }

    // MARK: - The whole

    private func expectToHold(_ file: EvidenceFile) throws {
        let stated = StatedKeys(snapshot: file.space.snapshot)?.log
        let steps = EvidenceVerifier.verify(file, authority: authority, log: stated == nil ? log.verifier.key : nil)
        guard let wrong = steps.first(where: { !$0.isOK }) else { return }
        var why = wrong.word
        if case .failed(_, let detail) = wrong.outcome { why += ": \(detail)" }
        let part = wrong.about.isEmpty ? "" : " of \(wrong.about)"
        throw AdminError(
            409, "does-not-hold", "there is no evidence of this: the step \(wrong.name.rawValue)\(part) fails",
            why: why,
            next: Self.remedy(wrong.name))
    }

    private static func remedy(_ step: EvidenceStep.Name) -> String {
        switch step {
        case .signature:
            "kerege keys complete AGENT.key, and state its key as `sign:` of the agent's entry; what was sent before is unsigned"
        case .logKey, .checkpoint:
            "state the broker's own signing key, in its file broker.pub, as `sign:` of the space's broker"
        case .space: "start the broker with the --authority whose signature the space of that time has"
        case .binding: "ask the provider what it answered: its agent signed this for something else"
        default: "kerege journal verify DIR"
        }
    }
}
