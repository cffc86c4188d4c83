import BusAgent
import BusProtocol
import BusSystems

/// What agents do with deliveries, and what they send.
extension Simulation {
    func take(_ delivery: Delivery, _ agent: Int) {
        guard let header = delivery.header else { return witness.fail("a delivery without a readable header") }
        agents[agent].held += 1
        let register = agents[agent].register
        let job = SimulatedJob(delivery, header, register, step: { [unowned self] in step }) { [unowned self] in
            outcome(agent, of: $0, $1)
        }
        agents[agent].nextJob += 1
        agents[agent].jobs[agents[agent].nextJob] = job
        goOn(agent, agents[agent].nextJob)
    }

    private func goOn(_ agent: Int, _ job: Int) {
        let pause = random.chance(percent: 2) ? random.between(10_000...400_000) : random.between(50...1_500)
        agenda.add(.works(agent: agent, life: agents[agent].life, job: job), at: now + Int64(pause))
    }

    /// Takes one step of a job, or several: the process may end after any of them.
    func work(_ agent: Int, _ life: Int, _ number: Int) {
        guard agents[agent].life == life, let job = agents[agent].jobs[number] else { return }
        if job.header.kind == .request { return reply(agent, number, job) }
        if job.walk.next == .begin {
            if let refusal = refusal(of: job) { return settle(agent, number, job, refusal) }
            // One writer at a time, as with SQLite.
            if job.register.holder != nil { return goOn(agent, number) }
        }
        let isCommit = job.walk.next == .commit
        do { try job.walk.step(on: job) } catch { return settle(agent, number, job, .again(0)) }
        if isCommit, job.register.promises[job.header.id] != nil {
            let pause = Int64(random.between(10_000...2_000_000))
            agenda.add(.concludes(system: job.register.system, job.header.id), at: now + pause)
        }
        note(30, [UInt64(agent), UInt64(number)], "\(agents[agent].place.agent) works on \(job.header.id)")
        if let verdict = job.verdict {
            job.verdict = nil
            tell(agent, job, verdict)
        }
        if job.walk.next == nil { agents[agent].jobs[number] = nil }
        round(agent)
        if habits.crashesAtWork, !isCalm, random.chance(perMille: 8) { return crashAgent(agent, for: 60_000) }
        if job.walk.next == nil { return }
        if random.chance(percent: 60) { work(agent, life, number) } else { goOn(agent, number) }
    }

    private func refusal(of job: SimulatedJob) -> Settled? {
        if job.task?.manner == .hopeless { return .never(.providerFault) }
        if job.task?.manner == .reluctant, job.delivery.annotations.attempt < 3 { return .again(50) }
        guard !isCalm, random.chance(percent: habits.naks) else { return nil }
        return .again(UInt32(random.between(0...800)))
    }

    private func settle(_ agent: Int, _ number: Int, _ job: SimulatedJob, _ verdict: Settled) {
        agents[agent].jobs[number] = nil
        tell(agent, job, verdict)
        round(agent)
    }

    private func tell(_ agent: Int, _ job: SimulatedJob, _ verdict: Settled) {
        letGo(agent, job.delivery)
        agents[agent].core?.settle(job.delivery, verdict)
    }

    /// The delivery is in the core's hands again.
    private func letGo(_ agent: Int, _ delivery: Delivery) {
        guard delivery.mark.session == agents[agent].core?.welcome?.session else { return }
        agents[agent].held -= 1
    }

    private func reply(_ agent: Int, _ number: Int, _ job: SimulatedJob) {
        agents[agent].jobs[number] = nil
        letGo(agent, job.delivery)
        let clock = reading(agent)
        let id = agents[agent].ids.next(unixMilliseconds: clock.wall)
        var header = Header(kind: .reply, id: id, created: clock.wall)
        header.correlation = job.header.id
        header.target = job.header.target
        header.provider = agents[agent].place.system
        agents[agent].core?.submit(
            Submission(
                kind: .reply, id: id, header: header.encoded(), body: job.task?.body ?? [],
                answers: job.delivery.mark), clock, into: &agents[agent].actions)
        round(agent)
    }

    // MARK: - Outcomes

    private func outcome(_ agent: Int, of command: Header, _ task: SimulatedTask) -> SimulatedRegister.Row {
        let id = agents[agent].ids.next(unixMilliseconds: reading(agent).wall)
        var header = Header(kind: .outcome, id: id, created: id.unixMilliseconds)
        header.correlation = command.id
        header.target = command.target
        header.consumer = command.consumer
        header.provider = Names.system(of: command.target)
        return SimulatedRegister.Row(kind: .outcome, id: id, header: header.encoded(), body: task.body)
    }

    /// A command that was taken earlier is concluded by whichever agent of its system is there.
    func conclude(_ system: String, _ command: MessageID) {
        guard let register = registers[system], let promise = register.promises[command] else { return }
        let able = agents.indices.filter {
            agents[$0].place.system == system && agents[$0].core != nil && agents[$0].pausedUntil <= now
        }
        guard !able.isEmpty, register.holder == nil else {
            return agenda.add(.concludes(system: system, command), at: now + 300_000)
        }
        let agent = random.pick(able)
        register.promises[command] = nil
        register.rows.append(outcome(agent, of: promise.header, SimulatedTask(tag: promise.task.tag, .plain)))
        note(31, [UInt64(agent)], "\(agents[agent].place.agent) concludes \(command)")
        round(agent)
    }

    // MARK: - The outbox

    /// Rows under way at a time.
    private static let rowsAtOnce = 8

    /// Submits what stands in the register's outbox and has not left in this life.
    func submitRows(_ agent: Int) {
        let register = agents[agent].register
        guard register.firstOpen < register.rows.count else { return }
        let clock = reading(agent)
        for row in register.firstOpen..<register.rows.count {
            guard agents[agent].submitted.count < Self.rowsAtOnce else { return }
            guard register.rows[row].state == .open, !agents[agent].submitted.contains(row) else { continue }
            agents[agent].submitted.insert(row)
            agents[agent].nextTicket += 1
            agents[agent].tickets[agents[agent].nextTicket] = .row(row)
            let item = register.rows[row]
            agents[agent].core?.submit(
                Submission(
                    kind: item.kind, id: item.id, header: item.header, body: item.body,
                    deadline: clock.now + 3_000_000, ticket: agents[agent].nextTicket),
                clock, into: &agents[agent].actions)
        }
    }

    func complete(_ agent: Int, _ number: UInt64, _ completion: Completion) {
        guard let ticket = agents[agent].tickets.removeValue(forKey: number) else {
            return witness.fail("\(agents[agent].place.agent) was answered twice, or what it never asked")
        }
        note(32, [UInt64(agent), number], "\(agents[agent].place.agent): \(Self.words(completion))")
        switch (ticket, completion) {
        case (.row(let row), .accepted): end(agent, row, as: .taken)
        case (.row(let row), .fault(let fault)): refused(agent, row, fault)
        case (.row, .answer), (.ask, .accepted): witness.fail("a submission ended as another kind's")
        case (.ask, .answer), (.ask, .fault): break
        }
    }

    func sendAgain(_ agent: Int, _ life: Int, _ row: Int) {
        guard agents[agent].life == life else { return }
        agents[agent].submitted.remove(row)
        round(agent)
    }

    private func end(_ agent: Int, _ row: Int, as state: SimulatedRegister.Row.State) {
        agents[agent].register.end(row, as: state)
        agents[agent].submitted.remove(row)
    }

    /// Refusals that no repetition mends. After all others the same bytes are sent again.
    private static let final: Set<FaultCode> = [
        .noIntegration, .stageForbids, .noSuchService, .keyNotForSystem, .expiredOnArrival, .idReused, .idTooOld,
        .noSuchRequest, .badHeader,
    ]

    private func refused(_ agent: Int, _ row: Int, _ fault: Fault) {
        let item = agents[agent].register.rows[row]
        if Self.final.contains(fault.code) {
            if fault.code == .idReused || fault.code == .noSuchRequest || fault.code == .idTooOld {
                witness.fail("\(item.kind) \(item.id) was refused: \(fault.code)")
            }
            return end(agent, row, as: .refused(fault.code))
        }
        let wait = Int64(max(fault.retryAfterMilliseconds, 50)) * 1000 + Int64(random.below(200_000))
        agenda.add(.sendsAgain(agent: agent, life: agents[agent].life, row: row), at: now + wait)
    }

    private static func words(_ completion: Completion) -> String {
        switch completion {
        case .accepted(let id, _): "\(id) is durable"
        case .answer(let reply): "\(reply.request) is answered \(reply.outcome)"
        case .fault(let fault): "\(fault.code)"
        }
    }
}
