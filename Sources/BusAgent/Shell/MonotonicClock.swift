import Glibc

extension ClockReading {
    /// Both clocks of this machine, now.
    static func current() -> ClockReading {
        ClockReading(now: microseconds(CLOCK_MONOTONIC), wall: Int64(microseconds(CLOCK_REALTIME) / 1000))
    }

    private static func microseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }
}

extension Duration {
    /// Whole microseconds, at least 0, bounded so that sums cannot overflow.
    var microseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 1_000_000_000)) * 1_000_000 + UInt64(attoseconds / 1_000_000_000_000)
    }
}
