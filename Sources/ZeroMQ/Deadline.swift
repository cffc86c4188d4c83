/// A moment on the monotonic clock, so that an interrupted wait goes on with the time that is left.
struct Deadline {
    private let moment: ContinuousClock.Instant

    init(after limit: Duration) {
        moment = .now.advanced(by: limit)
    }

    var hasPassed: Bool { moment <= .now }

    /// What is left, rounded up, at most a day (callers wait again), for `poll` and its kin.
    var remainingMilliseconds: Int32 {
        let left = ContinuousClock.Instant.now.duration(to: moment)
        guard left > .zero else { return 0 }
        guard left < .seconds(86_400) else { return 86_400_000 }
        let (seconds, attoseconds) = left.components
        return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
