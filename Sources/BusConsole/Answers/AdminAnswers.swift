import BusBroker
import BusDirectory
import BusIntegrations
import BusProtocol
import Dispatch
import Foundation
import ZeroMQ

/// Builds the pages of the admin API out of the broker's read model and its journal.
struct AdminAnswers: Sendable {
    /// State changes on the status page.
    static let shownChanges = 20

    let broker: Broker
    let journalFolder: String
    let contractsFolder: String?
    /// Reading the journal blocks; one at a time bounds what readers cost the broker.
    let journalQueue = DispatchQueue(label: "kerege.console.journal")

    var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    var health: HealthPage { HealthPage(status: "ok") }

    func journal() -> JournalPage {
        let overview = broker.readModel.overview
        return JournalPage(
            treeSize: overview.treeSize, root: overview.root, commits: overview.counters.commits,
            records: overview.counters.records)
    }

    func drain() async -> DrainPage {
        await broker.drain()
        let open = broker.readModel.overview.openCalls
        return DrainPage(drained: open == 0, openCalls: open)
    }

    func agents() -> AgentsPage {
        let overview = broker.readModel.overview
        let present = Set(overview.agents.map(\.agent))
        return AgentsPage(
            agents: overview.agents.sorted { $0.agent < $1.agent }.map { agent in
                AgentsPage.Item(
                    agent: agent.agent, systems: agent.systems, connectedAt: RFC3339.text(agent.connectedAt),
                    connectedAtMs: agent.connectedAt, silentMs: agent.silentFor, uptimeMs: agent.uptime,
                    outstanding: agent.outstanding, waiting: agent.waiting, submitted: agent.submitted,
                    delivered: agent.delivered, draining: agent.isDraining)
            },
            absent: overview.snapshot.space.keys.filter { !present.contains($0.agent) }
                .map { AgentsPage.Absent(agent: $0.agent, systems: $0.systems) },
            refusedKeys: broker.refusedKeys.map {
                AgentsPage.RefusedKey(key: $0.key.z85, address: $0.address, count: $0.count)
            })
    }
}

extension WindowPart {
    init(_ totals: WindowTotals) {
        self.init(
            successes: totals.successes, errors: totals.errors, notJudged: totals.notJudged, slow: totals.slow)
    }
}
