import BusBroker
import BusDirectory
import BusProtocol
import BusSystems

/// What befalls the parties, and the end of it.
extension Simulation {
    func makeFault() {
        guard !isCalm else { return }
        agenda.add(.fault, at: now + Int64(random.between(20_000...habits.faultEvery)))
        guard !habits.faults.isEmpty else { return }
        befall(random.pick(habits.faults))
    }

    private func befall(_ fault: SimulatedHabits.Fault) {
        let agent = random.below(agents.count)
        let duration = Int64(random.pick([5_000, 50_000, 400_000, 4_000_000]))
        note(50, [UInt64(fault.rawValue), UInt64(agent)], "fault: \(fault)")
        switch fault {
        case .cut:
            guard agents[agent].core != nil else { return }
            cut(
                agent, isDeaf: random.chance(percent: 30), isHalfOpen: random.chance(percent: 30),
                for: duration + Int64(random.below(20_000)))
        case .stall: links[agent].stalledUntil = now + duration
        case .agentCrash: crashAgent(agent, for: duration)
        case .agentPause: pauseAgent(agent, duration)
        case .brokerCrash: crashBroker(for: min(duration, 1_500_000))
        case .brokerPause: pauseBroker(min(duration, 1_500_000))
        case .diskFull: disk.health = disk.health == .full ? .well : .full
        case .diskFails: disk.health = .failing
        case .slowDisk: disk.pace = random.pick([200...3_000, 5_000...120_000])
        case .clockStep: stepClock(agent)
        case .spaceChange: changeSpace()
        case .resend: resend()
        }
    }

    // Never shorter than before: what came in a pause must not be overtaken by what comes after a shorter one.
    private func pauseAgent(_ agent: Int, _ duration: Int64) {
        guard agents[agent].core != nil else { return }
        agents[agent].pausedUntil = max(agents[agent].pausedUntil, now + duration)
    }

    private func pauseBroker(_ duration: Int64) {
        guard broker.core != nil else { return }
        broker.pausedUntil = max(broker.pausedUntil, now + duration)
    }

    private func stepClock(_ agent: Int) {
        let step = Int64(random.between(-4_000...4_000)) * 1000
        if random.chance(percent: 50) { broker.wallOffset += step } else { agents[agent].wallOffset += step }
    }

    private func changeSpace() {
        guard broker.core != nil, broker.pausedUntil <= now else { return }
        spacesChanged = true
        isNarrow.toggle()
        broker.core?.apply(isNarrow ? spaces.narrow : spaces.wide, at: brokerMoment)
        pump()
    }

    /// An operator sends dead letters on their way again.
    func resend() {
        guard let letters = broker.core?.deadLetters, !letters.isEmpty, broker.pausedUntil <= now else { return }
        let letter = random.pick(letters)
        let name = Witness.Name(position: letter.position, receiver: letter.queue.system)
        witness.resent.insert(name)
        note(51, [letter.position], "an operator resends \(letter.position) to \(letter.queue.system)")
        nextOrder += 1
        broker.core?.resend([(letter.position, letter.queue.system)], order: nextOrder, at: brokerMoment)
        guard broker.core?.deadLetters.contains(letter) == false else {
            // Its provider's word may just be being written: then there is nothing to resend.
            witness.expect(letter.queue.kind == .commands, "dead letter \(letter.position) could not be resent")
            return pump()
        }
        if letter.queue.kind == .commands {
            let command = Witness.Sender(system: letter.consumer, id: letter.id)
            let isCompleted = witness.outcomes[command].map { $0 <= broker.knownSize } ?? false
            witness.expect(!isCompleted, "command \(letter.id) is completed and was sent again")
        }
        pump()
    }

    /// The storm is over: everything is mended, everybody is there.
    func calm() {
        isCalm = true
        note(52, [], "calm")
        disk.health = .well
        disk.pace = 200...3_000
        for agent in links.indices { links[agent].stalledUntil = 0 }
        // What only the host's memory holds must not be needed.
        if random.chance(percent: 50) { crashBroker(for: 10_000) }
    }
}
