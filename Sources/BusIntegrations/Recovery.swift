/// The hysteresis of integrations and of systems alike.
///
/// The rule (documented for operators):
/// 1. Getting worse is immediate: the first evaluation that finds a worse state shows it.
/// 2. Getting better waits until every evaluation for `Thresholds.recoveryHold` found a better state; one relapse
///    starts the wait anew.
/// 3. Silence is no recovery. Where traffic made the state bad, `Thresholds.recoverySuccesses` must have come since the
///    last evaluation that found it bad; errors that merely leave the window prove nothing. Only dormancy, or the end
///    of the integration, ends such a state without a success.
struct Recovery: Sendable, Codable, Hashable {
    private var betterSince: Int64?
    private var needsSuccess = false
    private var successesWhenBad: UInt64 = 0

    private enum CodingKeys: String, CodingKey {
        case betterSince = "b"
        case needsSuccess = "n"
        case successesWhenBad = "s"
    }

    init() {}

    /// One evaluation's finding, as far as recovery is concerned.
    struct Finding {
        /// 0 is well; the larger, the worse.
        var severity: Int
        /// The severity comes from traffic, so that only traffic can disprove it.
        var fromTraffic: Bool
        /// All successes so far.
        var successes: UInt64
        /// The state may end without a success.
        var needsNoProof: Bool
    }

    /// Whether the finding may be shown now in place of a state of severity `shown`.
    mutating func admits(_ finding: Finding, shown: Int, now: Int64, thresholds: Thresholds) -> Bool {
        guard finding.severity < shown else {
            confirm(finding)
            return true
        }
        let since = betterSince ?? now
        betterSince = since
        let proven = finding.successes - min(finding.successes, successesWhenBad) >= thresholds.recoverySuccesses
        guard now - since >= thresholds.recoveryHold else { return false }
        guard !needsSuccess || proven || finding.needsNoProof else { return false }
        needsSuccess = false
        confirm(finding)
        return true
    }

    private mutating func confirm(_ finding: Finding) {
        betterSince = nil
        guard finding.severity > 0 else { return }
        needsSuccess = needsSuccess || finding.fromTraffic
        if finding.fromTraffic { successesWhenBad = finding.successes }
    }

    /// When the rule began to find a better state than the shown one.
    var underway: Int64? { betterSince }
}

extension Recovery {
    func pack(into bytes: inout PackedWriter) {
        bytes.put(betterSince)
        bytes.put(unsigned: needsSuccess ? 1 : 0)
        bytes.put(unsigned: successesWhenBad)
    }

    init(unpacking bytes: inout PackedReader) throws(PackedFault) {
        betterSince = try bytes.time()
        needsSuccess = try bytes.unsigned() == 1
        successesWhenBad = try bytes.unsigned()
    }
}
