import BusConsole
import BusDirectory
import BusEvidence
import BusProtocol
import DurableFiles
import Foundation

/// The broker's log as it was seen last, in a file: what the broker shows next must go on from there, else it shows another log than
/// before, to this one or to everybody.
struct SeenLog {
    /// Of the doctor, in the data folder.
    static let fileName = "seen.checkpoint"
    /// The first answer after a broker's start waits until it has read its whole journal.
    static let deadline = Duration.seconds(180)
    /// Codes of a log that nobody signs, or of which nobody says with which key.
    static let unsigned: Set<String> = ["unsigned-log", "no-log-key"]

    let path: String

    /// What the log is, and what it was when it was seen last.
    struct News {
        let before: TreeHead?
        let now: TreeHead
        let log: NoteVerifier

        var says: String {
            let now = "\(log.name) has \(now.size) records, signed with key \(log.key.id)"
            return before.map { "\(now); it goes on from the \($0.size) seen before" }
                ?? "\(now); seen for the first time"
        }
    }

    var isThere: Bool { FileManager.default.fileExists(atPath: path) }

    /// Asks a broker, and keeps what it shows.
    /// - Parameters:
    ///   - key: of the log; nil: as the space in force states it.
    ///   - limit: for all that is asked of the log.
    func look(
        at client: AdminClient, by key: VerifyingKey? = nil, within limit: Duration = Self.deadline
    ) throws(Failure) -> News {
        let space = try SpaceInForce(client).snapshot.space
        guard let key = key ?? space.broker.sign.flatMap({ VerifyingKey($0) }),
            let log = NoteVerifier(name: space.logName, key: key)
        else {
            throw Failure(
                .no, "no-log-key", "the broker's log cannot be held to anything",
                why: "the space does not state the key with which the broker signs it",
                next: "state the broker's own signing key, in its file broker.pub, as `sign:` of the space's broker")
        }
        let end = ContinuousClock.now + limit
        return try look(at: log) { size throws(Failure) in
            try client.get(
                ConsistencyPage.self, "/v1/checkpoint/consistency?from=\(size)", within: end - ContinuousClock.now
            ).page
        }
    }

    /// - Parameter ask: for the log of now, and the proof that it goes on from a size.
    /// - Throws: what does not fit; then what was kept stays.
    func look(
        at log: NoteVerifier, _ ask: (UInt64) throws(Failure) -> ConsistencyPage
    ) throws(Failure) -> News {
        // Read before the broker is asked: another run may keep a newer one meanwhile, which the older answer would seem to contradict.
        let kept = try CheckpointFile.read(path)
        var now = try Self.checkpoint(ask(0), of: log)
        guard let kept else {
            try keep(now)
            return News(before: nil, now: now.head, log: log)
        }
        var proof: [Digest32] = []
        // Of a size that its log has not the broker proves nothing.
        if kept.head.size <= now.head.size {
            let page = try ask(kept.head.size)
            now = try Self.checkpoint(page, of: log)
            proof = page.hashes
        }
        do throws(LogFault) { try LogProof.check(consistency: proof, from: kept.head, to: now.head) } catch {
            if case .wrongPathLength = error { throw Self.noProof(error) }
            throw contradiction(kept, now, error)
        }
        if now.head.size > kept.head.size { try keep(now) }
        return News(before: kept.head, now: now.head, log: log)
    }

    // MARK: - What is not believed

    private static func checkpoint(_ page: ConsistencyPage, of log: NoteVerifier) throws(Failure) -> KnownCheckpoint {
        do throws(NoteFault) {
            let checkpoint = try Checkpoint(page.checkpoint, by: log.key)
            if checkpoint.origin == log.name { return KnownCheckpoint(head: checkpoint.head, note: page.checkpoint) }
        } catch { throw notBelieved(error.code, "\(error)") }
        throw notBelieved("other-log", "it is of another log than \(log.name)")
    }

    private static func notBelieved(_ code: String, _ why: String) -> Failure {
        Failure(
            .no, code, "the broker's checkpoint of its log is not believed", why: why,
            next:
                "give the broker its own key file back, or state its key, in broker.pub, as `sign:` of the space's broker"
        )
    }

    /// What has not even the form of a proof says nothing of the log, neither good nor bad.
    private static func noProof(_ fault: LogFault) -> Failure {
        Failure(
            .no, fault.code, "the broker's proof that its log goes on is not believed", why: "\(fault)",
            next: "ask again; where it stays so, the broker is of another version, or does not want to prove it")
    }

    // MARK: - What is kept

    private func keep(_ checkpoint: KnownCheckpoint) throws(Failure) {
        try DurableFile.undisturbed(path) { () throws(Failure) -> Void in
            // Another run may have seen more since.
            if let newest = try CheckpointFile.read(path), newest.head.size >= checkpoint.head.size { return }
            do throws(DurableFile.Problem) {
                try DurableFile.replace(path, with: Array(checkpoint.note.utf8), isPrivate: true)
            } catch {
                throw Failure(
                    .no, "not-kept", "the checkpoint of the log was not kept", why: "\(error)",
                    next: "keep it in a folder of yours: kerege journal checkpoint FILE")
            }
        }
    }

    private func contradiction(_ kept: KnownCheckpoint, _ now: KnownCheckpoint, _ fault: LogFault) -> Failure {
        // What was found is told whether it is kept or not.
        let copy: String
        do throws(DurableFile.Problem) { copy = try keepBoth(kept, now) } catch {
            copy = "what the broker showed was NOT kept (\(error)): keep it with kerege journal checkpoint FILE"
        }
        let verify = ShellText.command(["--checkpoint", path])
        return Failure(
            .no, fault.code, "the broker's log is not the one that was seen before", why: "\(fault)",
            next: "stop and look; \(copy). Then: kerege journal verify DIR \(verify). After a restore of your own: "
                + ShellText.command(["mv", path, path + ".before"]))
    }

    /// The broker has signed both: for whoever has to decide. What contradicted the log first stays, whatever is shown later.
    private func keepBoth(_ kept: KnownCheckpoint, _ now: KnownCheckpoint) throws(DurableFile.Problem) -> String {
        let fork = path + ".fork"
        return try DurableFile.undisturbed(path) { () throws(DurableFile.Problem) -> String in
            guard !FileManager.default.fileExists(atPath: fork) else {
                return "\(fork) has both checkpoints of the first time that it was another one"
            }
            try DurableFile.replace(fork, with: Array((kept.note + "\n" + now.note).utf8), isPrivate: true)
            return "\(fork) has both checkpoints"
        }
    }
}

extension ConsistencyPage {
    /// What is no hash is left out: then there are too few.
    fileprivate var hashes: [Digest32] {
        proof.compactMap { text in [UInt8](hex: text).flatMap { Digest32($0) } }
    }
}
