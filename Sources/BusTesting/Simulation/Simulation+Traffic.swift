import BusAgent
import BusProtocol
import BusSystems

/// What the systems want of each other.
extension Simulation {
    func makeTraffic() {
        guard !isCalm else { return }
        agenda.add(.traffic, at: now + Int64(random.between(2_000...habits.trafficEvery)))
        switch random.below(100) {
        case 0..<30: order()
        case 30..<55: publish()
        case 55..<80: ask()
        case 80..<92: query()
        default: seek()
        }
    }

    private func agent(of system: String) -> Int? {
        let there = agents.indices.filter {
            agents[$0].place.system == system && agents[$0].core != nil && agents[$0].pausedUntil <= now
        }
        return there.isEmpty ? nil : random.pick(there)
    }

    private func task() -> SimulatedTask {
        nextTag += 1
        let manner: SimulatedTask.Manner =
            switch random.below(20) {
            case 0: .hopeless
            case 1, 2: .reluctant
            case 3..<8: .deferred
            default: .plain
            }
        let padding = [UInt8](repeating: UInt8(truncatingIfNeeded: nextTag), count: random.below(80))
        return SimulatedTask(tag: nextTag, manner, padding: padding)
    }

    private func orderKey() -> UInt128? {
        random.chance(percent: 60) ? UInt128(1 + random.below(habits.orderKeys)) : nil
    }

    /// A command goes into the outbox of its system; an agent sends it from there.
    private func order() {
        guard let agent = agent(of: random.pick(SimulatedSpace.consumers)) else { return }
        write(.command, agent, target: random.chance(percent: 70) ? SimulatedSpace.order : SimulatedSpace.file) {
            header in
            header.priority = random.chance(percent: 20) ? UInt8(random.below(10)) : 4
            if random.chance(percent: 30) {
                header.expiry = header.created + Int64(random.between(50...6_000))
            }
        }
    }

    private func publish() {
        guard let agent = agent(of: SimulatedSpace.register) else { return }
        write(.event, agent, target: SimulatedSpace.changed) { _ in }
    }

    private func write(_ kind: MessageKind, _ agent: Int, target: String, _ change: (inout Header) -> Void) {
        let task = task()
        let system = agents[agent].place.system
        let id = agents[agent].ids.next(unixMilliseconds: reading(agent).wall)
        var header = Header(kind: kind, id: id, created: id.unixMilliseconds)
        header.target = target
        header.consumer = system
        header.orderKey = orderKey()
        change(&header)
        agents[agent].register.rows.append(
            SimulatedRegister.Row(kind: kind, id: id, header: header.encoded(), body: task.body))
        intended[task.tag] = Intention(
            kind: kind, sender: .init(system: system, id: id), target: target, manner: task.manner)
        note(40, [UInt64(agent), task.tag], "\(agents[agent].place.agent) writes \(kind) \(id), task \(task.tag)")
        round(agent)
    }

    private func ask() {
        guard let agent = agent(of: random.pick(SimulatedSpace.consumers)) else { return }
        let clock = reading(agent)
        let within = UInt64(random.between(20...1_500)) * 1000
        let id = agents[agent].ids.next(unixMilliseconds: clock.wall)
        var header = Header(kind: .request, id: id, created: clock.wall)
        header.target = SimulatedSpace.record
        header.consumer = agents[agent].place.system
        header.remaining = UInt32(within / 1000)
        agents[agent].nextTicket += 1
        agents[agent].tickets[agents[agent].nextTicket] = .ask(until: clock.now + within)
        agents[agent].core?.submit(
            Submission(
                kind: .request, id: id, header: header.encoded(), body: SimulatedTask(tag: 0, .plain).body,
                deadline: clock.now + within, ticket: agents[agent].nextTicket), clock, into: &agents[agent].actions)
        round(agent)
    }

    // MARK: - Inquiries

    private func query() {
        guard let agent = agent(of: random.pick(SimulatedSpace.consumers)) else { return }
        let commands = agents[agent].register.rows.filter { $0.kind == .command }.map(\.id).suffix(8)
        guard !commands.isEmpty else { return }
        let known = StateQuery(token: 1, consumer: agents[agent].place.system, commands: Array(commands))
        _ = agents[agent].core?.inquire(.query, known.encoded(), into: &agents[agent].actions)
        round(agent)
    }

    /// What the broker says of a command must be so by the journal.
    func read(_ answer: InquiryAnswer, _ agent: Int) {
        guard case .state(let state) = answer else { return }
        for row in state.rows {
            let sender = Witness.Sender(system: agents[agent].place.system, id: row.command)
            witness.expect(witness.positions[sender] == row.position, "STATE knows \(row.command) that is not durable")
            guard row.state == .completed else { continue }
            witness.expect(witness.outcomes[sender] != nil, "\(row.command) counts as completed without an outcome")
        }
    }

    private func seek() {
        guard random.chance(percent: 40), let agent = agent(of: random.pick(SimulatedSpace.consumers)) else { return }
        let start: Seek.Start = random.chance(percent: 50) ? .position : .time
        let value =
            start == .position
            ? UInt64(random.below(Int(disk.size) + 1))
            : UInt64((Self.epoch + now) / 1000 - Int64(random.below(3_000)))
        let wish = Seek(
            token: 1, start: start, value: value, system: agents[agent].place.system, event: SimulatedSpace.changed)
        note(41, [UInt64(agent), value], "\(agents[agent].place.agent) seeks \(start) \(value)")
        _ = agents[agent].core?.inquire(.seek, wish.encoded(), into: &agents[agent].actions)
        round(agent)
    }
}
