import BusEvidence

/// Logs that the broker has named in ACCEPTs and not yet proven: what it may still hope to be asked for never. It cannot be asked for
/// each, so some are drawn by lot, and the broker does not know which.
struct UnprovenHeads: Sendable {
    /// Of ended sessions; beyond it one of the newer ones gives way.
    private static let mostSessions = 4
    /// Drawn from all that were named since the last proof.
    private static let mostDrawn = 2

    /// Where sessions ended; the oldest stays whatever happens.
    private var sessions: [TreeHead] = []
    private var drawn: [TreeHead] = []
    private var named = 0

    /// A session ended before its log was shown to go on.
    var hasSessions: Bool { !sessions.isEmpty }
    var all: [TreeHead] { sessions + drawn }

    mutating func sessionEnded(at head: TreeHead, _ random: inout some RandomNumberGenerator) {
        guard !sessions.contains(head) else { return }
        if sessions.count < Self.mostSessions { return sessions.append(head) }
        sessions[Int.random(in: 1..<sessions.count, using: &random)] = head
    }

    /// Every head that is named until the next proof is kept with the same probability.
    mutating func accepted(_ head: TreeHead, _ random: inout some RandomNumberGenerator) {
        named += 1
        if drawn.count < Self.mostDrawn { return drawn.append(head) }
        let place = Int.random(in: 0..<named, using: &random)
        if place < drawn.count { drawn[place] = head }
    }

    /// These were shown to be of one log.
    mutating func remove(_ proven: [TreeHead]) {
        sessions.removeAll(where: proven.contains)
        let count = drawn.count
        drawn.removeAll(where: proven.contains)
        if drawn.count < count { named = drawn.count }
    }
}
