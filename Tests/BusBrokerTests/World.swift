import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusBroker
@testable import BusJournal

/// A core with a journal, clocks and the agents around it. Nothing here waits: time is a number.
final class World {
    var core: BrokerCore
    var journal = MemoryJournal()
    var now = Moment(monotonic: 5_000_000, wall: 1_790_000_000_000_000)
    var agents: [[UInt8]: TestAgent] = [:]
    var notices: [BrokerNotice] = []
    var observations: [Observation] = []
    var isDrained = false
    var ids = MessageIDSource(random: Seeded(7))
    /// Commits happen at once; false: only with `commit()`.
    var commitsAtOnce = true
    /// The batch that is being written.
    var writing: JournalBatch?
    /// Called for each frame that leaves, before it is decoded.
    var watch: ([UInt8], [UInt8]) -> Void = { _, _ in }

    init(limits: BrokerLimits = BrokerLimits(), _ space: Space? = nil, treeSize: UInt64 = 0) throws {
        let snapshot = try SpaceSnapshot(try space ?? Spaces.space())
        core = BrokerCore(
            identity: BrokerIdentity(id: 9, name: "broker", software: "test"), limits: limits, space: snapshot,
            treeSize: treeSize, treeRoot: LogHash.empty.bytes, random: Seeded(1))
    }

    func id() -> MessageID { ids.next(unixMilliseconds: now.wallMilliseconds) }

    enum Read {
        case load(UInt64, [UInt64])
        case find(UInt64, Seek)
        case prove(UInt64, LogQuestion)
    }
    /// Questions to the journal that are not answered yet.
    var reads: [Read] = []
    var sought: [UInt64: Int] = [:]
    /// Answers to orders to resend; an inner nil: it could not be written.
    var resent: [UInt64: [DeadLetter]?] = [:]
    /// Questions to the journal are answered at once; false: only with `read()`.
    var readsAtOnce = true

    /// Answers what the core asked of the journal.
    func read(fails: Bool = false) {
        let waiting = reads
        reads = []
        for item in waiting {
            switch item {
            case .load(let ticket, let positions):
                core.loaded(ticket, fails ? nil : positions.map { journal.loaded($0) }, at: now)
            case .find(let ticket, let wish):
                core.sought(ticket, fails ? nil : journal.events(wish.event, from: wish.value), at: now)
            case .prove(let ticket, let question):
                core.proven(
                    ticket, fails ? .failure(Fault(.storageFailed, at: .broker)) : journal.proof(question), at: now)
            }
        }
    }

    /// A broker that starts on what this one wrote.
    /// - Parameter first: the space the journal began with, where another one is in force now.
    func restarted(from first: SpaceSnapshot? = nil) throws -> World {
        let next = try World(limits: core.limits, core.rights.snapshot.space)
        next.now = now
        next.journal = journal
        var fold = DeliveryFold(core.limits)
        var log = MerkleLog()
        var position: UInt64 = 1
        try fold.fold(RecordType.space, (first ?? core.rights.snapshot).canonical)
        for batch in journal.batches {
            let blob = EncodedBatch(batch, appendingTo: &log).blob
            try StoredBatch(firstPosition: position, committedAt: 0, records: blob).forEach {
                at, type, payload throws(Fault) in
                try fold.fold(type, &payload, position: at)
            }
            position += UInt64(batch.count)
        }
        fold.readLetters { journal.record($0) }
        next.core.restore(fold.book)
        next.ids = ids
        return next
    }

    /// Performs what the core wants: sends, and commits unless the test holds them back.
    func settle() {
        pump()
        while readsAtOnce, !reads.isEmpty {
            read()
            pump()
        }
        observations += core.takeObservations()
    }

    private func pump() {
        deliverActions()
        while writing == nil, let batch = core.takeBatch(at: now) {
            if commitsAtOnce { core.committed(journal.commit(batch), at: now) } else { writing = batch }
            deliverActions()
        }
        deliverActions()
    }

    /// The batch that is being written becomes durable.
    func commit() {
        guard let batch = writing else { return }
        writing = nil
        core.committed(journal.commit(batch), at: now)
        settle()
    }

    func failCommit(_ code: FaultCode = .storageFull) {
        guard writing != nil else { return }
        writing = nil
        core.commitFailed(Fault(code, at: .broker, "no space"), at: now)
        settle()
    }

    private func deliverActions() {
        for action in core.takeActions() {
            switch action {
            case .send(let route, let frame):
                watch(route, frame)
                agents[route]?.take(frame)
            case .notice(let notice): notices.append(notice)
            case .load(let ticket, let positions): reads.append(.load(ticket, positions))
            case .find(let ticket, let wish): reads.append(.find(ticket, wish))
            case .prove(let ticket, let question): reads.append(.prove(ticket, question))
            case .sought(let order, let count): sought[order] = count
            case .resent(let order, let letters): resent[order] = letters
            case .drained: isDrained = true
            }
        }
    }

    /// Time goes by in steps as the shell's ticks do. Agents that are alive answer their PINGs.
    func pass(milliseconds: Int64, step: Int64 = 8) {
        var left = milliseconds
        while left > 0 {
            let part = min(step, left)
            left -= part
            now.monotonic += part * 1000
            now.wall += part * 1000
            core.tick(at: now)
            settle()
            for agent in agents.values where agent.answersPings { agent.answerPings() }
        }
    }

    func apply(_ space: Space) throws {
        core.apply(try SpaceSnapshot(space, after: core.rights.snapshot), at: now)
        settle()
    }

    /// Every table of the core is empty but for its sessions.
    func expectIdle(_ comment: Comment? = nil) {
        #expect(core.calls.count == 0, comment)
        #expect(core.committing == nil, comment)
        for slot in core.sessions.indices {
            #expect(core.sessions[slot].outstanding == 0, comment)
            #expect(core.sessions[slot].waiting.isEmpty, comment)
            #expect(core.sessions[slot].outgoing.isEmpty, comment)
        }
    }
}

extension DeliveryFold {
    mutating func fold(_ type: RecordType, _ payload: [UInt8]) throws {
        let result: Result<Void, Fault> = payload.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            do throws(Fault) { return .success(try fold(type.rawValue, &reader, position: 0)) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
