import BusDirectory
import BusJournal
import BusProtocol

/// Sessions begin with HELLO and end with BYE, silence, or the loss of the right to be here.
extension BrokerCore {
    mutating func greet(_ frame: [UInt8], _ head: FrameHead, _ route: [UInt8], _ key: String, _ now: Moment) {
        let hello: Hello
        do throws(Fault) {
            hello = try frame.reading { raw throws(Fault) in
                var reader = head.fields(of: raw)
                return try Hello(&reader)
            }
            try admit(hello, key, now)
        } catch {
            notice(.warning, "an agent was refused", ["key": key, "why": "\(error)"])
            return reject(route, error, version: head.version)
        }
        guard let agent = rights.agent(key: key) else { return }
        // Another HELLO on the same connection makes nothing read that was sent on it.
        let unread =
            sessions.slot(route: route).map { sessions[$0].unread } ?? leftUnread.take(route) ?? UnreadFrames(limits)
        // The same process on a new connection: its open work moves with it.
        let previous = sessions.slot(key: key).map { SessionReference(slot: $0, id: sessions[$0].id) }
        let resumes = previous.map { sessions[$0.slot].instance == hello.instance } ?? false
        if let previous, !resumes { end(previous.slot, .replaced, now) }
        let isNew = !resumes
        let detached = resumes ? previous.flatMap { detach($0.slot) } : nil
        // A route is reused only after its connection is gone: whoever had it cannot be reached there any more.
        if let stranger = sessions.slot(route: route) { end(stranger, .unreachable, now) }
        nextSession += 1
        var session = Session(
            id: nextSession, route: route, key: key, agentIndex: agent, agent: rights.agents[agent].name,
            systems: hello.systems,
            instance: hello.instance, version: min(hello.newestVersion, FrameHead.newestVersion), connectedAt: now.wall,
            lastHeard: now.monotonic, messageLimit: head.messageLimit,
            byteLimit: head.byteLimit,
            unread: unread,
            mostUnsettled: limits.unsettled)
        if session.version >= 2 { session.takes = hello.takes.map { TakenWork($0) } }
        let slot = sessions.insert(session)
        rights.join(slot: slot, systems: session.systems)
        if let previous, resumes { move(from: previous, to: slot) }
        welcome(slot)
        if !(hello.spaceVersion == rights.snapshot.version && hello.spaceDigest == rights.snapshot.digest.bytes) {
            sendSpace(slot)
        }
        if isDraining { transmit(self.head(.drain, slot).frame(), to: slot) }
        if let detached {
            if detached.route != route { leftUnread.keep(detached.unread, on: detached.route) }
            // What was on its way when the connection broke may be lost: not settled is delivered again.
            releaseDeliveries(of: detached, now)
            sessions[slot].waiting = detached.waiting
            sessions[slot].waitingBytes = detached.waitingBytes
            sendWaiting(slot, now)
        }
        if isNew { announce(sessions[slot], leaving: nil, now) }
        deliverToReturned(now)
        for system in sessions[slot].systems { book.flagAll(of: system) }
        finishStep(now)
    }

    private func admit(_ hello: Hello, _ key: String, _ now: Moment) throws(Fault) {
        guard hello.oldestVersion <= min(hello.newestVersion, FrameHead.newestVersion),
            hello.newestVersion >= FrameHead.oldestVersion
        else {
            throw Fault(
                .badVersion, at: .broker,
                "versions \(hello.oldestVersion) to \(hello.newestVersion); this broker speaks "
                    + "\(FrameHead.oldestVersion) to \(FrameHead.newestVersion)")
        }
        if let refusal = rights.refusal(ofKey: key, now) { throw refusal }
        guard let agent = rights.agent(key: key) else { throw Fault(.unknownKey, at: .broker) }
        if let stranger = hello.systems.first(where: { !rights.agents[agent].systems.contains($0) }) {
            throw Fault(
                .keyNotForSystem, at: .broker, "the key of \(rights.agents[agent].name) may not speak for \(stranger)")
        }
        guard hello.treeSize <= treeSize else {
            throw Fault(
                .logForked, at: .broker,
                "the agent holds a receipt for \(hello.treeSize) records, this log has \(treeSize)")
        }
        let isOurs =
            hello.treeSize == treeSize
            ? hello.root == treeRoot : receipts.mayHaveGiven(hello.treeSize, hello.root)
        guard hello.treeSize == 0 || isOurs else {
            throw Fault(
                .logForked, at: .broker,
                "the agent's receipt for \(hello.treeSize) records has another root than this log had then")
        }
        if let slot = sessions.slot(key: key), sessions[slot].instance != hello.instance {
            let silence = now.monotonic - sessions[slot].lastHeard
            if silence < silenceLimit {
                throw Fault(
                    .instanceConflict, at: .broker, "another instance of \(sessions[slot].agent) holds this key",
                    retryAfterMilliseconds: UInt32(clamping: (silenceLimit - silence) / 1000 + 1))
            }
        } else if sessions.count >= limits.sessions, sessions.slot(key: key) == nil {
            throw Fault(
                .queueFull, at: .broker, "\(limits.sessions) agents are connected", retryAfterMilliseconds: 5000)
        }
    }

    private mutating func welcome(_ slot: Int) {
        let heartbeat = rights.snapshot.space.thresholds.heartbeat
        var welcome = Welcome(
            heartbeatMilliseconds: UInt32(clamping: heartbeat.interval.count), session: sessions[slot].id,
            broker: identity.id,
            spaceVersion: rights.snapshot.version, treeSize: treeSize, root: treeRoot, name: identity.name)
        welcome.version = sessions[slot].version
        welcome.missedHeartbeats = UInt8(clamping: heartbeat.missed)
        welcome.spaceDigest = rights.snapshot.digest.bytes
        transmit(head(.welcome, slot).frame(welcome.encoded()), to: slot)
    }

    /// SPACE: what the authority signed, for the agent to judge by itself. A session of an older version has none.
    mutating func sendSpace(_ slot: Int) {
        guard sessions[slot].version >= Command.space.since else { return }
        let space = SpaceFrame(
            version: rights.snapshot.version, signature: spaceSignature, canonical: rights.snapshot.canonical)
        transmit(head(.space, slot).frame(space.encoded()), to: slot)
    }

    /// Removes a session whose work goes on under a new one.
    private mutating func detach(_ slot: Int) -> Session? {
        rights.leave(slot: slot)
        return sessions.remove(slot)
    }

    private mutating func move(from previous: SessionReference, to slot: Int) {
        let next = SessionReference(slot: slot, id: sessions[slot].id)
        for call in calls.references(where: { $0.consumer == previous || $0.providerSession == previous }) {
            if calls[call].consumer == previous { calls[call].consumer = next }
            guard calls[call].providerSession == previous else { continue }
            calls[call].providerSession = next
            if calls[call].state == .delivered { sessions[slot].outstanding += 1 }
        }
    }

    /// Ends a session and everything that only it could have finished.
    mutating func end(_ slot: Int, _ reason: SessionEnd, _ now: Moment) {
        guard let session = sessions.remove(slot) else { return }
        if reason != .unreachable { leftUnread.keep(session.unread, on: session.route) }
        rights.leave(slot: slot)
        let reference = SessionReference(slot: slot, id: session.id)
        for call in calls.references(where: { $0.providerSession == reference && $0.state != .answered }) {
            // What had not left yet can still go to another agent of the system.
            if calls[call].state == .accepted, let waiting = session.waiting.first(where: { $0.call == call }) {
                calls[call].envelope = waiting.envelope
                deliver(call, position: waiting.envelope.annotations?.position ?? 0, now)
            } else {
                fail(call, .providerLost, at: .providerAgent, now)
            }
        }
        releaseDeliveries(of: session, now)
        announce(session, leaving: reason, now)
    }

    private mutating func announce(_ session: Session, leaving end: SessionEnd?, _ now: Moment) {
        let reason = end?.words ?? "greeted"
        let up = end == nil
        let record = LivenessRecord(
            at: now.wall, up: up, agent: session.agent, systems: session.systems, reason: reason)
        gather(.liveness, record.encoded, now)
        notice(.info, up ? "an agent joined" : "an agent left", ["agent": session.agent, "why": reason])
        if let end {
            observations.append(
                end.isLoss
                    ? .agentLost(agent: session.agent, systems: session.systems, at: now.wallMilliseconds)
                    : .agentLeft(agent: session.agent, systems: session.systems, at: now.wallMilliseconds))
        } else {
            for system in session.systems {
                observations.append(
                    .heartbeat(
                        system: system, agent: session.agent, uptime: 0, dataUpdatedAt: nil, healthy: true,
                        at: now.wallMilliseconds))
            }
        }
    }
}
