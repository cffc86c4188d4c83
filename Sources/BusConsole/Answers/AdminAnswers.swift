import BusBroker
import BusDirectory
import BusIntegrations
import BusJournal
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
    /// What the log is proven from; agents are answered from the same.
    var log: LogProofs { broker.log }

    var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    var health: HealthPage { HealthPage(status: broker.readModel.overview.load.isDraining ? "draining" : "ok") }

    func journal() -> JournalPage {
        let overview = broker.readModel.overview
        return JournalPage(
            treeSize: overview.treeSize, root: overview.root, commits: overview.counters.commits,
            records: overview.counters.records)
    }

    /// Drains, and then ends the broker when that is wanted. The answer leaves before: the broker's program lets requests of
    /// the admin API end.
    func drain(_ order: DrainOrder) async -> DrainPage {
        await broker.drain()
        var page = await drainPage()
        guard order.stop == true else { return page }
        page.stopping = true
        Task { [broker] in await broker.stop() }
        return page
    }

    /// How far draining is.
    func drainPage() async -> DrainPage {
        guard let load = await broker.workload() else {
            return DrainPage(
                draining: true, drained: true, stopping: true, openCalls: 0, inFlight: 0, depth: 0)
        }
        return DrainPage(
            draining: load.isDraining, drained: load.isDraining && load.openCalls == 0 && load.inFlight == 0,
            stopping: false, openCalls: load.openCalls, inFlight: load.inFlight, depth: load.depth)
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
