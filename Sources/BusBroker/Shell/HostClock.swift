import BusProtocol
import Glibc

/// The host's clocks, made safe for a journal: the wall clock never runs back while this lives, and never behind `floor`.
struct HostClock: ~Copyable {
    private var wall: RisingWall

    /// - Parameter floor: the last time in the journal, Unix microseconds; 0 where there is none.
    init(floor: Int64) {
        wall = RisingWall(floor: floor, reading: Self.read(CLOCK_REALTIME))
    }

    mutating func now() -> Moment {
        Moment(monotonic: Self.read(CLOCK_MONOTONIC), wall: wall.risen(to: Self.read(CLOCK_REALTIME)))
    }

    /// How far a moment is ahead of the host's clock, milliseconds: more than nothing where that has run back since.
    static func lead(of moment: Moment) -> Int64 { max(0, moment.wall - read(CLOCK_REALTIME)) / 1000 }

    static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

/// A wall clock made safe for a journal, whatever the host's does: a reading behind an earlier one is not believed.
package struct RisingWall: Sendable {
    /// Largest step by which an earlier journal may be ahead of the host's clock and still be believed: one day.
    package static let believableLead: Int64 = 86_400_000_000

    private var last: Int64

    /// - Parameter floor: the last time in the journal, Unix microseconds; 0 where there is none.
    package init(floor: Int64, reading: Int64) {
        last = floor - reading > Self.believableLead ? 0 : floor
    }

    package mutating func risen(to reading: Int64) -> Int64 {
        last = Mutant.isOn(.clockRunsBack) ? reading : max(last, reading)
        return last
    }
}
