/// One reading of both clocks, passed into the core so that a simulator can drive it.
package struct ClockReading: Sendable, Equatable {
    /// Monotonic, microseconds since any fixed point. Deadlines, silence and back-off are timed with it.
    package var now: UInt64
    /// Wall clock, Unix milliseconds. Only ids and headers carry it.
    package var wall: Int64

    package init(now: UInt64, wall: Int64) {
        self.now = now
        self.wall = wall
    }
}

extension UInt64 {
    /// "Never": a timer that does not run, a submission without a deadline.
    package static let never = UInt64.max

    /// Sum that stays at `.never` rather than overflow.
    func saturating(adding other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .never : sum
    }
}
