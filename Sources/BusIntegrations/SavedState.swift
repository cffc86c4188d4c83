/// The saved form: the plan and the thresholds as they are, each record of an integration as one packed text.
///
/// Every list is in a fixed order, so with a deterministic encoder the same ledger gives the same bytes.
extension IntegrationLedger: Codable {
    private enum CodingKeys: String, CodingKey {
        case plan, thresholds, records, systemRecords, departed, departedRecords, departedSystems, departedSystemRecords
        case refusals, clock, lastEvaluated, listeningSince, nonFunctionalAtYearEnd, strayObservations
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(plan, forKey: .plan)
        try container.encode(thresholds, forKey: .thresholds)
        try container.encode(records.map(\.packed), forKey: .records)
        try container.encode(systemRecords, forKey: .systemRecords)
        try container.encode(departed.map(\.declared), forKey: .departed)
        try container.encode(departed.map(\.record.packed), forKey: .departedRecords)
        try container.encode(departedSystems.map(\.declared), forKey: .departedSystems)
        try container.encode(departedSystems.map(\.record), forKey: .departedSystemRecords)
        try container.encode(refusals, forKey: .refusals)
        try container.encode(clock, forKey: .clock)
        try container.encodeIfPresent(lastEvaluated, forKey: .lastEvaluated)
        try container.encode(listeningSince, forKey: .listeningSince)
        try container.encode(nonFunctionalAtYearEnd, forKey: .nonFunctionalAtYearEnd)
        try container.encode(strayObservations, forKey: .strayObservations)
    }

    /// Throws `DecodingError` when the saved state is damaged or of another layout; the ledger is then rebuilt from the
    /// journal.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        // Through the initializer, so that a repeated id cannot come in by the saved state.
        let saved = try container.decode(Plan.self, forKey: .plan)
        self.init(
            plan: Plan(integrations: saved.integrations, systems: saved.systems),
            thresholds: try container.decode(Thresholds.self, forKey: .thresholds))
        let width = bucketWidth
        records = try container.packedRecords(.records, bucketWidth: width, count: plan.integrations.count)
        systemRecords = try container.decode([SystemRecord].self, forKey: .systemRecords)
        try container.check(
            systemRecords.count == plan.systems.count && systemRecords.allSatisfy(\.isPlausible), .systemRecords)
        let gone = try container.decode([DeclaredIntegration].self, forKey: .departed)
        let goneRecords = try container.packedRecords(.departedRecords, bucketWidth: width, count: gone.count)
        departed = zip(gone, goneRecords).map { Departed(declared: $0, record: $1) }
        let goneSystems = try container.decode([DeclaredSystem].self, forKey: .departedSystems)
        let goneSystemRecords = try container.decode([SystemRecord].self, forKey: .departedSystemRecords)
        try container.check(goneSystemRecords.count == goneSystems.count, .departedSystemRecords)
        departedSystems = zip(goneSystems, goneSystemRecords).map { Departed(declared: $0, record: $1) }
        refusals = try container.decode(RefusalTable.self, forKey: .refusals)
        clock = UnixTime.clamped(try container.decode(Int64.self, forKey: .clock))
        lastEvaluated = try container.decodeIfPresent(Int64.self, forKey: .lastEvaluated)
        try container.check((0...clock).contains(lastEvaluated ?? 0), .lastEvaluated)
        listeningSince = UnixTime.clamped(try container.decode(Int64.self, forKey: .listeningSince))
        nonFunctionalAtYearEnd = try container.decode([YearAmount].self, forKey: .nonFunctionalAtYearEnd)
        strayObservations = try container.decode(UInt64.self, forKey: .strayObservations)
    }
}

extension KeyedDecodingContainer {
    fileprivate func check(_ holds: Bool, _ key: Key) throws {
        guard holds else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self,
                debugDescription: "does not fit the rest of the saved state; rebuild it from the journal")
        }
    }

    fileprivate func packedRecords(_ key: Key, bucketWidth: Int64, count: Int) throws -> [IntegrationRecord] {
        let texts = try decode([String].self, forKey: key)
        try check(texts.count == count, key)
        do {
            return try texts.map { text throws(PackedFault) in
                try IntegrationRecord(packed: text, bucketWidth: bucketWidth)
            }
        } catch {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self,
                debugDescription: "a packed record is \(error); rebuild the state from the journal")
        }
    }
}
