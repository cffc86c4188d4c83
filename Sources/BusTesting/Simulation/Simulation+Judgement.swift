import BusAgent
import BusBroker
import BusProtocol
import BusSystems

/// When a run is over, and what must be true then.
extension Simulation {
    /// A look from outside, now and then: what the broker would know after a restart is what it knows now.
    func look() {
        agenda.add(.look, at: now + Int64(random.between(20_000...200_000)))
        if isCalm, isNarrow { widen() }
        if isCalm, random.chance(percent: 20) { resend() }
        guard let core = broker.core, core.isQuiet, core.counters.commits > 0 else { return }
        do {
            let rebuilt = try disk.recovered(core.limits).bookSummary
            if let difference = core.bookSummary.difference(from: rebuilt) {
                witness.fail("a restart would change the book: \(difference)")
            }
        } catch { witness.fail("the journal cannot be folded: \(error)") }
    }

    private func widen() {
        guard broker.core != nil, broker.pausedUntil <= now else { return }
        isNarrow = false
        broker.core?.apply(spaces.wide, at: brokerMoment)
        pump()
    }

    /// Nothing is left to do.
    var isDone: Bool {
        guard let core = broker.core, core.isQuiet, core.owedMessages == 0, core.openCalls == 0, !isNarrow else {
            return false
        }
        for register in registers.values {
            if register.firstOpen < register.rows.count || !register.promises.isEmpty { return false }
        }
        return agents.allSatisfy { $0.tickets.isEmpty && $0.jobs.isEmpty && $0.core?.isOpen == true }
    }

    /// Why a run did not come to its end.
    func stuck() -> String {
        guard let core = broker.core else { return "stuck: the broker is down" }
        let queues = core.queueViews(at: brokerMoment).filter { $0.depth > 0 }.map {
            "\($0.kind) of \($0.system): \($0.depth), \($0.inFlight) with agents, oldest \($0.oldest)"
        }
        let rows = registers.values.sorted { $0.system < $1.system }.compactMap { register in
            register.firstOpen < register.rows.count
                ? "\(register.rows[register.firstOpen].kind) \(register.rows[register.firstOpen].id) of \(register.system) unsent"
                : nil
        }
        let busy = agents.compactMap { agent in
            agent.core?.isOpen == true && agent.tickets.isEmpty && agent.jobs.isEmpty ? nil : agent.place.agent
        }
        return "stuck: \((queues + rows).joined(separator: "; ")), \(core.openCalls) calls, busy: \(busy)"
    }

    // MARK: - The end

    /// Every promise, once more, when there is nothing left to do.
    func judge() {
        guard witness.violation == nil else { return }
        judgeEffects()
        judgeDurable()
        judgeOrder()
        for (request, count) in witness.answered {
            witness.expect(count <= witness.asked[request] ?? 0, "request \(request) was answered \(count) times")
        }
    }

    private func judgeEffects() {
        for register in registers.values {
            var seen: Set<UInt64> = []
            for effect in register.effects where effect.kind != .outcome {
                witness.expect(
                    seen.insert(effect.tag).inserted,
                    "task \(effect.tag) had two effects at \(register.system), the second in step \(effect.step)")
            }
            var concluded: Set<MessageID> = []
            for effect in register.effects where effect.kind == .outcome && !effect.isBrokers {
                witness.expect(
                    concluded.insert(effect.command).inserted,
                    "\(register.system) was told two outcomes of \(effect.command)")
            }
        }
    }

    private func judgeDurable() {
        for (sender) in witness.promised {
            witness.expect(witness.positions[sender] != nil, "\(sender.id) was accepted and is in no journal")
        }
        let had = registers.mapValues { Set($0.effects.map(\.id)) }
        for (position, entry) in witness.entries {
            for receiver in receivers(of: position, entry.header) {
                let isGivenUp = witness.givenUp.contains(.init(position: position, receiver: receiver))
                witness.expect(
                    isGivenUp || had[receiver]?.contains(entry.header.id) == true,
                    "lost: \(entry.header.kind) at \(position) had no effect at \(receiver)")
            }
        }
    }

    private func receivers(of position: UInt64, _ header: Header) -> [String] {
        switch header.kind {
        case .command: [Names.system(of: header.target)]
        case .outcome: [header.consumer]
        case .event: witness.subscribers[position] ?? []
        case .request, .reply, .keyEpoch, .keyWrap: []
        }
    }

    /// Effects of one key come in the order in which their messages were accepted, but for those that were given up and came
    /// again.
    private func judgeOrder() {
        for register in registers.values {
            var last: [String: UInt64] = [:]
            for effect in register.effects where effect.orderKey != 0 && effect.kind != .outcome {
                let key = "\(effect.kind) \(effect.orderKey)"
                let name = Witness.Name(position: effect.position, receiver: register.system)
                // An event of a time without a subscription comes when it is sought.
                let isLate =
                    effect.kind == .event && witness.subscribers[effect.position]?.contains(register.system) != true
                let isExcused = isLate || witness.givenUp.contains(name) || witness.resent.contains(name)
                if effect.position < last[key] ?? 0, !isExcused {
                    witness.fail(
                        "out of order at \(register.system): \(effect.position) in step \(effect.step) after \(last[key] ?? 0)"
                    )
                }
                last[key] = max(last[key] ?? 0, effect.position)
            }
        }
    }
}
