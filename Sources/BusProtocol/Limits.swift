/// Every limit of the wire, by name. `Schemas/wire.md` lists the same numbers; a test holds them together.
package enum Limits {
    /// Largest body of one message, bytes. Larger content travels as chunks.
    package static let body = 64 * 1024
    /// Largest encoded header of one message, bytes.
    package static let header = 4 * 1024
    /// Largest proof of one message, bytes: a path of 64 hashes and its fixed part.
    package static let proof = 8 + 64 * 32
    /// Largest ZeroMQ frame either side sends or takes, bytes. A peer that sends more is disconnected by libzmq.
    package static let frame = 4 * 1024 * 1024
    /// Most envelopes in one frame.
    package static let envelopesPerFrame = 1024
    /// A sender closes a frame at about this many bytes, so that one frame does not hold up the next.
    package static let frameTarget = 64 * 1024
    /// Longest text field of a header (purpose, consent, user), bytes.
    package static let text = 255
    /// Longest deadline of a request, milliseconds: five minutes.
    package static let deadlineMilliseconds: UInt32 = 300_000
    /// Messages an agent may have submitted and not yet accepted, and the same towards an agent.
    package static let creditMessages: UInt64 = 4096
    /// The same in bytes of header and body.
    package static let creditBytes: UInt64 = 16 * 1024 * 1024
    /// Systems one agent may serve.
    package static let systemsPerAgent = 64
    /// Subject of one REPORT: rows of counts.
    package static let reportRows = 512
    /// Kinds and names of one list of what a session takes.
    package static let takenNames = 512
    /// Rows of one QUERY: with an outcome of the largest body each, STATE still fits a frame.
    package static let queryRows = 32
    /// Epochs of one WANT: with a record each, KEYS stays under the target of a frame.
    package static let wantedEpochs = 32
    /// Messages of one PROVE: with a path each, PROOF stays near the target of a frame.
    package static let provedMessages = 32
    /// Earlier sizes of the log in one PROVE.
    package static let provedHeads = 4
    /// Hashes of one path in PROOF: as many as lead to the root of the largest log.
    package static let logPath = 65
    /// Largest body of a reply whose outcome is a fault, bytes: a small JSON object.
    package static let faultDetail = 2 * 1024
}
