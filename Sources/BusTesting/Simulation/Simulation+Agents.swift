import BusAgent
import BusProtocol
import BusSystems

/// The shell around an agent's core, as `SocketLoop` is it.
extension Simulation {
    func startAgent(_ agent: Int) {
        guard agents[agent].core == nil else { return }
        agents[agent].begin(&random, started: reading(agent).now)
        note(20, [UInt64(agent)], "\(agents[agent].place.agent) starts")
        links[agent].close(isHalfOpen: false)
        agenda.add(.connects(agent: agent, connection: links[agent].connection), at: now + Int64(random.below(20_000)))
        agents[agent].core?.start(reading(agent), into: &agents[agent].actions)
        round(agent)
    }

    /// The process ends without a word.
    func crashAgent(_ agent: Int, for duration: Int64) {
        guard agents[agent].core != nil else { return }
        note(21, [UInt64(agent)], "\(agents[agent].place.agent) crashes")
        agents[agent].end()
        agents[agent].pausedUntil = 0
        links[agent].close(isHalfOpen: random.chance(percent: 30), leavesWords: random.chance(percent: 50))
        agenda.add(.agentStarts(agent: agent), at: now + duration)
    }

    func reachAgent(_ agent: Int, _ connection: Int, _ frame: [UInt8]) {
        guard links[agent].connection == connection, agents[agent].core != nil else { return }
        noteArrival(agent, frame)
        agents[agent].core?.receive(frame, reading(agent), into: &agents[agent].actions)
        round(agent)
    }

    private func noteArrival(_ agent: Int, _ frame: [UInt8]) {
        guard let head = try? frame.reading({ raw throws(Fault) in try FrameHead(raw) }) else { return }
        if head.command == .deliver, agents[agent].core?.isOpen == true { agents[agent].came += UInt64(head.count) }
        if head.command == .welcome { (agents[agent].came, agents[agent].held) = (0, 0) }
    }

    func tickAgent(_ agent: Int, _ life: Int) {
        guard agents[agent].life == life, agents[agent].core != nil else { return }
        agents[agent].timerAt = .max
        if random.chance(percent: 20) { agents[agent].savedReceipt = agents[agent].core?.receipt ?? .none }
        round(agent)
    }

    /// One round of the loop: timers, what waits in the register, frames out.
    func round(_ agent: Int) {
        guard agents[agent].core != nil else { return }
        let clock = reading(agent)
        if clock.now >= agents[agent].core?.nextTimer ?? .never {
            agents[agent].core?.tick(clock, into: &agents[agent].actions)
        }
        executeActions(agent)
        submitRows(agent)
        agents[agent].core?.flush(clock, into: &agents[agent].actions)
        executeActions(agent)
        guard let core = agents[agent].core else { return }
        witness.expect(
            core.receipt.treeSize <= disk.size,
            "\(agents[agent].place.agent) has a receipt for \(core.receipt.treeSize) records of \(disk.size)")
        if case .refused(let fault) = core.state { witness.fail("\(agents[agent].place.agent) was refused: \(fault)") }
        setTimer(agent)
    }

    private func setTimer(_ agent: Int) {
        guard let next = agents[agent].core?.nextTimer else { return }
        let wanted = Int64(clamping: next)
        let at = min(max(wanted - agents[agent].monotonicStart, now + 1), now + 1_000_000)
        guard at < agents[agent].timerAt else { return }
        agents[agent].timerAt = at
        agenda.add(.agentTimer(agent: agent, life: agents[agent].life), at: at)
    }

    private func executeActions(_ agent: Int) {
        while !agents[agent].actions.isEmpty {
            let actions = agents[agent].actions
            agents[agent].actions = []
            for action in actions { execute(action, agent) }
        }
    }

    private func execute(_ action: AgentAction, _ agent: Int) {
        switch action {
        case .send(let frame):
            checkCredit(agent, frame)
            transmit(frame, from: agent)
        case .reopen: reopen(agent)
        case .completed(let ticket, let completion): complete(agent, ticket, completion)
        case .deliver(let delivery): take(delivery, agent)
        case .inquired(_, let answer): read(answer, agent)
        case .keepCheckpoint(let checkpoint): agents[agent].savedCheckpoint = checkpoint
        case .keepFork: witness.fail("\(agents[agent].place.agent) was shown another history of the log")
        case .notice(let fault) where fault.code == .proofRefused:
            witness.fail("\(agents[agent].place.agent) was given a proof that does not hold: \(fault)")
        case .welcomed, .remember, .disconnected, .notice, .drained, .inquiriesRefused, .keys, .wanted: break
        }
    }

    /// What an agent grants is its window beyond what it has dealt with, never more.
    private func checkCredit(_ agent: Int, _ frame: [UInt8]) {
        guard let head = try? frame.reading({ raw throws(Fault) in try FrameHead(raw) }), head.command != .hello
        else { return }
        let most = agents[agent].timing.windowMessages + agents[agent].came - agents[agent].held
        witness.expect(
            head.messageLimit <= most,
            "\(agents[agent].place.agent) grants \(head.messageLimit) messages where it can take \(most)")
    }
}
