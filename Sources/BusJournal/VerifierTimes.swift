/// Where the time of a verification went. Nothing is done beside something else, so the parts add up to the whole.
package struct VerifierTimes: Sendable, Codable {
    /// SQLite: batches, bodies, views, and its examination of the file.
    package var reading: Duration
    /// Records decoded, hashed into leaves, tree and chain, and all that is compared with what was written.
    package var hashing: Duration
    /// Proofs of messages: their paths, and the signatures of their roots.
    package var signing: Duration

    package init(reading: Duration = .zero, hashing: Duration = .zero, signing: Duration = .zero) {
        (self.reading, self.hashing, self.signing) = (reading, hashing, signing)
    }

    package var whole: Duration { reading + hashing + signing }

    /// How many of something a second; 0 where nothing was done, or no time went into it.
    package static func rate(_ count: Int, in time: Duration) -> Int {
        guard time > .zero else { return 0 }
        return Int(exactly: (Double(count) / (time / .seconds(1))).rounded()) ?? 0
    }
}

/// Time since it was last asked.
struct Stopwatch {
    private var last = ContinuousClock.now

    mutating func lap() -> Duration {
        let now = ContinuousClock.now
        defer { last = now }
        return now - last
    }
}
