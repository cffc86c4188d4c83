import BusBroker
import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol

extension AdminAnswers {
    /// Who signs checkpoints of the log: the broker's key, in the name of its space and itself.
    func logSigner() throws(AdminError) -> NoteSigner {
        let space = broker.readModel.overview.snapshot.space
        guard let key = broker.configuration.signingKey,
            let signer = NoteSigner(name: space.logName, key: key)
        else {
            throw AdminError(
                409, "unsigned-log", "the broker does not sign its log", why: "its key file has no signing key",
                next:
                    "kerege keys complete DATA/keys/broker.key, state its key as `sign:` of the space's broker, restart it"
            )
        }
        return signer
    }

    /// The log as it is now, signed: size and root.
    func checkpoint() async throws(AdminError) -> String {
        let signer = try logSigner()
        let head = try await reading { [log] reader throws(JournalError) in try log.current(reader).head }
        return Checkpoint.sign(head, by: signer)
    }

    /// That the log of now begins with all of an earlier one.
    func consistency(from text: String?) async throws(AdminError) -> ConsistencyPage {
        let signer = try logSigner()
        guard let text, let from = UInt64(text) else {
            throw .badRequest(
                "`from` is missing, or no number", why: "it is the size of the earlier log, a whole number",
                next: "GET /v1/checkpoint/consistency?from=SIZE, the second line of the earlier checkpoint")
        }
        let page = try await reading { [log] reader throws(JournalError) -> ConsistencyPage? in
            let (index, head) = try log.current(reader)
            guard from <= head.size else { return nil }
            let proof = try index.proofs(reader, of: from > 0 ? [from] : []).consistency(from: from)
            return ConsistencyPage(
                from: from, to: head.size, proof: proof.map(\.bytes.hex), checkpoint: Checkpoint.sign(head, by: signer))
        }
        guard let page else {
            throw .badRequest(
                "the log never had \(from) records", why: "it is shorter than that now",
                next: "if a checkpoint says so, keep it: the broker's log has lost its end. kerege journal verify DIR")
        }
        return page
    }
}

extension AdminAnswers {
    /// Everything that proves one exchange, as a file of evidence.
    func evidence(_ name: NamedMessage) async throws(AdminError) -> [UInt8] {
        let signer = try logSigner()
        guard let authority = broker.authority.flatMap({ VerifyingKey($0.bytes) }) else {
            throw AdminError(
                409, "no-authority", "nobody outside of the bus says whose keys these are",
                why: "this broker takes its space from files, without an authority's signature",
                next:
                    "kerege keys new authority, kerege space sign, then start the broker with --authority and --signed-space"
            )
        }
        let message = try await exchange(name)
        let store = SpaceStore(folder: broker.configuration.data)
        let result = try await reading { [log] reader throws(JournalError) -> Result<[UInt8], AdminError> in
            let (index, head) = try log.current(reader)
            let export = EvidenceExport(
                reader: reader, index: index, head: head, log: signer, authority: authority, store: store)
            do { return .success(try export.file(message).json()) } catch let error as AdminError {
                return .failure(error)
            } catch let error as JournalError { throw error } catch {
                return .failure(
                    AdminError(500, "journal", "the evidence cannot be made", why: "\(error)", next: "kerege doctor"))
            }
        }
        return try result.get()
    }

    /// The message that began the exchange; of an answer, what it answers.
    private func exchange(_ name: NamedMessage) async throws(AdminError) -> MessageTrace.Step {
        let found = try await find(name)
        try name.expectWhole(found.found)
        var message = found.message
        if let answer = message, answer.header.kind == .reply || answer.header.kind == .outcome {
            let known = await broker.whereabouts(of: answer.header.correlation).map(\.position)
            message = try await reading { reader throws(JournalError) in
                var left = JournalReader.longestHistory
                return try reader.asked(answer, known: known, &left)
            }
        }
        guard let message else {
            throw AdminError(
                404, "no-such-message", "the journal has no message \(name.id)",
                why: "it was refused before it was written, or it went to another broker",
                next: "kerege trace \(name.id)")
        }
        return message
    }
}
