import BusBroker
import BusDirectory
import BusIntegrations

extension AdminAnswers {
    func status() -> StatusPage {
        let now = now
        let ledger = broker.readModel.ledger
        let overview = broker.readModel.overview
        let systems = ledger.systems(now: now)
        return StatusPage(
            now: RFC3339.text(now), nowMs: now, broker: brokerPart(overview), space: spacePart(overview.snapshot),
            windows: windows(overview.snapshot.space.thresholds), counters: StatusPage.Counters(overview.counters),
            queues: StatusPage.Queues(
                depth: overview.load.depth, inFlight: overview.load.inFlight, dead: overview.load.dead),
            matrix: StatusPage.Matrix(ledger.matrix(now: now)),
            systems: SystemHealth.allCases.map { health in
                StatusPage.HealthCount(health: health.rawValue, count: systems.count { $0.health == health })
            },
            notFunctioning: outages(systems), findings: ledger.findings(now: now).map(PlanFindingItem.init),
            changes: overview.changes.suffix(Self.shownChanges).reversed().map(StatusPage.Change.init))
    }

    private func brokerPart(_ overview: ReadModel.Overview) -> StatusPage.BrokerPart {
        let startedAt = broker.readModel.startedAt
        return StatusPage.BrokerPart(
            name: broker.configuration.name, software: Software.name, endpoint: broker.endpoint,
            publicKey: broker.publicKey, startedAt: RFC3339.text(startedAt), startedAtMs: startedAt,
            agents: overview.agents.count, openCalls: overview.load.openCalls, treeSize: overview.treeSize,
            draining: overview.load.isDraining, clockLeadMs: overview.clockLead)
    }

    private func spacePart(_ snapshot: SpaceSnapshot) -> StatusPage.SpacePart {
        StatusPage.SpacePart(
            id: snapshot.space.id, title: snapshot.space.title.anything ?? snapshot.space.id, version: snapshot.version,
            digest: snapshot.digest.description, isDemo: snapshot.space.isDemo, note: snapshot.space.note)
    }

    private func windows(_ thresholds: BusDirectory.Thresholds) -> StatusPage.Windows {
        StatusPage.Windows(
            windowMs: thresholds.window.count, minimumSample: thresholds.minimumSample,
            noSuccessMs: thresholds.noSuccessFor.count, dormantAfterMs: thresholds.dormantAfter.count,
            recoveryHoldMs: thresholds.recovery.holdFor.count, heartbeatMs: thresholds.heartbeat.interval.count,
            missedHeartbeats: thresholds.heartbeat.missed,
            nonFunctionalErrorPercent: thresholds.nonFunctionalErrorPercent,
            degradedErrorPercent: thresholds.degradedErrorPercent)
    }

    private func outages(_ systems: [SystemStatus]) -> [StatusPage.Outage] {
        systems.filter { $0.health == .nonFunctional }
            .sorted { ($0.since ?? 0, $0.declared.id) < ($1.since ?? 0, $1.declared.id) }
            .map {
                StatusPage.Outage(
                    system: $0.declared.id, cause: $0.cause?.rawValue, since: RFC3339.text($0.since), sinceMs: $0.since,
                    why: $0.why)
            }
    }
}

extension StatusPage.Matrix {
    init(_ matrix: StageMatrix) {
        declared = Stage.allCases.map(\.name)
        observed = ObservedState.allCases.map(\.name)
        total = matrix.total
        cells = Stage.allCases.flatMap { stage in
            ObservedState.allCases.compactMap { state in
                let count = matrix[stage, state]
                return count == 0 ? nil : Cell(declared: stage.name, observed: state.name, count: count)
            }
        }
    }
}

extension StatusPage.Counters {
    init(_ counters: BrokerCounters) {
        self.init(
            framesIn: counters.framesIn, framesOut: counters.framesOut, requestsAccepted: counters.requestsAccepted,
            repliesAccepted: counters.repliesAccepted, eventsAccepted: counters.eventsAccepted,
            commandsAccepted: counters.commandsAccepted, outcomesAccepted: counters.outcomesAccepted,
            deadLettered: counters.deadLettered,
            requestsFinished: counters.requestsFinished, requestsFailed: counters.requestsFailed,
            duplicates: counters.duplicates, refused: counters.refused, badFrames: counters.badFrames,
            commits: counters.commits, records: counters.records)
    }
}

extension StatusPage.Change {
    init(_ change: StateChange) {
        self.init(
            at: RFC3339.text(change.at), atMs: change.at, subject: change.subject.rawValue, id: change.id,
            from: change.from, to: change.to, cause: change.cause, why: change.why)
    }
}

extension PlanFindingItem {
    init(_ finding: PlanFinding) {
        self.init(
            code: finding.code.rawValue, integration: finding.integration, consumer: finding.consumer,
            service: finding.service, since: RFC3339.text(finding.since), sinceMs: finding.since,
            sentence: finding.sentence)
    }
}
