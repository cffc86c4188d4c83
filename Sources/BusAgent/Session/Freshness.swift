import BusProtocol

/// What asks or answers is of this moment, so its signature must be as well: what was signed long ago is somebody's repetition, or
/// was signed with a key that has expired and under a date from before.
///
/// Commands, outcomes and events are not looked at: they may be on their way for days.
enum Freshness {
    /// How far the clocks of two agents' hosts may be apart, milliseconds.
    static let clockAllowance: Int64 = 300_000

    /// What may be the time on other agents' hosts.
    static func now(_ wall: Int64) -> ClosedRange<Int64> { wall - clockAllowance...wall + clockAllowance }

    /// - Parameter wall: this agent's clock, Unix milliseconds.
    static func refusal(of envelope: EnvelopeView, in raw: UnsafeRawBufferPointer, at wall: Int64) -> Fault? {
        let life: UInt32
        switch envelope.header.kind {
        case .request: life = envelope.header.remaining
        // How long it was asked for the asking agent knows elsewhere; none is asked for longer.
        case .reply: life = Limits.deadlineMilliseconds
        case .command, .outcome, .event, .keyEpoch, .keyWrap: return nil
        }
        let signedAt = SignedRoot.signedAt(of: raw[envelope.signedRoot])
        // A time so far off that the sum would overflow is refused as well.
        let (age, isAbsurd) = wall.subtractingReportingOverflow(signedAt)
        guard isAbsurd || age < -clockAllowance || age > Int64(life) + clockAllowance else { return nil }
        return Fault(
            .expiredOnArrival, at: .broker,
            "it was signed \(age / 1000) s before this agent's clock; somebody repeats it, or a clock is wrong")
    }
}
