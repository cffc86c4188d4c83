/// What came of a campaign: one row of the table of docs/RELIABILITY.md.
package struct CampaignResult: Codable, Sendable {
    package struct Recovery: Codable, Sendable {
        package var p50Milliseconds: Int
        package var maxMilliseconds: Int
    }

    package var campaign = ""
    package var fault = ""
    package var injector = ""
    package var seed: UInt64 = 0
    /// Faults that were asked for; what is done may be a few more.
    package var ordered = 0
    /// Faults that were done, by kind.
    package var kinds: [String: Int] = [:]
    package var commands = 0
    package var events = 0
    /// What was under way, in words.
    package var load = ""
    /// Promised, and without effect or outcome when everything had healed.
    package var lost = 0
    /// Effects beyond one.
    package var duplicated = 0
    /// Effects before an earlier one of the same order key.
    package var outOfOrder = 0
    /// What did not come to an end, or back to work, in its time.
    package var stuck = 0
    /// Any other promise that was broken.
    package var broken = 0
    /// Deliveries beyond one, each without an effect; no fault, but worth knowing.
    package var deliveredAgain = 0
    /// From the end of a fault to the next work done.
    package var recovery: Recovery?
    package var recoveryMilliseconds: [Int] = []
    package var seconds = 0.0
    /// Why nothing was run.
    package var notRun: String?
    /// The first of what was found.
    package var findings: [String] = []

    package init() {}

    package var runs: Int { kinds.values.reduce(0, +) }
    package var isClean: Bool { lost + duplicated + outOfOrder + stuck + broken == 0 }

    private static let findingsKept = 10

    mutating func count(_ kind: String, _ number: Int = 1) { kinds[kind, default: 0] += number }
    mutating func lose(_ ids: [String]) { note("lost", ids, in: \.lost) }
    mutating func duplicate(_ ids: [String]) { note("twice", ids, in: \.duplicated) }
    mutating func disorder(_ ids: [String]) { note("out of order", ids, in: \.outOfOrder) }
    mutating func stick(_ what: [String]) { note("stuck", what, in: \.stuck) }
    package mutating func breakPromise(_ what: [String]) { note("broken", what, in: \.broken) }

    mutating func end(_ error: any Error) {
        switch (error as? CampaignEnd)?.kind {
        case .stuck?, nil: stick(["\(error)"])
        case .broken?: breakPromise(["\(error)"])
        }
    }

    mutating func recovered(_ times: [Duration]) {
        recoveryMilliseconds += times.map { Int($0.milliseconds.rounded()) }
        recoveryMilliseconds.sort()
        guard let longest = recoveryMilliseconds.last else { return }
        let middle = recoveryMilliseconds[recoveryMilliseconds.count / 2]
        recovery = Recovery(p50Milliseconds: middle, maxMilliseconds: longest)
    }

    private mutating func note(_ word: String, _ what: [String], in field: WritableKeyPath<CampaignResult, Int>) {
        self[keyPath: field] += what.count
        findings += what.prefix(max(0, Self.findingsKept - findings.count)).map { "\(word): \($0)" }
    }

    /// One line for a terminal.
    package var line: String {
        if let notRun { return "\(campaign): NOT RUN: \(notRun)" }
        let counts =
            "lost \(lost), twice \(duplicated), out of order \(outOfOrder), stuck \(stuck), otherwise broken \(broken)"
        let times = recovery.map { "; recovery p50 \($0.p50Milliseconds) ms, max \($0.maxMilliseconds) ms" } ?? ""
        let parts = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return "\(campaign): \(runs) runs (\(parts)), \(load); \(counts)\(times); seed \(seed), \(Int(seconds)) s"
    }
}

extension Duration {
    var milliseconds: Double { self / .milliseconds(1) }
}
