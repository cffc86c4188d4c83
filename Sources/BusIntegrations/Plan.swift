/// One integration as the plan declares it: a consumer system may use a service of a provider system.
package struct DeclaredIntegration: Sendable, Codable, Hashable {
    /// Stable over all versions of the plan; the history of the traffic hangs on it.
    package var id: String
    package var consumer: String
    /// The service or event type, such as `individuals.person-get.v1`.
    package var service: String
    package var provider: String
    /// The agency that answers for the integration being done.
    package var owner: String
    package var planYear: Int
    /// When it is promised to be approved and working, Unix milliseconds.
    package var due: Int64
    package var stage: Stage
    /// True when it stood in the year's plan from the start; false for a later addition.
    package var baseline: Bool
    /// The contract's promise: 95 % of the successes take at most this many microseconds. Nil: nothing is promised.
    package var promisedP95: UInt32?
    /// When the declared stage began, Unix milliseconds. Nil: when the ledger first saw the stage.
    package var stageSince: Int64?

    package init(
        id: String, consumer: String, service: String, provider: String, owner: String, planYear: Int, due: Int64,
        stage: Stage, baseline: Bool = true, promisedP95: UInt32? = nil, stageSince: Int64? = nil
    ) {
        self.id = id
        self.consumer = consumer
        self.service = service
        self.provider = provider
        self.owner = owner
        self.planYear = planYear
        self.due = due
        self.stage = stage
        self.baseline = baseline
        self.promisedP95 = promisedP95
        self.stageSince = stageSince
    }
}

/// One system as the plan declares it.
package struct DeclaredSystem: Sendable, Codable, Hashable {
    package var id: String
    /// Milliseconds between two heartbeats of its agents. Nil: `Thresholds.heartbeatInterval`.
    package var heartbeatInterval: Int64?
    /// The oldest its data may be, milliseconds. Nil: nothing is promised, so it is never stale.
    package var freshnessPromise: Int64?

    package init(id: String, heartbeatInterval: Int64? = nil, freshnessPromise: Int64? = nil) {
        self.id = id
        self.heartbeatInterval = heartbeatInterval
        self.freshnessPromise = freshnessPromise
    }
}

/// The declared side of "planned against implemented".
///
/// The position of an integration in `integrations` is its dense index, by which `Exchange` names it.
package struct Plan: Sendable, Codable, Hashable {
    package let integrations: [DeclaredIntegration]
    /// Every system the plan names. One that only an integration names is here too, with the defaults.
    package let systems: [DeclaredSystem]

    /// A repeated id keeps its first declaration only, of integrations and of systems.
    package init(integrations: [DeclaredIntegration], systems: [DeclaredSystem] = []) {
        var seen: Set<String> = []
        self.integrations = integrations.filter { seen.insert($0.id).inserted }
        var known: Set<String> = []
        var all = systems.filter { known.insert($0.id).inserted }
        for integration in self.integrations {
            for id in [integration.provider, integration.consumer] where known.insert(id).inserted {
                all.append(DeclaredSystem(id: id))
            }
        }
        self.systems = all
    }
}
