import BusDirectory
import BusIntegrations
import BusJournal
import BusProtocol

/// PING, PONG, REPORT: who is alive, and how its data are.
extension BrokerCore {
    /// Silence after which an agent is given up, microseconds.
    var silenceLimit: Int64 { rights.snapshot.space.thresholds.heartbeat.silence.count * 1000 }

    /// How far an agent's clock may be ahead of the broker's before its times are not believed, milliseconds.
    static let clockDifference: Int64 = 86_400_000

    mutating func heard(_ slot: Int, _ head: FrameHead, _ now: Moment) {
        if sessions[slot].hear(head, now) { goOn(slot, now) }
    }

    /// PONG: everything sent before its PING was read.
    mutating func answered(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let token = try frame.reading { raw throws(Fault) in
            var reader = head.fields(of: raw)
            return try Heartbeat.decode(&reader)
        }
        if sessions[slot].unread.answered(token) { goOn(slot, now) }
    }

    /// An agent can be sent more than before.
    mutating func goOn(_ slot: Int, _ now: Moment) {
        if !sessions[slot].waiting.isEmpty { sendWaiting(slot, now) }
        for system in sessions[slot].systems { book.flagAll(of: system) }
        markDirty(slot)
    }

    mutating func ping(_ slot: Int) {
        let token = random.next()
        send(head(.ping, slot).frame(Heartbeat.encode(token)), to: slot)
        sessions[slot].unread.mark(token)
    }

    /// Ends sessions whose agents do not read what they make the broker say.
    mutating func dismissUnreading(_ now: Moment) {
        for slot in sessions.indices where sessions[slot].unread.isHopeless {
            notice(.warning, "an agent does not read", ["agent": sessions[slot].agent])
            end(slot, .unread, now)
        }
    }

    mutating func report(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let report = try frame.reading { raw throws(Fault) in
            var reader = head.fields(of: raw)
            return try AgentReport(&reader, version: head.version)
        }
        sessions[slot].uptime = report.uptimeMilliseconds
        if let takes = report.takes {
            sessions[slot].takes = TakenWork(takes)
            for system in sessions[slot].systems { book.flagAll(of: system) }
        }
        let session = sessions[slot]
        for row in report.systems where session.systems.contains(row.system) {
            // Data from the future would never grow stale.
            let isPossible = row.dataUpdatedAt >= 0 && row.dataUpdatedAt <= now.wallMilliseconds + Self.clockDifference
            observations.append(
                .heartbeat(
                    system: row.system, agent: session.agent, uptime: report.uptimeMilliseconds,
                    dataUpdatedAt: isPossible ? row.dataUpdatedAt : nil, healthy: row.healthy,
                    at: now.wallMilliseconds))
        }
        count(report.counts, from: slot, now)
    }

    /// Faults only an agent saw, for integrations that one of its systems takes part in.
    private mutating func count(_ rows: [AgentReport.Count], from slot: Int, _ now: Moment) {
        let agent = rights.agents[sessions[slot].agentIndex]
        for row in rows where row.count > 0 {
            let isEnd = agent.systems.contains(row.consumer) || agent.systems.contains(Names.system(of: row.target))
            guard isEnd, let way = rights.way(from: row.consumer, to: row.target) else { continue }
            let count = min(row.count, ReportedFaults.mostAtOnce)
            let record = ReportedRecord(
                at: now.wall, integration: way.integration, code: row.code, hop: row.hop, count: count,
                agent: agent.name)
            gather(.reported, record.encoded, now)
            observations.append(
                .reported(
                    integration: way.integration, family: row.code / 10, count: count, at: now.wallMilliseconds))
        }
    }

    /// Once an interval: PING everybody, give up the silent.
    mutating func beat(_ now: Moment) {
        let interval = max(rights.snapshot.space.thresholds.heartbeat.interval.count * 1000, 50_000)
        guard now.monotonic - lastHeartbeat >= interval else { return }
        // After a pause of this process itself nobody could have been heard: everyone gets a fresh interval.
        let wasAway = lastHeartbeat > 0 && now.monotonic - lastHeartbeat > 2 * interval
        lastHeartbeat = now.monotonic
        for slot in sessions.indices {
            if wasAway {
                let fresh = now.monotonic - min(interval, silenceLimit - interval)
                sessions[slot].lastHeard = max(sessions[slot].lastHeard, fresh)
            }
            if now.monotonic - sessions[slot].lastHeard >= silenceLimit {
                end(slot, .silent, now)
            } else {
                ping(slot)
            }
        }
    }

    /// libzmq has no peer behind this route any more.
    package mutating func unreachable(route: [UInt8], at now: Moment) {
        guard let slot = sessions.slot(route: route) else { return }
        end(slot, .unreachable, now)
        finishStep(now)
    }
}
