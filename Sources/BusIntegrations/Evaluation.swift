extension IntegrationLedger {
    /// Judges every system and every integration as of `now`, advances the hysteresis, and returns every change of a
    /// shown state for the journal: systems first, each in the order of the plan.
    ///
    /// Call it at a steady pace (a second in production): a change is dated by the evaluation that finds it.
    package mutating func evaluate(now time: Int64) -> [StateChange] {
        let now = advance(to: time)
        accountYears(until: now)
        let windows = records.map { $0.window.totals(now: now, bucketWidth: bucketWidth) }
        let traffic = systemTraffic(windows)
        var changes: [StateChange] = []
        let down = evaluateSystems(traffic, now: now, changes: &changes)
        evaluateIntegrations(windows, traffic: traffic, down: down, now: now, changes: &changes)
        refusals.forget(before: now - thresholds.refusalRetention)
        lastEvaluated = now
        return changes
    }

    /// Adds the time since the last evaluation to the years of systems shown non-functional, and closes ended years.
    private mutating func accountYears(until now: Int64) {
        guard let last = lastEvaluated else { return }
        let offset = thresholds.calendarOffset
        let failing = systemRecords.indices.filter { systemRecords[$0].health == .nonFunctional }
        for index in failing {
            systemRecords[index].nonFunctionalTime.accrue(from: last, to: now, offset: offset)
        }
        for year in UnixTime.year(of: last, offset: offset)..<UnixTime.year(of: now, offset: offset) {
            nonFunctionalAtYearEnd.append(YearAmount(year: year, amount: Int64(failing.count)))
        }
    }

    func systemTraffic(_ windows: [WindowTotals]) -> [SystemTraffic] {
        var traffic = [SystemTraffic](repeating: SystemTraffic(), count: systemRecords.count)
        for index in records.indices {
            let provider = links.provider[index]
            traffic[provider].provided += windows[index]
            traffic[provider].successes &+= records[index].successes
            traffic[provider].seen(at: records[index].lastAttempt)
            traffic[links.consumer[index]].seen(at: records[index].lastAttempt)
        }
        return traffic
    }

    func healthRule(_ index: Int, traffic: SystemTraffic, now: Int64) -> HealthRule {
        HealthRule(
            declared: plan.systems[index], record: systemRecords[index], traffic: traffic,
            listeningSince: listeningSince, thresholds: thresholds, now: now)
    }

    func stateRule(_ index: Int, window: WindowTotals, providerIsDown: Bool, now: Int64) -> StateRule {
        StateRule(
            declared: plan.integrations[index], record: records[index], window: window,
            providerIsDown: providerIsDown, thresholds: thresholds, now: now)
    }

    /// Returns which systems are down by the rule itself: their integrations have a hysteresis of their own.
    private mutating func evaluateSystems(
        _ traffic: [SystemTraffic], now: Int64, changes: inout [StateChange]
    ) -> [Bool] {
        var down = [Bool](repeating: false, count: systemRecords.count)
        for index in systemRecords.indices {
            let rule = healthRule(index, traffic: traffic[index], now: now)
            let verdict = rule.verdict()
            down[index] = verdict.cause?.isDown ?? false
            let finding = Recovery.Finding(
                severity: verdict.severity, fromTraffic: verdict.cause == .errors,
                successes: traffic[index].successes, needsNoProof: verdict.health == .dormant)
            let shown = systemRecords[index]
            guard
                systemRecords[index].recovery.admits(
                    finding, shown: shown.cause?.severity ?? 0, now: now, thresholds: thresholds),
                shown.health != verdict.health || shown.cause != verdict.cause
            else { continue }
            systemRecords[index].health = verdict.health
            systemRecords[index].cause = verdict.cause
            systemRecords[index].since = now
            changes.append(
                StateChange(
                    subject: .system, id: rule.declared.id, from: shown.health.rawValue, to: verdict.health.rawValue,
                    cause: verdict.cause?.rawValue,
                    why: "\(rule.declared.id) is \(verdict.health.rawValue): \(rule.why(verdict)).", at: now))
        }
        return down
    }

    private mutating func evaluateIntegrations(
        _ windows: [WindowTotals], traffic: [SystemTraffic], down: [Bool], now: Int64, changes: inout [StateChange]
    ) {
        for index in records.indices {
            if records[index].stageSince == nil { records[index].stageSince = now }
            let provider = links.provider[index]
            let rule = stateRule(index, window: windows[index], providerIsDown: down[provider], now: now)
            let verdict = rule.verdict()
            let finding = Recovery.Finding(
                severity: verdict.state.severity, fromTraffic: verdict.isFromTraffic,
                successes: rule.record.successes,
                needsNoProof: verdict.state == .dormant || rule.declared.stage.isClosed)
            let shown = rule.record.state
            guard
                records[index].recovery.admits(
                    finding, shown: shown.severity, now: now, thresholds: thresholds),
                shown != verdict.state
            else { continue }
            records[index].show(verdict.state, at: now)
            let why = rule.why(verdict, providerWhy: providerClause(provider, traffic: traffic[provider], now: now))
            changes.append(
                StateChange(
                    subject: .integration, id: rule.declared.id, from: shown.name, to: verdict.state.name,
                    cause: verdict.cause?.rawValue, why: why, at: now))
        }
    }

    /// Why a provider is as it is, as a clause.
    func providerClause(_ index: Int, traffic: SystemTraffic, now: Int64) -> String {
        let rule = healthRule(index, traffic: traffic, now: now)
        return rule.why(rule.verdict())
    }
}
