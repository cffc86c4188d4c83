import BusAgent
import BusBroker
import BusDirectory
import BusJournal
import BusProtocol
import BusSystems

/// The shell around the broker's core, as `BrokerLoop` and `Recovery` are it: carries in what comes, does what comes out.
extension Simulation {
    func startBroker() {
        guard broker.core == nil else { return }
        let reading = Self.epoch + now + broker.wallOffset
        broker.wall = RisingWall(floor: disk.lastCommit, reading: reading)
        broker.life += 1
        broker.isStopping = false
        broker.deadLettersSeen = 0
        broker.knownSize = disk.size
        let limits = habits.limits(isFirstStart: disk.batches.isEmpty)
        do {
            let fold = try disk.recovered(limits)
            let snapshot = fold.snapshot ?? spaces.wide
            var core = BrokerCore(
                identity: BrokerIdentity(id: UInt128(broker.life), name: "broker", software: "simulated"),
                limits: limits, space: snapshot, treeSize: disk.size, treeRoot: disk.root,
                random: SeededRandom(seed: random.next()))
            core.recordStart(software: "simulated", at: brokerMoment)
            core.restore(fold)
            if fold.snapshot == nil { core.apply(snapshot, at: brokerMoment) }
            broker.core = core
        } catch { witness.fail("the journal cannot be folded: \(error)") }
        isNarrow = broker.core?.spaceVersion == spaces.narrow.version
        witness.sessions = [:]
        for link in links.indices { links[link].forgetBroker() }
        note(1, [UInt64(broker.life), disk.size], "broker starts, \(disk.size) records")
        agenda.add(.brokerTicks(life: broker.life), at: now)
        pump()
    }

    /// The broker's process ends without a word. Its host's disk keeps what was synced.
    func crashBroker(for duration: Int64) {
        guard broker.core != nil else { return }
        note(2, [], "broker crashes")
        broker.core = nil
        broker.life += 1
        broker.pausedUntil = 0
        if let batch = disk.crash(keepsUnknown: random.chance(percent: 50)) { witness.durable(batch) }
        for agent in links.indices where links[agent].isUp { cut(agent, isDeaf: false, isHalfOpen: false, for: 1000) }
        agenda.add(.brokerStarts, at: now + duration)
    }

    func reachBroker(_ agent: Int, _ connection: Int, _ frame: [UInt8]) {
        guard links[agent].carries(connection), broker.core != nil else { return }
        let place = agents[agent].place
        let route = Self.route(agent, connection)
        note(3, [UInt64(agent), SimulationTrace.number(frame)], "\(place.agent) → \(Self.words(frame))")
        witness.enters(frame, on: route, system: place.system, at: now)
        broker.core?.receive(frame, from: route, key: place.key, at: brokerMoment)
        pump()
    }

    func tickBroker(_ life: Int) {
        guard broker.life == life, broker.core != nil else { return }
        broker.core?.tick(at: brokerMoment)
        pump()
        let sleep = min(max(broker.core?.sleepLimit(at: brokerMoment) ?? 0, Self.shortestTick), 100_000)
        agenda.add(.brokerTicks(life: life), at: now + sleep)
    }

    /// The real shell ticks every 8 ms; a coarser one shows the same and costs less.
    private static let shortestTick: Int64 = 20_000

    // MARK: - Commit and out

    /// Commits what is worth a commit and performs what the core wants, until it wants nothing more now.
    func pump() {
        performActions()
        while writeNext() { performActions() }
        performActions()
        if broker.core?.counters.deadLettered != broker.deadLettersSeen { noteDead() }
    }

    /// - Returns: false when there is nothing worth a commit, or one is under way.
    private func writeNext() -> Bool {
        guard disk.writing == nil, let batch = broker.core?.takeBatch(at: brokerMoment) else { return false }
        _ = broker.core?.takeObservations()
        let length = Int64(random.between(disk.pace))
        let write = disk.begin(batch, at: brokerMoment.wall)
        agenda.add(.durable(write: write), at: now + Int64(random.below(Int(length))))
        agenda.add(.written(write: write, life: broker.life), at: now + length)
        return true
    }

    private func noteDead() {
        broker.deadLettersSeen = broker.core?.counters.deadLettered ?? 0
        for letter in broker.core?.deadLetters ?? [] {
            witness.givenUp.insert(.init(position: letter.position, receiver: letter.queue.system))
        }
    }

    func finishWrite(_ write: Int, _ life: Int) {
        guard broker.life == life, let result = disk.finish(write) else { return }
        switch result {
        case .success(let committed):
            broker.knownSize = committed.treeSize
            guard let done = broker.core?.durable(committed) else { return }
            // The real shell lets the next batch begin before it carries this one out, when enough has gathered.
            if random.below(2) == 0 { _ = writeNext() }
            broker.core?.carryOut(done, at: brokerMoment)
        case .failure(let error):
            note(4, [], "the journal fails: \(error.kind)")
            broker.core?.commitFailed(error.fault, at: brokerMoment)
            if !error.kind.leavesDiskKnown { return stopBroker() }
        }
        pump()
    }

    /// What is on the disk is not known any more: the broker says so, and goodbye, and ends.
    private func stopBroker() {
        broker.core?.sayGoodbye()
        performActions()
        crashBroker(for: Int64(random.between(50_000...1_500_000)))
    }

    private func performActions() {
        while let actions = broker.core?.takeActions(), !actions.isEmpty {
            for action in actions { perform(action) }
        }
    }

    private func perform(_ action: BrokerAction) {
        switch action {
        case .send(let route, let frame): send(frame, to: route)
        case .load(let ticket, let positions):
            agenda.add(.loaded(life: broker.life, ticket: ticket, positions), at: now + readingTime)
        case .find(let ticket, let wish):
            agenda.add(.found(life: broker.life, ticket: ticket, wish), at: now + readingTime)
        case .prove(let ticket, let question):
            agenda.add(.proven(life: broker.life, ticket: ticket, question), at: now + readingTime)
        case .resent(_, let letters): for letter in letters ?? [] { witness.toldResent(letter) }
        case .notice, .sought, .drained: break
        }
    }

    private func send(_ frame: [UInt8], to route: [UInt8]) {
        let (agent, connection) = Self.agent(of: route)
        guard links[agent].connection == connection, links[agent].isUp else {
            if links[agent].halfOpen.contains(connection) { return witnessed(frame, route) }
            broker.core?.unreachable(route: route, at: brokerMoment)
            return
        }
        witnessed(frame, route)
        note(5, [UInt64(agent), SimulationTrace.number(frame)], "\(agents[agent].place.agent) ← \(Self.words(frame))")
        let arrival = links[agent].arrivalAtAgent(now, after: random.between(habits.latency))
        agenda.add(.reachesAgent(agent: agent, connection: connection, frame), at: arrival)
    }

    private func witnessed(_ frame: [UInt8], _ route: [UInt8]) {
        let time = BrokerTime(time: now, awakeSince: broker.pausedUntil)
        witness.leaves(frame, on: route, wall: brokerMoment.wall, at: time)
    }

    // MARK: - Reading the journal

    private var readingTime: Int64 { Int64(random.between(100...3_000)) }

    func load(_ life: Int, _ ticket: UInt64, _ positions: [UInt64]) {
        guard broker.life == life else { return }
        let fails = !isCalm && random.chance(percent: 2)
        broker.core?.loaded(ticket, fails ? nil : positions.map { disk.message($0) }, at: brokerMoment)
        pump()
    }

    func find(_ life: Int, _ ticket: UInt64, _ wish: Seek) {
        guard broker.life == life else { return }
        broker.core?.sought(ticket, disk.events(wish), at: brokerMoment)
        pump()
    }

    func prove(_ life: Int, _ ticket: UInt64, _ question: LogQuestion) {
        guard broker.life == life else { return }
        let fails = !isCalm && random.chance(percent: 2)
        let result = fails ? .failure(Fault(.storageFailed, at: .broker)) : disk.proof(question)
        broker.core?.proven(ticket, result, at: brokerMoment)
        pump()
    }

    // MARK: - Names

    static func route(_ agent: Int, _ connection: Int) -> [UInt8] {
        [
            0, UInt8(agent), UInt8(truncatingIfNeeded: connection >> 16), UInt8(truncatingIfNeeded: connection >> 8),
            UInt8(truncatingIfNeeded: connection),
        ]
    }

    private static func agent(of route: [UInt8]) -> (agent: Int, connection: Int) {
        (Int(route[1]), Int(route[2]) << 16 | Int(route[3]) << 8 | Int(route[4]))
    }

    /// What a frame is, for a line of the trace.
    static func words(_ frame: [UInt8]) -> String {
        guard let head = try? frame.reading({ raw throws(Fault) in try FrameHead(raw) }) else { return "unreadable" }
        return "\(head.command) \(head.sequence)+\(head.count) \(frame.count) bytes"
    }
}
