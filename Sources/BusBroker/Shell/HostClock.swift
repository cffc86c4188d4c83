import Glibc

/// The host's clocks, made safe for a journal: the wall clock never runs back while this lives, and never behind `floor`.
struct HostClock: ~Copyable {
    /// Largest step by which an earlier journal may be ahead of the host's clock and still be believed: one day.
    static let believableLead: Int64 = 86_400_000_000

    private var lastWall: Int64

    /// - Parameter floor: the last time in the journal, Unix microseconds; 0 where there is none.
    init(floor: Int64) {
        let now = Self.read(CLOCK_REALTIME)
        lastWall = floor - now > Self.believableLead ? 0 : floor
    }

    mutating func now() -> Moment {
        lastWall = max(lastWall, Self.read(CLOCK_REALTIME))
        return Moment(monotonic: Self.read(CLOCK_MONOTONIC), wall: lastWall)
    }

    static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
