import BusDirectory
import BusIntegrations

/// The declared plan of a space in the terms of the rules that judge it.
extension Plan {
    init(_ snapshot: SpaceSnapshot) {
        let space = snapshot.space
        let services = Dictionary(space.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.init(
            integrations: space.integrations.map { integration in
                let service = services[integration.service]
                return DeclaredIntegration(
                    id: integration.id, consumer: integration.consumer, service: integration.service,
                    provider: service?.system ?? "", owner: integration.owner, planYear: integration.planYear,
                    due: integration.due.endOfDayMilliseconds,
                    stage: Stage(name: integration.stage.rawValue) ?? .planned,
                    baseline: integration.isBaseline,
                    promisedP95: service?.promisedP95.map { UInt32(clamping: $0.count * 1000) })
            },
            systems: space.systems.map {
                DeclaredSystem(
                    id: $0.id, heartbeatInterval: space.thresholds.heartbeat.interval.count,
                    freshnessPromise: $0.freshness?.count)
            })
    }
}

extension BusIntegrations.Thresholds {
    init(_ declared: BusDirectory.Thresholds) {
        self.init()
        window = declared.window.count
        minimumSamples = UInt64(declared.minimumSample)
        noSuccess = declared.noSuccessFor.count
        nonFunctionalErrors = UInt64(declared.nonFunctionalErrorPercent) * 10
        degradedErrors = UInt64(declared.degradedErrorPercent) * 10
        dormancy = declared.dormantAfter.count
        recoveryHold = declared.recovery.holdFor.count
        recoverySuccesses = UInt64(declared.recovery.successes)
        heartbeatInterval = declared.heartbeat.interval.count
        missedHeartbeats = Int64(declared.heartbeat.missed)
        // An approved integration may be new: nothing is said of its silence before D, or a day where D is longer.
        approvalGrace = min(approvalGrace, dormancy)
    }
}
