import BusEvidence
import DurableFiles

/// A checkpoint of the log that somebody kept in a file, as the broker signed it.
enum CheckpointFile {
    /// Nil when there is no such file. Nothing of it is believed yet.
    static func read(_ path: String) throws(Failure) -> KnownCheckpoint? {
        let bytes: [UInt8]?
        do throws(DurableFile.Problem) { bytes = try DurableFile.read(path, limit: SignedNote.sizeLimit) } catch {
            throw .wrongUse("\(path) cannot be read", why: "\(error)", next: "name the file of a checkpoint")
        }
        guard let bytes else { return nil }
        guard let known = KnownCheckpoint(kept: String(decoding: bytes, as: UTF8.self)) else {
            throw .wrongUse(
                "\(path) is no checkpoint", why: "docs/EVIDENCE.md, section 4, is the format",
                next: "name a file of kerege journal checkpoint, or agents/AGENT.checkpoint")
        }
        return known
    }
}
