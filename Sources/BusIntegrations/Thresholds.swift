/// Every limit by which traffic is judged. Times are milliseconds, ratios are per mille, both whole numbers, so that a
/// boundary is met exactly and a replay judges as the first run did.
///
/// The initial values are the defaults for production.
package struct Thresholds: Sendable, Codable, Hashable {
    /// W: error ratio and latency are judged over at most this span, in `TrafficWindow.bucketCount` steps. 1 hour.
    package var window: Int64 = 60 * Self.minute
    /// Fewer samples in the window judge nothing. 20.
    package var minimumSamples: UInt64 = 20
    /// T: attempts for this long without one success make an integration non-functional. 15 minutes.
    package var noSuccess: Int64 = 15 * Self.minute
    /// An error ratio of at least this is non-functional. 500 ‰.
    package var nonFunctionalErrors: UInt64 = 500
    /// An error ratio over this is degraded. 50 ‰.
    package var degradedErrors: UInt64 = 50
    /// D: no traffic for this long is dormant. 30 days.
    package var dormancy: Int64 = 30 * Self.day

    /// A state gets better only after the rule has said so for this long without a relapse. 5 minutes.
    package var recoveryHold: Int64 = 5 * Self.minute
    /// … and, where traffic made it bad, after so many successes since it was last found bad. 1.
    package var recoverySuccesses: UInt64 = 1

    /// The interval of heartbeats where a system declares none. 10 seconds.
    package var heartbeatInterval: Int64 = 10_000
    /// So many heartbeats missed in a row make a system non-functional. 3.
    package var missedHeartbeats: Int64 = 3

    /// An approved integration may be without a production success for this long before it is a finding. 1 day.
    package var approvalGrace: Int64 = Self.day
    /// Refused traffic stays a finding for this long after its last occurrence. 30 days.
    package var refusalRetention: Int64 = 30 * Self.day
    /// Pairs of consumer and service that the table of refusals holds at most. 4,096.
    package var refusalPairs: Int = 4_096

    /// Where the calendar year begins, milliseconds east of UTC. 5 hours: the one time zone of Kazakhstan since 2024.
    package var calendarOffset: Int64 = 5 * 60 * Self.minute

    package static let minute: Int64 = 60_000
    package static let day: Int64 = 86_400_000

    package init() {}

    /// The same with every value within the bounds that the arithmetic relies on: times 0 … `UnixTime.latest` (the
    /// window and the heartbeat interval at least 1), ratios 0 … 1000 ‰, at least one sample, 1 … 65,536 pairs of
    /// refusals.
    package var bounded: Thresholds {
        var bounded = self
        for time in [
            \Thresholds.window, \.noSuccess, \.dormancy, \.recoveryHold, \.heartbeatInterval, \.approvalGrace,
            \.refusalRetention, \.missedHeartbeats,
        ] { bounded[keyPath: time] = UnixTime.clamped(bounded[keyPath: time]) }
        for time in [\Thresholds.window, \.heartbeatInterval, \.missedHeartbeats] {
            bounded[keyPath: time] = max(1, bounded[keyPath: time])
        }
        bounded.minimumSamples = max(1, minimumSamples)
        bounded.nonFunctionalErrors = min(nonFunctionalErrors, 1000)
        bounded.degradedErrors = min(degradedErrors, 1000)
        bounded.refusalPairs = min(max(1, refusalPairs), 65_536)
        bounded.calendarOffset = min(max(calendarOffset, -Self.day), Self.day)
        return bounded
    }

    /// For a demonstration that lasts a minute: the same rules, spans of seconds.
    package static var demonstration: Thresholds {
        var thresholds = Thresholds()
        thresholds.window = 20_000
        thresholds.noSuccess = 5_000
        thresholds.dormancy = 120_000
        thresholds.recoveryHold = 3_000
        thresholds.heartbeatInterval = 1_000
        thresholds.approvalGrace = 15_000
        return thresholds
    }
}
