import BusEvidence

/// Holds a log to a checkpoint that somebody outside of the broker kept: the log must be as long, have had that root at that size, and the
/// note must be the log's own.
struct CheckpointAudit {
    private let checkpoint: KnownCheckpoint
    private let given: VerifyingKey?
    /// What the space says that was in force at its size, or the first one behind it.
    private var space: StatedKeys?
    /// The root of the log at its size, once that is reached.
    private var root: Digest32?

    var size: UInt64 { checkpoint.head.size }

    /// - Parameter key: of the log; nil: as the space states it.
    init(_ checkpoint: KnownCheckpoint, by key: VerifyingKey?) {
        self.checkpoint = checkpoint
        given = key
    }

    /// A space took effect.
    mutating func take(_ space: StatedKeys, at position: UInt64) {
        if self.space == nil || position <= size { self.space = space }
    }

    /// The log has as many records as the checkpoint.
    mutating func reached(_ root: Digest32) { self.root = root }

    /// - Parameter end: records of the log.
    func findings(in end: UInt64) -> [JournalVerifier.Finding] {
        let signature = signatureFault.map {
            JournalVerifier.Finding(position: 0, what: "the checkpoint is not the log's: \($0)")
        }
        return [signature, history(end)].compactMap(\.self)
    }

    private func history(_ end: UInt64) -> JournalVerifier.Finding? {
        if size > end {
            return .init(
                position: end + 1,
                what:
                    "log-shrank: the log ends at \(end), but the checkpoint is of \(size) records: it is shorter, its tail is missing"
            )
        }
        // What it says of an empty log was looked at when it was read.
        guard size > 0, root != checkpoint.head.root else { return nil }
        return .init(
            position: size,
            what:
                "log-forked: the log had another root at \(size) records than the checkpoint says: its past was rewritten"
        )
    }

    private var signatureFault: String? {
        guard let key = given ?? space?.log else {
            return "no-log-key: no space states the log's key, and none was given; give the broker's public key"
        }
        do throws(NoteFault) {
            let origin = try Checkpoint(checkpoint.note, by: key).origin
            guard let space, origin != space.logName else { return nil }
            return "other-log: it is of \(origin), and the space has the log \(space.logName)"
        } catch { return "\(error.code): \(error)" }
    }
}
