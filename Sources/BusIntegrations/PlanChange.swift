extension IntegrationLedger {
    /// Puts a new plan in force. Histories follow the ids of integrations and systems, whatever their new position;
    /// what left the plan keeps its history, and finds it again should it come back.
    ///
    /// `Exchange.integration` means positions of the new plan from here on. With a `thresholds.window` of another
    /// length the windows begin anew, for their buckets have another width.
    package mutating func apply(newPlan: Plan, thresholds newThresholds: Thresholds? = nil) {
        let old = history(of: plan.integrations, records, departed)
        let oldSystems = history(of: plan.systems, systemRecords, departedSystems)
        let width = bucketWidth
        thresholds = newThresholds?.bounded ?? thresholds

        records = newPlan.integrations.map { declared in
            carried(old[declared.id], to: declared, sameWidth: width == bucketWidth)
        }
        systemRecords = newPlan.systems.map { oldSystems[$0.id]?.record ?? SystemRecord() }
        departed = remaining(departed, leaving: plan.integrations, old, kept: Set(newPlan.integrations.map(\.id)))
        for index in departed.indices { departed[index].record = departed[index].record.withoutWindow }
        departedSystems = remaining(
            departedSystems, leaving: plan.systems, oldSystems, kept: Set(newPlan.systems.map(\.id)))
        plan = newPlan
        links = PlanLinks(newPlan)
    }

    private func history<Declared: Identified, Record>(
        of declared: [Declared], _ records: [Record], _ departed: [Departed<Declared, Record>]
    ) -> [String: Departed<Declared, Record>] {
        let present = zip(declared, records).map { Departed(declared: $0, record: $1) }
        return Dictionary((present + departed).map { ($0.declared.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// What left the plan earlier and has not come back, then what leaves it now.
    private func remaining<Declared: Identified, Record>(
        _ departed: [Departed<Declared, Record>], leaving declared: [Declared],
        _ history: [String: Departed<Declared, Record>], kept: Set<String>
    ) -> [Departed<Declared, Record>] {
        let earlier = departed.filter { !kept.contains($0.declared.id) }
        let now = declared.compactMap { kept.contains($0.id) ? nil : history[$0.id] }
        return (earlier + now).suffix(Self.departedLimit)
    }

    private func carried(
        _ old: Departed<DeclaredIntegration, IntegrationRecord>?, to declared: DeclaredIntegration, sameWidth: Bool
    ) -> IntegrationRecord {
        var record = old?.record ?? IntegrationRecord()
        if !sameWidth { record = record.withoutWindow }
        if let since = declared.stageSince {
            record.stageSince = UnixTime.clamped(since)
        } else if old?.declared.stage != declared.stage {
            record.stageSince = clock > 0 ? clock : nil
        }
        return record
    }
}

/// A declaration with an id that is stable over the versions of the plan.
protocol Identified: Sendable, Codable, Hashable {
    var id: String { get }
}

extension DeclaredIntegration: Identified {}
extension DeclaredSystem: Identified {}

extension IntegrationRecord {
    /// The same record with an empty window.
    var withoutWindow: IntegrationRecord {
        var record = self
        record.window = TrafficWindow()
        return record
    }
}
