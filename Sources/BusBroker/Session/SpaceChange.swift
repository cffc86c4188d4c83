package import BusDirectory
package import BusJournal
import BusProtocol

extension BrokerCore {
    /// A new space takes effect: rights change with the next message, agents whose key is gone or revoked are dismissed, and the
    /// others are sent it.
    package mutating func apply(
        _ snapshot: SpaceSnapshot, signature: [UInt8] = SignedSpace.noSignature, at now: Moment
    ) {
        let old = rights
        rights = Rights(snapshot)
        spaceSignature = signature
        gather(.space, snapshot.canonical, now, urgent: true)
        observations.append(.space(snapshot))
        remap(from: old)
        quotas = [:]
        forgetBurdens()
        book.retentions = rights.retentions
        for queue in book.queues.indices { book.flag(queue) }
        var dismissed: [(slot: Int, why: Fault)] = []
        for slot in sessions.indices {
            let session = sessions[slot]
            if let why = reasonToDismiss(session, now) {
                dismissed.append((slot, why))
                continue
            }
            guard let agent = rights.agent(key: session.key) else { continue }
            sessions[slot].agentIndex = agent
            rights.join(slot: slot, systems: session.systems)
        }
        // After the others are in place: what waited for a dismissed agent goes to one that stays.
        for (slot, why) in dismissed { dismiss(slot, why, now) }
        // Before anything else goes to them: who is on the bus changed.
        for slot in sessions.indices { sendSpace(slot) }
        notice(.info, "a space took effect", ["version": "\(snapshot.version)"])
        finishStep(now)
    }

    private func reasonToDismiss(_ session: Session, _ now: Moment) -> Fault? {
        if let refusal = rights.refusal(ofKey: session.key, now) { return refusal }
        guard let agent = rights.agent(key: session.key),
            let system = session.systems.first(where: { !rights.agents[agent].systems.contains($0) })
        else { return nil }
        return Fault(.keyNotForSystem, at: .broker, "the key of \(session.agent) may not speak for \(system) any more")
    }

    private mutating func dismiss(_ slot: Int, _ why: Fault, _ now: Moment) {
        notice(.warning, "an agent was dismissed", ["agent": sessions[slot].agent, "why": "\(why)"])
        reject(sessions[slot].route, why)
        end(slot, .keyRemoved, now)
    }

    /// Sessions whose key's last day is over end. Looked for once a second, by the wall clock: days are its business.
    mutating func dismissExpired(_ now: Moment) {
        guard now.monotonic - lastValidityCheck >= Self.validityInterval else { return }
        lastValidityCheck = now.monotonic
        for slot in sessions.indices {
            guard !rights.agents[sessions[slot].agentIndex].validity.isValid(at: now.wallMilliseconds),
                let why = rights.refusal(ofKey: sessions[slot].key, now)
            else { continue }
            dismiss(slot, why, now)
        }
    }

    /// Between two looks for expired keys, microseconds.
    private static let validityInterval: Int64 = 1_000_000

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
