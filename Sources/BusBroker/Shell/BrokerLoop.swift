import BusDirectory
import BusEvidence
import BusIntegrations
import BusJournal
import BusProtocol
import Dispatch
import Foundation
import Logging
import ZeroMQ

/// The broker's thread: receive, let the core think, commit, send; and again.
struct BrokerLoop: ~Copyable {
    /// What the thread is started with; it becomes the only owner.
    struct Start: Sendable {
        let core: BrokerCore
        let clockFloor: Int64
        let context: Context
        let journal: Journal
        let mailbox: BrokerMailbox
        let keys: DirectoryKeys
        let reading: JournalReading
        let readModel: ReadModel
        let logger: Logger
        let configuration: BrokerConfiguration
    }

    /// Frames taken in before the journal and the senders get their turn; one of 64 KiB counts as all of them.
    static let framesPerRound = 64
    /// Batches up to this size are written by this thread itself: handing them over and back takes longer.
    static let inlineRecords = 4
    /// Commits at the end for what the commits before them brought about.
    static let lastRounds = 4
    static let tickMicroseconds: Int64 = 8_000
    static let evaluateMicroseconds: Int64 = 250_000
    static let saveMicroseconds: Int64 = 5_000_000
    /// Frames libzmq may hold for one agent. Above the largest credit, so that reaching it means the agent does not read.
    static let highWater = Int(Limits.creditMessages) * 2

    var core: BrokerCore
    var clock: HostClock
    private var socket: Socket
    private let journal: JournalThread
    private let mailbox: BrokerMailbox
    let keys: DirectoryKeys
    let authority: VerifyingKey?
    let store: SpaceStore
    private let reading: JournalReading
    private let readModel: ReadModel
    private let logger: Logger
    /// Read anew where this thread may have waited: for frames, or for the disk. What lies between takes no time of its own.
    private var now = Moment(monotonic: 0, wall: 0)
    private var lastTick: Int64 = 0
    private var lastEvaluation: Int64 = 0
    private var lastSave: Int64 = 0
    private var heldObservations: [Observation] = []
    private var drained: [@Sendable () -> Void] = []
    private var seeks: [UInt64: @Sendable (Int?) -> Void] = [:]
    private var resends: [UInt64: @Sendable ([DeadLetter]?) -> Void] = [:]
    private var nextOrder: UInt64 = 0
    private var isStopping = false
    private var failure: BrokerError?

    static func run(_ start: Start) {
        do {
            var loop = try BrokerLoop(start)
            start.mailbox.bound(.success(try loop.socket.lastEndpoint()))
            loop.run()
            loop.close()
            start.mailbox.end(loop.failure)
        } catch {
            start.journal.close()
            start.mailbox.bound(.failure(Self.explain(error, start.configuration)))
            start.mailbox.end(nil)
        }
    }

    private static func explain(_ error: any Error, _ configuration: BrokerConfiguration) -> BrokerError {
        if let error = error as? ZeroMQError, error.number == EADDRINUSE {
            return BrokerError(
                "\(configuration.listen) is taken by another program",
                remedy: "stop it, or choose another port with --listen")
        }
        return BrokerError("cannot listen on \(configuration.listen): \(error)", remedy: "check the address")
    }

    private init(_ start: Start) throws {
        var socket = try Self.listen(start)
        let journal = try JournalThread(start.journal, done: start.mailbox.wakeup)
        do { try socket.bind(start.configuration.listen) } catch {
            journal.stop()
            throw error
        }
        self.socket = socket
        self.journal = journal
        core = start.core
        clock = HostClock(floor: start.clockFloor)
        mailbox = start.mailbox
        keys = start.keys
        authority = start.configuration.space.authority
        store = SpaceStore(folder: start.configuration.data)
        reading = start.reading
        readModel = start.readModel
        logger = start.logger
    }

    private static func listen(_ start: Start) throws(ZeroMQError) -> Socket {
        var options = SocketOptions()
        options.curve = .server(secret: start.configuration.secretKey)
        options.mandatory = true
        options.handover = false
        options.sendHighWater = highWater
        options.receiveHighWater = 1000
        options.maxMessageSize = Limits.frame
        options.lingerMs = 200
        return try Socket(start.context, .router, options: options)
    }

    private mutating func run() {
        var poller = Poller()
        let frames = poller.add(socket)
        let wakeup = poller.add(mailbox.wakeup)
        do {
            now = clock.now()
            pump()
            while !isStopping {
                poller.wait(on: frames, for: core.wantsInput ? .readable : [])
                try poller.wait(atMost: .microseconds(max(1000, core.sleepLimit(at: now))))
                // By what it found, not by its flag: a signal written late would leave the descriptor readable, and this loop awake.
                if poller.found(wakeup).contains(.readable), mailbox.wakeup.drain() { takeOrders() }
                takeResults()
                if poller.found(frames).contains(.readable) { try receive() }
                now = clock.now()
                tick()
                pump()
            }
        } catch {
            failure = BrokerError("the broker's socket failed: \(error)", remedy: "restart the broker")
            logger.error("the broker's socket failed", metadata: ["why": "\(error)"])
        }
    }

    // MARK: - In

    private mutating func receive() throws(ZeroMQError) {
        let limits = ReceiveLimits(maxPayloadBytes: Limits.frame)
        var left = Self.framesPerRound
        while left > 0, core.wantsInput, let message = try socket.receive(limits: limits) {
            left -= 1 + message.payload.count / 1024
            guard message.isWellFormed, let key = message.userID else {
                core.receiveMalformed(
                    from: message.route,
                    Fault(.tooManyParts, at: .broker, "\(message.extraParts + 1) parts; one is expected"))
                continue
            }
            // libzmq's own routing ids begin with 0. One that a peer chose could be that of an agent whose connection
            // broke, and then bring it that agent's mail.
            guard message.route.first == 0 else {
                core.receiveMalformed(
                    from: message.route,
                    Fault(.badFrame, at: .broker, "the routing id was set by the agent; leave it unset"))
                continue
            }
            core.receive(message.payload, from: message.route, key: key, at: clock.now())
        }
    }

    private mutating func takeOrders() {
        for order in mailbox.takeOrders() {
            switch order {
            case .apply(let space, let answer): answer(apply(space))
            case .drain(let done):
                drained.append(done)
                core.drain(at: clock.now())
            case .workload(let answer): answer(core.workload)
            case .whereabouts(let id, let answer): answer(core.whereabouts(of: id))
            case .queues(let answer): answer(core.queueViews(at: clock.now()))
            case .deadLetters(let answer): answer(core.deadLetters)
            case .resend(let letters, let answer):
                nextOrder += 1
                resends[nextOrder] = answer
                core.resend(letters, order: nextOrder, at: clock.now())
            case .seek(let wish, let answer):
                nextOrder += 1
                seeks[nextOrder] = answer
                core.seek(wish, .order(nextOrder))
            case .loaded(let ticket, let found): core.loaded(ticket, found, at: clock.now())
            case .found(let ticket, let positions): core.sought(ticket, positions, at: clock.now())
            case .proven(let ticket, let result): core.proven(ticket, result, at: clock.now())
            case .stop:
                isStopping = true
            }
        }
    }

    private mutating func tick() {
        guard now.monotonic - lastTick >= Self.tickMicroseconds else { return }
        lastTick = now.monotonic
        core.tick(at: now)
        if now.monotonic - lastEvaluation >= Self.evaluateMicroseconds {
            lastEvaluation = now.monotonic
            evaluate(now)
        }
        if now.monotonic - lastSave >= Self.saveMicroseconds {
            lastSave = now.monotonic
            saveViews()
        }
    }

    /// Judges the states of the plan; changes go into the journal.
    private mutating func evaluate(_ now: Moment) {
        readModel.publish(
            agents: core.agentViews(at: now), counters: core.counters, load: core.workload, treeSize: core.treeSize,
            root: core.treeRoot, clockLead: HostClock.lead(of: now))
        for change in readModel.evaluate(at: now.wallMilliseconds) {
            core.record(
                StateRecord(
                    at: change.at * 1000, subject: change.subject.rawValue, id: change.id, from: change.from,
                    to: change.to,
                    why: change.why), at: now)
        }
    }

    private mutating func saveViews() {
        let (position, ledger, snapshot) = readModel.saved()
        // Encoding takes milliseconds: neither this thread nor the journal's waits for it.
        DispatchQueue.global(qos: .utility).async { [journal] in
            guard let bytes = try? JSONEncoder().encode(ledger) else { return }
            journal.add(.saveView(ReadModel.spaceViewName, position: position, snapshot.canonical))
            journal.add(.saveView(ReadModel.viewName, position: position, Array(bytes)))
        }
    }

    // MARK: - Commit and out

    /// Commits what is worth a commit and performs what the core wants, until it wants nothing more now.
    private mutating func pump() {
        writeAhead()
        perform()
        while let batch = takeBatch() {
            if batch.count <= Self.inlineRecords, journal.isIdle {
                let result: Result<Committed, JournalError>
                do throws(JournalError) {
                    result = .success(try journal.journal.commit(batch, at: clock.now().wall))
                } catch { result = .failure(error) }
                conclude(result)
                if journal.journal.isCheckpointDue { journal.add(.checkpoint) }
            } else {
                journal.add(.commit(batch, at: clock.now().wall))
            }
            perform()
        }
        if core.isQuiet, !core.observations.isEmpty {
            core.takeObservations(into: &heldObservations)
            absorbHeld(upTo: 0)
        }
        perform()
    }

    private mutating func takeBatch() -> JournalBatch? {
        guard let batch = core.takeBatch(at: now) else { return nil }
        core.takeObservations(into: &heldObservations)
        return batch
    }

    private mutating func absorbHeld(upTo position: UInt64) {
        readModel.absorb(heldObservations, position: position)
        heldObservations.clear()
    }

    /// Lets the journal begin before this thread does anything else, where there is enough to write.
    private mutating func writeAhead() {
        guard core.gathered > Self.inlineRecords, !core.isCommitting, let batch = takeBatch() else { return }
        journal.add(.commit(batch, at: clock.now().wall))
    }

    private mutating func takeResults() {
        for result in journal.takeResults() { conclude(result) }
    }

    private mutating func conclude(_ result: Result<Committed, JournalError>) {
        now = clock.now()
        switch result {
        case .success(let committed):
            absorbHeld(upTo: committed.treeSize)
            guard let done = core.durable(committed) else { return }
            writeAhead()
            core.carryOut(done, at: now)
        case .failure(let error):
            // They were seen, though their records come later; the position they are saved with does not move.
            absorbHeld(upTo: 0)
            core.commitFailed(error.fault, at: now)
            if !error.kind.leavesDiskKnown {
                // What is on the disk is not known any more: going on could confirm what is lost.
                failure = BrokerError("\(error)", remedy: "the broker stops, because it can keep no promise")
                isStopping = true
            }
        }
    }

    private mutating func perform() {
        // A frame that cannot be sent ends a session, and that has effects of its own.
        while true {
            let actions = core.takeActions()
            if actions.isEmpty { return }
            for action in actions { perform(action) }
        }
    }

    private mutating func perform(_ action: BrokerAction) {
        switch action {
        case .send(let route, let frame): send(frame, route)
        case .notice(let notice): log(notice)
        case .load(let ticket, let positions): reading.load(ticket, positions)
        case .find(let ticket, let wish): reading.find(ticket, wish)
        case .prove(let ticket, let question): reading.prove(ticket, question)
        case .sought(let order, let count): seeks.removeValue(forKey: order)?(count)
        case .resent(let order, let letters): resends.removeValue(forKey: order)?(letters)
        case .drained:
            for done in drained { done() }
            drained = []
        }
    }

    private mutating func send(_ frame: [UInt8], _ route: [UInt8]) {
        do throws(ZeroMQError) {
            switch try socket.send(frame, to: route) {
            case .sent: break
            case .unreachable: lose(route)
            case .wouldBlock:
                logger.warning("an agent does not read; its session ends")
                lose(route)
            }
        } catch {
            logger.error("a frame could not be sent", metadata: ["why": "\(error)"])
        }
    }

    private mutating func lose(_ route: [UInt8]) {
        now = clock.now()
        core.unreachable(route: route, at: now)
    }

    private func log(_ notice: BrokerNotice) {
        let level: Logger.Level =
            switch notice.level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        logger.log(level: level, "\(notice.message)", metadata: notice.data.mapValues { "\($0)" })
    }

    // MARK: - The end

    private mutating func close() {
        core.sayGoodbye()
        perform()
        if failure == nil { writeLastRecords() }
        journal.stop()
        journal.journal.close()
        for done in drained { done() }
        for answer in seeks.values { answer(nil) }
        for answer in resends.values { answer(nil) }
    }

    private mutating func awaitCommit() {
        while core.isCommitting {
            takeResults()
            guard core.isCommitting else { return perform() }
            _ = mailbox.wakeup.wait(atMost: .milliseconds(5))
            mailbox.wakeup.drain()
        }
    }

    /// What could still wait is written before the journal closes.
    private mutating func writeLastRecords() {
        awaitCommit()
        // Each commit may end requests, and their ends are records too.
        for _ in 0..<Self.lastRounds where !core.isQuiet {
            core.hurry()
            now = clock.now()
            pump()
            awaitCommit()
        }
        now = clock.now()
        core.gatherEnd(at: now)
        pump()
        awaitCommit()
        let (position, ledger, snapshot) = readModel.saved()
        try? journal.journal.saveView(ReadModel.spaceViewName, position: position, snapshot.canonical)
        if let bytes = try? JSONEncoder().encode(ledger) {
            try? journal.journal.saveView(ReadModel.viewName, position: position, Array(bytes))
        }
    }
}
