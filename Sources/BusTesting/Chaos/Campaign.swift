/// A class of faults done to real processes while they work, again and again; afterwards everything heals, and is counted.
package protocol Campaign: Sendable {
    /// How the command line calls it.
    var name: String { get }
    /// What goes wrong.
    var fault: String { get }
    /// What makes it go wrong.
    var injector: String { get }
    /// Faults of a usual run, and of a long one.
    var runs: (usual: Int, long: Int) { get }

    func run(_ order: CampaignOrder, _ result: CampaignResult) async throws -> CampaignResult
}

/// How much of a campaign is wanted.
package struct CampaignOrder: Sendable {
    package var runs: Int
    /// Draws the faults. The processes between them draw their own times, so that a seed repeats the faults and not the history.
    package var seed: UInt64
    /// Called after each fault with its number.
    package var progress: @Sendable (Int) -> Void

    package init(runs: Int, seed: UInt64, progress: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.runs = runs
        self.seed = seed
        self.progress = progress
    }
}

extension Campaign {
    /// Runs it and takes its time.
    package func run(_ order: CampaignOrder) async throws -> CampaignResult {
        var result = CampaignResult()
        result.campaign = name
        result.fault = fault
        result.injector = injector
        result.seed = order.seed
        result.ordered = order.runs
        let begin = ContinuousClock.now
        result = try await run(order, result)
        result.seconds = begin.duration(to: .now).milliseconds / 1000
        return result
    }
}

/// Every campaign, in the order of the table.
package enum Campaigns {
    package static let all: [any Campaign] = [
        SimulationCampaign(), BrokerKillCampaign(), AgentKillCampaign(), PauseCampaign(), ReconnectCampaign(),
        PartitionCampaign(), DiskFullCampaign(), SyncErrorCampaign(), ReadOnlyCampaign(), TestCampaign.damage,
        TestCampaign.fuzz,
    ]

    package static func named(_ name: String) -> (any Campaign)? { all.first { $0.name == name } }
}

/// Why a campaign cannot go on: something did not come back, or did what it must not.
struct CampaignEnd: Error, CustomStringConvertible {
    enum Kind { case stuck, broken }
    let kind: Kind
    let description: String

    static func stuck(_ what: String) -> CampaignEnd { CampaignEnd(kind: .stuck, description: what) }
    static func broken(_ what: String) -> CampaignEnd { CampaignEnd(kind: .broken, description: what) }
}
