import BusAgent
import BusBroker
import BusEvidence
import BusProtocol
import BusSystems

/// A broker's process on its host.
final class BrokerProcess {
    /// Nil while it is down.
    var core: BrokerCore?
    var life = 0
    /// The host's monotonic clock when the simulation began, and how far its wall clock is off. Microseconds.
    let monotonicStart: Int64
    var wallOffset: Int64 = 0
    var wall = RisingWall(floor: 0, reading: 0)
    var pausedUntil: Int64 = 0
    var isStopping = false
    var deadLettersSeen: UInt64 = 0
    /// Records the core knows of.
    var knownSize: UInt64 = 0

    init(monotonicStart: Int64) { self.monotonicStart = monotonicStart }
}

/// An agent's process on its host.
final class AgentProcess {
    let place: SimulatedSpace.Place
    let register: SimulatedRegister
    let timing: AgentTiming
    let monotonicStart: Int64
    var wallOffset: Int64 = 0
    var pausedUntil: Int64 = 0
    /// Nil while it is down.
    var core: AgentCore?
    var life = 0
    var actions: [AgentAction] = []
    var ids: MessageIDSource
    /// What is in its file: HELLO of the next life carries it.
    var savedReceipt = LogReceipt.none
    var savedCheckpoint: KnownCheckpoint?
    /// When its timer is set for.
    var timerAt = Int64.max
    var jobs: [Int: SimulatedJob] = [:]
    var nextJob = 0
    /// Rows of the register's outbox that this life has submitted.
    var submitted: Set<Int> = []
    var tickets: [UInt64: Ticket] = [:]
    var nextTicket: UInt64 = 0
    var nextToken: UInt64 = 0
    /// Deliveries of this session that came in, and those that are in the agent's hands.
    var came: UInt64 = 0
    var held: UInt64 = 0

    enum Ticket {
        case ask(until: UInt64)
        case row(Int)
    }

    init(
        _ place: SimulatedSpace.Place, _ register: SimulatedRegister, _ timing: AgentTiming, monotonicStart: Int64
    ) {
        self.place = place
        self.register = register
        self.timing = timing
        self.monotonicStart = monotonicStart
        ids = MessageIDSource(random: SeededRandom(seed: 0))
    }

    /// A process begins: nothing but the file and the register is left of the one before it.
    func begin(_ random: inout SeededRandom, started: UInt64) {
        life += 1
        let instance = UInt128(random.next()) << 64 | UInt128(random.next() | 1)
        let identity = AgentCore.Identity(
            agent: place.agent, systems: [place.system], instance: instance, bootCounter: UInt64(life),
            software: "simulated")
        core = AgentCore(
            identity, timing: timing, receipt: savedReceipt, checkpoint: savedCheckpoint, started: started,
            random: SeededRandom(seed: random.next()))
        ids = MessageIDSource(random: SeededRandom(seed: random.next()))
    }

    func end() {
        core = nil
        life += 1
        actions = []
        if let holder = register.holder, jobs.values.contains(where: { $0 === holder }) { register.holder = nil }
        jobs = [:]
        submitted = []
        tickets = [:]
        timerAt = .max
        came = 0
        held = 0
    }
}
