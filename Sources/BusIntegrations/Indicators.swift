/// A part of a whole, as the study shows it.
package struct Share: Sendable, Codable, Hashable {
    package var part: UInt64
    package var whole: UInt64

    package init(_ part: UInt64, of whole: UInt64) {
        self.part = part
        self.whole = whole
    }

    /// Tenths of a percent, rounded half up: 254 is 25.4 %. Nil where the whole is zero: unknown, not zero.
    package var tenthsOfPercent: UInt64? { Wording.tenthsOfPercent(part, of: whole) }

    /// `25.4 %`, or `–` where it is unknown.
    package var text: String { Wording.share(part, of: whole) }
}

/// The integrations of a year's plan and the non-functional systems of that year, by the formulas of the indicators.
package struct YearIndicators: Sendable, Codable, Hashable {
    /// Planned, and of those how many did what.
    package struct Count: Sendable, Codable, Hashable {
        package var planned: UInt64 = 0
        /// Shown as implemented by 31 December, with at least one success in production.
        package var implemented: UInt64 = 0
        /// Shown as implemented, but only after the year.
        package var implementedLate: UInt64 = 0
        /// Of the implemented of either kind: became non-functional later, and still is.
        package var laterRegressed: UInt64 = 0
        package var regressedNow: UInt64 = 0
        package var cancelled: UInt64 = 0
        /// No longer in the plan at all; it still counts as planned.
        package var removed: UInt64 = 0

        package var share: Share { Share(implemented, of: planned) }

        package init() {}
    }

    /// Nil for a pooled sum of years.
    package var year: Int?
    /// What stood in the plan from the start: the study's figures.
    package var baseline = Count()
    /// What was added later, shown apart.
    package var additions = Count()
    /// Systems non-functional when the year ended, or at present in the running year. Nil: not observed.
    package var nonFunctionalSystems: UInt64?
    /// Milliseconds of all systems in which they were shown non-functional in that year.
    package var nonFunctionalTime: UInt64 = 0

    package var nonFunctionalSystemDays: Double { Double(nonFunctionalTime) / Double(Thresholds.day) }

    package init(year: Int?) { self.year = year }

    /// Several years as one: counts and times are added. The number of non-functional systems is a snapshot and has no
    /// sum.
    package static func pooled(_ years: [YearIndicators]) -> YearIndicators {
        years.reduce(into: YearIndicators(year: nil)) { sum, year in
            sum.baseline += year.baseline
            sum.additions += year.additions
            sum.nonFunctionalTime += year.nonFunctionalTime
        }
    }
}

extension YearIndicators.Count {
    static func += (left: inout Self, right: Self) {
        left.planned += right.planned
        left.implemented += right.implemented
        left.implementedLate += right.implementedLate
        left.laterRegressed += right.laterRegressed
        left.regressedNow += right.regressedNow
        left.cancelled += right.cancelled
        left.removed += right.removed
    }

    fileprivate mutating func add(
        _ declared: DeclaredIntegration, _ record: IntegrationRecord, yearEnd: Int64, removed isRemoved: Bool
    ) {
        planned += 1
        if declared.stage == .cancelled { cancelled += 1 }
        if isRemoved { removed += 1 }
        guard let first = record.firstProductionSuccess, let shown = record.implementedAt else { return }
        if max(first, shown) < yearEnd { implemented += 1 } else { implementedLate += 1 }
        if record.regressions > 0 { laterRegressed += 1 }
        if record.state == .nonFunctional, record.regressions > 0, !isRemoved { regressedNow += 1 }
    }
}

extension IntegrationLedger {
    /// The indicators of one calendar year as known at `now`. What left the plan still counts as planned, and so does
    /// what was cancelled: neither improves the year.
    package func indicators(year: Int, now time: Int64) -> YearIndicators {
        let now = max(UnixTime.clamped(time), clock)
        var indicators = YearIndicators(year: year)
        let end = UnixTime.start(ofYear: min(year, 9999) + 1, offset: thresholds.calendarOffset)
        for (declared, record) in zip(plan.integrations, records) where declared.planYear == year {
            indicators.add(declared, record, yearEnd: end, removed: false)
        }
        for gone in departed where gone.declared.planYear == year {
            indicators.add(gone.declared, gone.record, yearEnd: end, removed: true)
        }
        indicators.nonFunctionalSystems = nonFunctionalSystems(year: year, now: now)
        indicators.nonFunctionalTime = nonFunctionalTime(year: year, now: now)
        return indicators
    }

    /// The years that have anything to report: of a plan, or with an evaluation.
    package func years(now time: Int64) -> [Int] {
        let planned = plan.integrations.map(\.planYear) + departed.map(\.declared.planYear)
        let closed = nonFunctionalAtYearEnd.map(\.year)
        let running = lastEvaluated.map { UnixTime.year(of: $0, offset: thresholds.calendarOffset) }
        return Set(planned + closed + [running].compactMap(\.self)).sorted()
    }

    private func nonFunctionalSystems(year: Int, now: Int64) -> UInt64? {
        if let count = nonFunctionalAtYearEnd.amount(of: year) { return UInt64(clamping: count) }
        let offset = thresholds.calendarOffset
        guard let lastEvaluated else { return nil }
        // Nothing was evaluated since: the year runs, or ended with the health last shown.
        let observed = UnixTime.year(of: lastEvaluated, offset: offset)...UnixTime.year(of: now, offset: offset)
        guard observed.contains(year) else { return nil }
        return UInt64(systemRecords.count { $0.health == .nonFunctional })
    }

    private func nonFunctionalTime(year: Int, now: Int64) -> UInt64 {
        let all = systemRecords + departedSystems.map(\.record)
        let counted = all.compactMap { $0.nonFunctionalTime.amount(of: year) }.reduce(0, +)
        var running: [YearAmount] = []
        if let lastEvaluated { running.accrue(from: lastEvaluated, to: now, offset: thresholds.calendarOffset) }
        let failing = Int64(systemRecords.count { $0.health == .nonFunctional })
        return UInt64(clamping: counted + failing * (running.amount(of: year) ?? 0))
    }
}

extension YearIndicators {
    fileprivate mutating func add(
        _ declared: DeclaredIntegration, _ record: IntegrationRecord, yearEnd: Int64, removed: Bool
    ) {
        if declared.baseline {
            baseline.add(declared, record, yearEnd: yearEnd, removed: removed)
        } else {
            additions.add(declared, record, yearEnd: yearEnd, removed: removed)
        }
    }
}
