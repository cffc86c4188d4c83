/// A contradiction between the plan and the traffic that nobody gets from a form.
package struct PlanFinding: Sendable, Codable, Hashable {
    /// In the order in which an operator reads them; the raw values are stable codes.
    package enum Code: String, Sendable, Codable, Hashable, CaseIterable {
        /// Traffic was carried in a stage that has no right. The bus refuses it, so this is a fault of the bus.
        case trafficWithoutRight = "traffic-without-right"
        case implementedThenRegressed = "implemented-then-regressed"
        case approvedNeverWorked = "approved-never-worked"
        case attemptedWithoutApproval = "attempted-without-approval"
        case testingPastDue = "testing-past-due"
        /// Planned or in development, and the due date has passed.
        case notStartedPastDue = "not-started-past-due"
        case approvedDormant = "approved-dormant"
    }

    package var code: Code
    /// The id of the integration; nil for traffic between a pair that no plan knows.
    package var integration: String?
    package var consumer: String
    package var service: String
    /// One sentence with the figures.
    package var sentence: String
    /// Since when it is so, Unix milliseconds.
    package var since: Int64

    package init(
        code: Code, integration: String?, consumer: String, service: String, sentence: String, since: Int64
    ) {
        self.code = code
        self.integration = integration
        self.consumer = consumer
        self.service = service
        self.sentence = sentence
        self.since = since
    }
}

extension IntegrationLedger {
    /// All findings, ordered by code, then the oldest first, then by consumer and service.
    package func findings(now time: Int64) -> [PlanFinding] {
        let now = max(UnixTime.clamped(time), clock)
        let declared = records.indices.flatMap { index in
            FindingRule(
                declared: plan.integrations[index], record: records[index],
                providerIsUnknown: systemRecords[links.provider[index]].lastHeartbeat == nil,
                thresholds: thresholds, now: now
            ).findings()
        }
        return (declared + refusedTraffic()).sorted(by: readBefore)
    }

    private func readBefore(_ left: PlanFinding, _ right: PlanFinding) -> Bool {
        let codes = PlanFinding.Code.allCases
        let order = { codes.firstIndex(of: $0) ?? codes.count }
        guard left.code == right.code else { return order(left.code) < order(right.code) }
        return (left.since, left.consumer, left.service) < (right.since, right.consumer, right.service)
    }

    /// One finding for each pair that was refused, unless the integration was opened after its last refusal.
    private func refusedTraffic() -> [PlanFinding] {
        let pairs = plan.integrations.indices.map { index in
            (
                RefusalTable.Pair(
                    consumer: plan.integrations[index].consumer, service: plan.integrations[index].service), index
            )
        }
        let byPair = Dictionary(pairs, uniquingKeysWith: preferredForRefusals)
        return refusals.entries.compactMap { entry in
            let index = byPair[RefusalTable.Pair(consumer: entry.consumer, service: entry.service)]
            if let index, wasOpened(index, after: entry.last) { return nil }
            let stage = index.map { "it is declared \(plan.integrations[$0].stage.name)" } ?? "no plan knows it"
            let count = Wording.plural(entry.count, "call was", "calls were")
            let sentence =
                "\(entry.consumer) has no right to \(entry.service): \(stage). \(count) refused with \(entry.code), "
                + "the last at \(UnixTime.text(entry.last))."
            return PlanFinding(
                code: .attemptedWithoutApproval, integration: index.map { plan.integrations[$0].id },
                consumer: entry.consumer, service: entry.service, sentence: sentence, since: entry.first)
        }
    }

    /// Of two integrations for the same pair, such as a retired one and its successor, the one that carries traffic.
    private func preferredForRefusals(_ first: Int, _ second: Int) -> Int {
        plan.integrations[first].stage.carriesTraffic ? first : second
    }

    private func wasOpened(_ index: Int, after last: Int64) -> Bool {
        guard plan.integrations[index].stage.carriesTraffic, let since = records[index].stageSince else { return false }
        return since >= last
    }
}

/// The findings about one declared integration: a pure function.
struct FindingRule {
    let declared: DeclaredIntegration
    let record: IntegrationRecord
    let providerIsUnknown: Bool
    let thresholds: Thresholds
    let now: Int64

    func findings() -> [PlanFinding] {
        [withoutRight(), regressed(), neverWorked(), pastDue(), dormant()].compactMap(\.self)
    }

    private func withoutRight() -> PlanFinding? {
        guard let since = record.withoutRightSince else { return nil }
        let exchanges = Wording.plural(record.withoutRight, "exchange was", "exchanges were")
        return finding(
            .trafficWithoutRight, since: since,
            "\(exchanges) carried while the plan gave no right; the bus should have refused.")
    }

    private func regressed() -> PlanFinding? {
        guard record.state == .nonFunctional, let since = record.regressedAt, !declared.stage.isClosed else {
            return nil
        }
        let implemented = record.implementedAt.map { " at \(UnixTime.text($0))" } ?? ""
        return finding(
            .implementedThenRegressed, since: since,
            "Implemented\(implemented), non-functional since \(UnixTime.text(since)) "
                + "(\(Wording.plural(record.regressions, "regression", "regressions")) in all).")
    }

    private func neverWorked() -> PlanFinding? {
        guard declared.stage == .approved, record.firstProductionSuccess == nil, let since = record.stageSince,
            now - since >= thresholds.approvalGrace
        else { return nil }
        let attempts = max(record.accepted, record.errors &+ record.notJudged)
        let provider = providerIsUnknown ? " Its provider \(declared.provider) was never heard of." : ""
        return finding(
            .approvedNeverWorked, since: since,
            "Approved for \(Wording.span(now - since)) without one success in production; "
                + "\(Wording.plural(attempts, "attempt", "attempts")) so far.\(provider)")
    }

    private func pastDue() -> PlanFinding? {
        let due = UnixTime.clamped(declared.due)
        guard now > due else { return nil }
        let late = "\(Wording.span(now - due)) past its due date \(UnixTime.text(due))"
        switch declared.stage {
        case .testing:
            return finding(.testingPastDue, since: due, "Still testing \(late); \(record.successes) test successes.")
        case .planned, .inDevelopment:
            return finding(.notStartedPastDue, since: due, "Still \(declared.stage.name) \(late).")
        case .approved, .retired, .cancelled:
            return nil
        }
    }

    private func dormant() -> PlanFinding? {
        guard declared.stage == .approved, record.state == .dormant, let since = record.lastAttempt else { return nil }
        return finding(
            .approvedDormant, since: since,
            "Approved, but without traffic for \(Wording.span(now - since)), since \(UnixTime.text(since)).")
    }

    private func finding(_ code: PlanFinding.Code, since: Int64, _ sentence: String) -> PlanFinding {
        PlanFinding(
            code: code, integration: declared.id, consumer: declared.consumer, service: declared.service,
            sentence: sentence, since: since)
    }
}
