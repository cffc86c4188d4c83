/// When an integration or a system counts as non-functional, degraded, dormant or well again. All of it is policy, so all
/// of it lives in the space file; what the file leaves out has the production value.
package struct Thresholds: Sendable, Codable, Equatable {
    /// Length of the sliding window over which error ratios and percentiles are taken.
    package var window: Milliseconds
    /// Fewest observations in the window before a ratio or percentile says anything.
    package var minimumSample: Int
    /// T: attempts without any success for so long make an integration non-functional.
    package var noSuccessFor: Milliseconds
    /// Errors (408, 502, 503) in percent of attempts from which an integration is non-functional.
    package var nonFunctionalErrorPercent: Int
    /// Errors in percent above which an integration is degraded.
    package var degradedErrorPercent: Int
    /// D: no traffic for so long makes an integration or system dormant.
    package var dormantAfter: Milliseconds
    /// Errors in percent of its requests from which a system is non-functional.
    package var systemErrorPercent: Int
    package var recovery: Recovery
    package var heartbeat: Heartbeat
    /// A function is automated when each of its operations was seen within this time.
    package var automationWindow: Milliseconds

    /// Hysteresis: a bad state is left only when both hold.
    package struct Recovery: Sendable, Codable, Equatable {
        /// So many successes in a row.
        package var successes: Int
        /// No observation of the bad state for so long.
        package var holdFor: Milliseconds

        package init(successes: Int, holdFor: Milliseconds) {
            self.successes = successes
            self.holdFor = holdFor
        }
    }

    package struct Heartbeat: Sendable, Codable, Equatable {
        package var interval: Milliseconds
        /// So many missed in a row make a system non-functional.
        package var missed: Int

        package init(interval: Milliseconds, missed: Int) {
            self.interval = interval
            self.missed = missed
        }

        /// Silence after which the system is non-functional.
        package var silence: Milliseconds { Milliseconds(interval.count * Int64(missed)) }
    }

    package static let production = Thresholds(
        window: .minutes(5), minimumSample: 20, noSuccessFor: .minutes(15), nonFunctionalErrorPercent: 50,
        degradedErrorPercent: 5, dormantAfter: .days(30), systemErrorPercent: 50,
        recovery: Recovery(successes: 3, holdFor: .minutes(2)),
        heartbeat: Heartbeat(interval: .seconds(10), missed: 3), automationWindow: .days(365))

    package init(
        window: Milliseconds, minimumSample: Int, noSuccessFor: Milliseconds, nonFunctionalErrorPercent: Int,
        degradedErrorPercent: Int, dormantAfter: Milliseconds, systemErrorPercent: Int, recovery: Recovery,
        heartbeat: Heartbeat, automationWindow: Milliseconds
    ) {
        self.window = window
        self.minimumSample = minimumSample
        self.noSuccessFor = noSuccessFor
        self.nonFunctionalErrorPercent = nonFunctionalErrorPercent
        self.degradedErrorPercent = degradedErrorPercent
        self.dormantAfter = dormantAfter
        self.systemErrorPercent = systemErrorPercent
        self.recovery = recovery
        self.heartbeat = heartbeat
        self.automationWindow = automationWindow
    }
}

extension Thresholds {
    /// A combination that would make the states meaningless. `member` is the member of the file to look at.
    struct Absurdity: Equatable {
        var member: String
        var what: String
        var right: String
    }

    /// Every combination that makes no sense, in the order of the members.
    var absurdities: [Absurdity] {
        var found: [Absurdity] = []
        func require(_ isRight: Bool, _ member: String, _ what: String, _ right: String) {
            if !isRight { found.append(Absurdity(member: member, what: what, right: right)) }
        }
        require(
            window.count <= Milliseconds.days(31).count, "window", "a window of \(window)",
            "at most 31d; ratios over longer times hide an outage")
        require(
            window.count >= heartbeat.interval.count, "window",
            "a window (\(window)) shorter than one heartbeat (\(heartbeat.interval))",
            "a window of several heartbeats")
        require(
            noSuccessFor.count >= heartbeat.interval.count, "noSuccessFor",
            "T (\(noSuccessFor)) is shorter than one heartbeat (\(heartbeat.interval))", "a T of several heartbeats")
        require(
            degradedErrorPercent < nonFunctionalErrorPercent, "degradedErrorPercent",
            "degraded (\(degradedErrorPercent) %) does not come before non-functional (\(nonFunctionalErrorPercent) %)",
            "a smaller percentage for degraded")
        require(
            dormantAfter.count > window.count, "dormantAfter",
            "dormant after \(dormantAfter), within the window of \(window)", "longer than the window")
        require(
            dormantAfter.count > noSuccessFor.count, "dormantAfter",
            "dormant after \(dormantAfter), before T (\(noSuccessFor)) can make it non-functional",
            "longer than noSuccessFor")
        require(
            recovery.holdFor.count < dormantAfter.count, "recovery",
            "recovery is held for \(recovery.holdFor), longer than until dormant (\(dormantAfter))", "a shorter holdFor"
        )
        require(
            automationWindow.count >= window.count, "automationWindow",
            "functions are observed for \(automationWindow), shorter than the window of \(window)", "30d or more")
        return found
    }

    /// Windows that suit a demonstration and would call a quiet register dormant over lunch.
    var areShort: Bool { dormantAfter.count < Milliseconds.days(1).count }
}
