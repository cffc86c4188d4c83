package import BusDirectory
package import BusIntegrations
import BusJournal
import BusProtocol
import Foundation
import Synchronization

/// What operators read: the fold of everything observed, apart from the message path.
///
/// The broker's thread only appends observations; they are folded when somebody looks or a few times a second.
package final class ReadModel: Sendable {
    /// The newest state changes that are kept for screens.
    package static let recentChanges = 200
    static let viewName = "integrations"
    static let spaceViewName = "space"

    private struct State {
        var ledger: IntegrationLedger
        var pending: [Observation] = []
        /// Everything up to here is in `pending` or folded.
        var position: UInt64
        var agents: [AgentView] = []
        var counters = BrokerCounters()
        var load = BrokerLoad()
        var changes: [StateChange] = []
        var snapshot: SpaceSnapshot
        var treeSize: UInt64 = 0
        var root = ""
        var clockLead: Int64 = 0
    }

    private let state: Mutex<State>
    package let startedAt: Int64

    init(
        ledger: IntegrationLedger, snapshot: SpaceSnapshot, position: UInt64, startedAt: Int64, treeSize: UInt64,
        root: [UInt8]
    ) {
        self.startedAt = startedAt
        state = Mutex(
            State(ledger: ledger, position: position, snapshot: snapshot, treeSize: treeSize, root: root.hex))
    }

    // MARK: - Filled by the broker's thread

    func absorb(_ observations: [Observation], position: UInt64) {
        state.withLock { state in
            state.pending += observations
            state.position = max(state.position, position)
        }
    }

    func publish(
        agents: [AgentView], counters: BrokerCounters, load: BrokerLoad, treeSize: UInt64, root: [UInt8],
        clockLead: Int64
    ) {
        state.withLock { state in
            state.agents = agents
            state.counters = counters
            state.load = load
            state.treeSize = treeSize
            state.root = root.hex
            state.clockLead = clockLead
        }
    }

    /// Folds what is pending and judges every state. Returns the changes, for the journal.
    func evaluate(at milliseconds: Int64) -> [StateChange] {
        state.withLock { state in
            Self.fold(&state)
            let changes = state.ledger.evaluate(now: milliseconds)
            state.changes = Array((state.changes + changes).suffix(Self.recentChanges))
            return changes
        }
    }

    /// The ledger, the space it was judged by, and the position both stand for.
    func saved() -> (position: UInt64, ledger: IntegrationLedger, snapshot: SpaceSnapshot) {
        state.withLock { state in
            Self.fold(&state)
            return (state.position, state.ledger, state.snapshot)
        }
    }

    // MARK: - Read by the console

    package struct Overview: Sendable {
        package var snapshot: SpaceSnapshot
        package var counters: BrokerCounters
        package var agents: [AgentView]
        package var load: BrokerLoad
        package var treeSize: UInt64
        package var root: String
        /// How far the broker's time is ahead of the host's clock, milliseconds.
        package var clockLead: Int64
        package var changes: [StateChange]
    }

    package var overview: Overview {
        state.withLock { state in
            Overview(
                snapshot: state.snapshot, counters: state.counters, agents: state.agents, load: state.load,
                treeSize: state.treeSize, root: state.root, clockLead: state.clockLead,
                changes: state.changes)
        }
    }

    /// A copy of the ledger with everything folded; asking it takes no lock of the broker's.
    package var ledger: IntegrationLedger { saved().ledger }

    private static func fold(_ state: inout State) {
        for observation in state.pending { fold(observation, &state) }
        state.pending.clear()
    }

    private static func fold(_ observation: Observation, _ state: inout State) {
        switch observation {
        case .attempted(let integration, let at):
            state.ledger.attempted(integration: Int(integration), at: at)
        case .exchange(let integration, let family, let latency, let at, let stage):
            guard integration != .max else { return }
            state.ledger.record(
                Exchange(
                    integration: Int(integration), code: family, latencyMicroseconds: latency, at: at,
                    stage: Stage(rawValue: stage) ?? .planned))
        case .refused(let consumer, let target, let family, let count, let at):
            state.ledger.record(Refusal(consumer: consumer, service: target, code: family, at: at, count: count))
        case .heartbeat(let system, let agent, let uptime, let dataUpdatedAt, let healthy, let at):
            state.ledger.record(
                Heartbeat(
                    system: system, agent: agent, at: at, uptimeMs: uptime, dataUpdatedAt: dataUpdatedAt, up: healthy))
        case .agentLeft(let agent, let systems, let at):
            for system in systems { state.ledger.agentLeft(agent, system: system, at: at) }
        case .agentLost(let agent, let systems, let at):
            for system in systems { state.ledger.agentLost(agent, system: system, at: at) }
        case .reported(let integration, let family, let count, let at):
            state.ledger.record(
                ReportedFaults(integration: Int(integration), code: family, count: count, at: at))
        case .space(let snapshot):
            state.snapshot = snapshot
            state.ledger.apply(
                newPlan: Plan(snapshot), thresholds: BusIntegrations.Thresholds(snapshot.space.thresholds))
        }
    }
}
