/// An instant as the core sees it. Both clocks are passed in; the core reads none.
package struct Moment: Sendable, Equatable {
    /// Microseconds of a clock that never steps: deadlines and silences are measured with it.
    package var monotonic: Int64
    /// Unix microseconds: written down, never used to judge a deadline of a request.
    package var wall: Int64

    package init(monotonic: Int64, wall: Int64) {
        self.monotonic = monotonic
        self.wall = wall
    }

    package var wallMilliseconds: Int64 { wall / 1000 }
}
