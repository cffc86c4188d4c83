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
    /// Of the doctor, who looks again another time.
    static let shortDeadline = Duration.seconds(10)
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
    /// - Parameter key: of the log; nil: as the space in force states it.
    func look(
        at client: AdminClient, by key: VerifyingKey? = nil, within deadline: Duration = Self.deadline
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
        return try look(at: log) { size throws(Failure) in
            try client.get(
                ConsistencyPage.self, "/v1/checkpoint/consistency?from=\(size)", within: deadline
            ).page
        }
    }

    /// - Parameter ask: for the log of now, and the proof that it goes on from a size.
    /// - Throws: what does not fit; then what was kept stays.
    func look(
        at log: NoteVerifier, _ ask: (UInt64) throws(Failure) -> ConsistencyPage
    ) throws(Failure) -> News {
        var now = try Self.checkpoint(ask(0), of: log)
        guard let kept = try CheckpointFile.read(path) else {
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
            if case .wrongPathLength = error { throw Self.notBelieved(error.code, "\(error)") }
            throw contradiction(kept, now, error)
        }
        if now.head.size > kept.head.size { try keep(now) }
        return News(before: kept.head, now: now.head, log: log)
    }

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

    private func keep(_ checkpoint: KnownCheckpoint) throws(Failure) {
        do throws(DurableFile.Problem) {
            try DurableFile.replace(path, with: Array(checkpoint.note.utf8), isPrivate: true)
        } catch {
            throw Failure(
                .no, "not-kept", "the checkpoint of the log was not kept", why: "\(error)",
                next: "keep it in a folder of yours: kerege journal checkpoint FILE")
        }
    }

    private func contradiction(_ kept: KnownCheckpoint, _ now: KnownCheckpoint, _ fault: LogFault) -> Failure {
        // The broker has signed both: for whoever has to decide. What was found is told whether it is kept or not.
        // The first stays: what the broker shows afterwards may be whole again.
        let fork = path + ".fork"
        let isKept =
            FileManager.default.fileExists(atPath: fork)
            || (try? DurableFile.replace(fork, with: Array((kept.note + "\n" + now.note).utf8), isPrivate: true)) != nil
        return Failure(
            .no, fault.code, "the broker's log is not the one that was seen before", why: "\(fault)",
            next: "stop and look; "
                + (isKept ? "\(fork) has both checkpoints" : "\(fork) could not be written, keep \(path)")
                + ": kerege journal verify DIR --checkpoint \(path). After a restore of your own: mv \(path) \(path).before"
        )
    }
}

extension ConsistencyPage {
    /// What is no hash is left out: then there are too few.
    fileprivate var hashes: [Digest32] {
        proof.compactMap { text in [UInt8](hex: text).flatMap { Digest32($0) } }
    }
}
