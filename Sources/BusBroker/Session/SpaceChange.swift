package import BusDirectory
package import BusJournal
import BusProtocol

extension BrokerCore {
    /// A new space takes effect: rights change with the next message, and agents whose key is gone are dismissed.
    package mutating func apply(_ snapshot: SpaceSnapshot, at now: Moment) {
        let old = rights
        rights = Rights(snapshot)
        gather(.space, snapshot.canonical, now, urgent: true)
        observations.append(.space(snapshot))
        remap(from: old)
        quotas = [:]
        book.retentions = rights.retentions
        for queue in book.queues.indices { book.bringBack(in: queue) }
        var dismissed: [Int] = []
        for slot in sessions.indices {
            let session = sessions[slot]
            guard let agent = rights.agent(key: session.key),
                session.systems.allSatisfy({ rights.agents[agent].systems.contains($0) })
            else {
                dismissed.append(slot)
                continue
            }
            sessions[slot].agentIndex = agent
            rights.join(slot: slot, systems: session.systems)
        }
        // After the others are in place: what waited for a dismissed agent goes to one that stays.
        for slot in dismissed {
            reject(sessions[slot].route, Fault(.unknownKey, at: .broker, "the key was removed from the space"))
            end(slot, .keyRemoved, now)
        }
        notice(.info, "a space took effect", ["version": "\(snapshot.version)"])
        finishStep(now)
    }

    /// Indices are those of one space: open requests take over the new ones by name (queues know names only). A request whose
    /// integration is gone ends without one, and one whose provider is gone finds no agent.
    private mutating func remap(from old: Rights) {
        let names = old.snapshot.space.integrations.map(\.id)
        let now = Dictionary(
            rights.snapshot.space.integrations.enumerated().map { ($1.id, UInt32($0)) },
            uniquingKeysWith: { first, _ in first })
        for call in calls.references(where: { _ in true }) {
            let index = Int(calls[call].integration)
            calls[call].integration = names.indices.contains(index) ? now[names[index]] ?? .max : .max
            let (provider, agent) = (calls[call].provider, calls[call].consumerAgent)
            calls[call].provider =
                old.systems.indices.contains(provider) ? rights.system(old.systems[provider]) ?? -1 : -1
            calls[call].consumerAgent =
                old.agents.indices.contains(agent) ? rights.agent(key: old.agents[agent].key) ?? -1 : -1
        }
    }

    /// Writes that a state changed, as the read model saw it.
    package mutating func record(_ change: StateRecord, at now: Moment) {
        gather(.state, change.encoded, now)
        notice(.info, "a state changed", [change.subject: change.id, "from": change.from, "to": change.to])
    }

    /// The broker took up this journal.
    package mutating func recordStart(software: String, at now: Moment) {
        if limits.returnGrace > 0 { graceUntil = now.monotonic + limits.returnGrace }
        gather(
            .brokerStarted, BrokerRecord(at: now.wall, broker: identity.id, software: software).encoded, now,
            urgent: true)
    }

    /// Stops taking requests, lets the open ones end, then says `.drained`.
    package mutating func drain(at now: Moment) {
        guard drainUntil == nil else {
            // Asked again after it was done: whoever asks now is told as well.
            if drainAnnounced { actions.append(.drained) }
            return
        }
        drainUntil = now.monotonic + limits.drainDeadline
        for slot in sessions.indices { transmit(head(.drain, slot).frame(), to: slot) }
        finishStep(now)
    }

    /// The last record: stopped in good order.
    package mutating func gatherEnd(at now: Moment) {
        flushRefusals(now, atOnce: true)
        let record = BrokerRecord(at: now.wall, broker: identity.id, software: identity.software)
        gather(.brokerStopped, record.encoded, now, urgent: true)
    }

    /// Says goodbye to everybody; the last thing before the socket closes.
    package mutating func sayGoodbye() {
        for slot in sessions.indices { transmit(head(.bye, slot).frame(), to: slot) }
    }

    /// Agents as they are now, for the read model.
    package func agentViews(at now: Moment) -> [AgentView] {
        sessions.indices.map { slot in
            let session = sessions[slot]
            return AgentView(
                agent: session.agent, systems: session.systems, connectedAt: session.connectedAt / 1000,
                silentFor: (now.monotonic - session.lastHeard) / 1000, uptime: session.uptime,
                outstanding: session.outstanding, waiting: session.waiting.count, submitted: session.received,
                delivered: session.delivered, isDraining: session.isDraining)
        }
    }
}

/// One connected agent, for operators. Times in milliseconds.
package struct AgentView: Sendable, Codable, Equatable {
    package var agent: String
    package var systems: [String]
    package var connectedAt: Int64
    package var silentFor: Int64
    package var uptime: UInt64
    package var outstanding: Int
    package var waiting: Int
    package var submitted: UInt64
    package var delivered: UInt64
    package var isDraining: Bool
}
