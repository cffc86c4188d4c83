import BusAgent
import BusBroker
import BusDirectory
import BusProtocol
import BusSystems

/// A space under faults, in virtual time: the real cores of a broker and its agents over a network, disks and clocks made of
/// numbers. One seed is one history, the same wherever and whenever it is run.
///
/// First a storm: traffic and faults. Then a calm: everything is mended and time passes until nothing is left to do. What was
/// promised must hold at every step, and what was accepted must have come to its end after the calm.
package final class Simulation {
    package let seed: UInt64
    let habits: SimulatedHabits
    var random: SeededRandom
    /// Microseconds since the beginning.
    var now: Int64 = 0
    var step = 0
    var agenda = Agenda()
    var disk = SimulatedDisk()
    let broker: BrokerProcess
    var agents: [AgentProcess] = []
    var links: [SimulatedLink] = []
    let registers: [String: SimulatedRegister]
    var witness = Witness()
    var trace: SimulationTrace
    var isCalm = false
    var nextTag: UInt64 = 0
    var nextOrder: UInt64 = 0
    var intended: [UInt64: Intention] = [:]
    var isNarrow = false
    var spacesChanged = false
    let spaces: (wide: SpaceSnapshot, narrow: SpaceSnapshot)

    /// What a sender wanted, once.
    struct Intention {
        let kind: MessageKind
        let sender: Witness.Sender
        let target: String
        let manner: SimulatedTask.Manner
    }

    /// 2026 in Unix microseconds: where wall clocks begin.
    static let epoch: Int64 = 1_790_000_000_000_000

    package init(seed: UInt64, tracing: Bool = false) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        habits = SimulatedHabits(&random)
        trace = SimulationTrace(isKept: tracing)
        spaces = (try Self.wide.get(), try Self.narrow.get())
        broker = BrokerProcess(monotonicStart: Int64(random.between(1_000_000...9_000_000)))
        registers = Dictionary(
            uniqueKeysWithValues: Set(SimulatedSpace.places.map(\.system)).map { ($0, SimulatedRegister($0)) })
        for place in SimulatedSpace.places {
            guard let register = registers[place.system] else { continue }
            agents.append(
                AgentProcess(
                    place, register, habits.timing(&random),
                    monotonicStart: Int64(random.between(1_000_000...9_000_000))))
            links.append(SimulatedLink())
        }
        witness.judgesDeadlines = !habits.hasSmallWindows
        witness.spaces = [
            (spaces.wide.canonical, SimulatedSpace.consumers), (spaces.narrow.canonical, [SimulatedSpace.portal]),
        ]
    }

    // Made once: encoding and hashing a space costs more than a hundred steps.
    private static let wide = Result { try SpaceSnapshot(SimulatedSpace.space(isNarrow: false)) }
    private static let narrow = Result {
        try SpaceSnapshot(SimulatedSpace.space(isNarrow: true), after: wide.get())
    }

    // MARK: - Running

    package func run() -> SimulationReport {
        startBroker()
        for agent in agents.indices { agenda.add(.agentStarts(agent: agent), at: Int64(random.below(100_000))) }
        agenda.add(.traffic, at: 200_000)
        agenda.add(.fault, at: 300_000)
        agenda.add(.look, at: 100_000)
        while witness.violation == nil, let entry = agenda.next() {
            now = max(now, entry.at)
            if !isCalm, now >= habits.storm { calm() }
            step += 1
            perform(entry)
            if isCalm, isDone { break }
            if now > habits.storm + SimulatedHabits.calmLimit {
                witness.fail(stuck())
                break
            }
        }
        judge()
        return SimulationReport(
            seed: seed, steps: step, virtualTime: now, messages: witness.positions.count,
            hash: trace.hash, violation: witness.violation, lines: trace.lines)
    }

    private func perform(_ entry: Agenda.Entry) {
        if let until = pause(of: entry.what), until > now { return agenda.postpone(entry, to: until) }
        switch entry.what {
        case .reachesBroker(let agent, let connection, let frame): reachBroker(agent, connection, frame)
        case .reachesAgent(let agent, let connection, let frame): reachAgent(agent, connection, frame)
        case .connects(let agent, let connection): connect(agent, connection)
        case .brokerTicks(let life): tickBroker(life)
        case .brokerStarts: startBroker()
        case .durable(let write): if let batch = disk.reach(write) { witness.durable(batch) }
        case .written(let write, let life): finishWrite(write, life)
        case .loaded(let life, let ticket, let positions): load(life, ticket, positions)
        case .found(let life, let ticket, let wish): find(life, ticket, wish)
        case .proven(let life, let ticket, let question): prove(life, ticket, question)
        case .agentTimer(let agent, let life): tickAgent(agent, life)
        case .agentStarts(let agent): startAgent(agent)
        case .works(let agent, let life, let job): work(agent, life, job)
        case .sendsAgain(let agent, let life, let row): sendAgain(agent, life, row)
        case .concludes(let system, let command): conclude(system, command)
        case .traffic: makeTraffic()
        case .fault: makeFault()
        case .look: look()
        }
    }

    /// A stopped process takes nothing in; what came meanwhile it finds when it goes on.
    private func pause(of what: Happening) -> Int64? {
        switch what {
        case .reachesBroker, .brokerTicks, .written, .loaded, .found, .proven: broker.pausedUntil
        case .reachesAgent(let agent, _, _), .agentTimer(let agent, _), .works(let agent, _, _),
            .sendsAgain(let agent, _, _):
            agents[agent].pausedUntil
        default: nil
        }
    }

    func note(_ kind: UInt64, _ values: [UInt64] = [], _ line: @autoclosure () -> String) {
        trace.note(step, now, kind, values, line())
    }

    // MARK: - Clocks

    var brokerMoment: BusBroker.Moment {
        BusBroker.Moment(
            monotonic: broker.monotonicStart + now, wall: broker.wall.risen(to: Self.epoch + now + broker.wallOffset))
    }

    func reading(_ agent: Int) -> ClockReading {
        ClockReading(
            now: UInt64(agents[agent].monotonicStart + now),
            wall: (Self.epoch + now + agents[agent].wallOffset) / 1000)
    }
}

/// What became of one seed.
package struct SimulationReport: Sendable {
    package let seed: UInt64
    package let steps: Int
    /// Microseconds.
    package let virtualTime: Int64
    /// Commands, outcomes and events that became durable.
    package let messages: Int
    package let hash: UInt64
    /// What was broken first; nil when nothing was.
    package let violation: String?
    package let lines: [String]
}
