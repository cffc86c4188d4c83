import BusAgent
import BusBroker
import BusSystems

/// How rough one seed is: which faults come, how often, and how the parties are set up. Drawn from the seed, so that some
/// histories are all network and others all disk.
struct SimulatedHabits {
    enum Fault: Int, CaseIterable {
        case cut, stall, agentCrash, agentPause, brokerCrash, brokerPause, diskFull, diskFails, slowDisk, clockStep
        case spaceChange, resend
    }

    /// Length of the storm, microseconds.
    let storm: Int64
    /// Longest calm: every deadline of a command passes in it, and every retry is made.
    static let calmLimit: Int64 = 60_000_000
    let faults: [Fault]
    /// Between two faults and between two pieces of traffic at most, microseconds.
    let faultEvery: Int
    let trafficEvery: Int
    /// One way, microseconds.
    let latency: ClosedRange<Int>
    /// Agents die in the middle of their work, not only at some time.
    let crashesAtWork: Bool
    let hasSmallWindows: Bool
    /// In percent of deliveries.
    let naks: Int
    let orderKeys: Int

    init(_ random: inout SeededRandom) {
        storm = Int64(random.between(1_500...4_000)) * 1000
        var faults: [Fault] = []
        for fault in Fault.allCases where random.chance(percent: 50) { faults.append(fault) }
        self.faults = faults
        crashesAtWork = faults.contains(.agentCrash) && random.chance(percent: 60)
        faultEvery = random.pick([200_000, 500_000, 1_500_000])
        trafficEvery = random.pick([40_000, 100_000, 200_000])
        latency = random.pick([50...300, 200...5_000, 1_000...60_000])
        hasSmallWindows = random.chance(percent: 30)
        naks = random.pick([0, 5, 25])
        orderKeys = random.pick([1, 2, 6])
    }

    func timing(_ random: inout SeededRandom) -> AgentTiming {
        var timing = AgentTiming()
        // Histories are short.
        timing.proofInterval = UInt64(random.between(500_000...3_000_000))
        if hasSmallWindows { timing.windowMessages = UInt64(random.between(1...6)) }
        return timing
    }

    func limits(isFirstStart: Bool) -> BrokerLimits {
        var limits = BrokerLimits()
        if !isFirstStart { limits.returnGrace = SimulatedSpace.heartbeat * SimulatedSpace.missed * 1000 }
        return limits
    }
}
