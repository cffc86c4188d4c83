import BusAgent
import BusBroker
import BusSystems

/// Connections that come, break and stall.
extension Simulation {
    /// An agent's frame leaves its process.
    func transmit(_ frame: [UInt8], from agent: Int) {
        guard links[agent].isUp else { return links[agent].wait(frame) }
        let arrival = links[agent].arrivalAtBroker(now, after: random.between(habits.latency))
        agenda.add(.reachesBroker(agent: agent, connection: links[agent].connection, frame), at: arrival)
    }

    func connect(_ agent: Int, _ connection: Int) {
        guard links[agent].connection == connection, !links[agent].isUp, agents[agent].core != nil else { return }
        guard broker.core != nil else {
            return agenda.add(.connects(agent: agent, connection: connection), at: now + 50_000)
        }
        note(10, [UInt64(agent)], "\(agents[agent].place.agent) is connected")
        for frame in links[agent].connected() { transmit(frame, from: agent) }
    }

    /// The connection breaks, and a new one is made after a while.
    func cut(_ agent: Int, isDeaf: Bool, isHalfOpen: Bool, for duration: Int64) {
        note(11, [UInt64(agent)], "\(agents[agent].place.agent) is cut off\(isHalfOpen ? ", half-open" : "")")
        links[agent].cut(isDeaf: isDeaf, isHalfOpen: isHalfOpen)
        agenda.add(.connects(agent: agent, connection: links[agent].connection), at: now + duration)
    }

    /// The agent closes its connection and opens another.
    func reopen(_ agent: Int) {
        links[agent].close(isHalfOpen: false)
        agenda.add(.connects(agent: agent, connection: links[agent].connection), at: now + Int64(random.below(20_000)))
    }
}
