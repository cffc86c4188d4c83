import BusBroker
import BusEvidence
import BusJournal
import BusProtocol

/// The disk under a simulated broker's journal. A batch is there whole or not at all, as with SQLite's transactions.
struct SimulatedDisk {
    enum Health: Equatable { case well, full, failing }

    /// A batch under way to the disk.
    struct Write {
        let number: Int
        let batch: JournalBatch
        let committedAt: Int64
        let outcome: Health
        var result: Committed?
    }

    private(set) var batches: [StoredBatch] = []
    private var log = MerkleLog()
    /// Of every record that is there.
    private var leaves: [Digest32] = []
    /// Records that are there.
    var size: UInt64 { log.size }
    var root: [UInt8] { log.root.bytes }
    private(set) var lastCommit: Int64 = 0
    private(set) var writing: Write?
    private var writes = 0
    private var messages: [UInt64: MessageRecord] = [:]
    private var bodies: [UInt64: [UInt8]] = [:]
    /// Bodies that were erased, with the end of the batch that did.
    private var erased: [(by: UInt64, position: UInt64, bytes: [UInt8])] = []
    /// What was written after a sync that failed is in the host's memory only, and goes with the host.
    private var unsafeFrom: (batches: Int, log: MerkleLog, lastCommit: Int64)?

    var health = Health.well
    /// Microseconds a write takes at least, and at most.
    var pace: ClosedRange<Int> = 200...3000

    // MARK: - Writing

    mutating func begin(_ batch: JournalBatch, at committedAt: Int64) -> Int {
        writes += 1
        writing = Write(number: writes, batch: batch, committedAt: committedAt, outcome: health)
        return writes
    }

    /// The batch reaches the disk.
    /// - Returns: what it holds, when it does.
    mutating func reach(_ write: Int) -> StoredBatch? {
        guard let open = writing, open.number == write, open.outcome == .well, open.result == nil else { return nil }
        return append(open)
    }

    private mutating func append(_ write: Write) -> StoredBatch {
        let first = log.size + 1
        let encoded = EncodedBatch(write.batch, appendingTo: &log)
        for (index, bytes) in encoded.bodies { bodies[first + UInt64(index)] = Array(bytes) }
        for position in encoded.erased {
            guard let bytes = bodies.removeValue(forKey: position) else { continue }
            erased.append((log.size, position, bytes))
        }
        let stored = StoredBatch(firstPosition: first, committedAt: write.committedAt, records: encoded.blob)
        batches.append(stored)
        lastCommit = write.committedAt
        writing?.result = Committed(firstPosition: first, treeSize: log.size, root: log.root)
        index(stored)
        return stored
    }

    private mutating func index(_ stored: StoredBatch) {
        // What this very disk encoded can be read; a fault here would be seen by the fold as well.
        try? stored.forEach { position, type, payload throws(Fault) in
            var copy = payload
            leaves.append(try LogIndex.leaf(type, &copy))
            if type == RecordType.message.rawValue { messages[position] = try MessageRecord(&payload) }
        }
    }

    /// The end of a write, as the broker is told.
    mutating func finish(_ write: Int) -> Result<Committed, JournalError>? {
        guard let open = writing, open.number == write else { return nil }
        writing = nil
        switch open.outcome {
        case .well: return open.result.map { .success($0) }
        case .full: return .failure(JournalError(.full, "the simulated disk is full", remedy: "wait"))
        case .failing:
            health = .well
            unsafeFrom = unsafeFrom ?? (batches.count, log, lastCommit)
            unknown = open
            return .failure(JournalError(.failed, "the simulated sync failed", remedy: "stop"))
        }
    }

    /// The batch whose sync failed: nobody knows whether it is there.
    private var unknown: Write?

    /// The host loses what was not synced.
    /// - Parameter keepsUnknown: whether a batch whose sync failed turns out to be there.
    /// - Returns: a batch that is there after all.
    mutating func crash(keepsUnknown: Bool) -> StoredBatch? {
        writing = nil
        defer { (unknown, unsafeFrom) = (nil, nil) }
        if let unsafeFrom {
            batches.removeLast(batches.count - unsafeFrom.batches)
            (log, lastCommit) = (unsafeFrom.log, unsafeFrom.lastCommit)
            leaves.removeLast(leaves.count - Int(log.size))
            messages = messages.filter { $0.key <= unsafeFrom.log.size }
            for body in erased where body.by > unsafeFrom.log.size { bodies[body.position] = body.bytes }
            erased.removeAll { $0.by > unsafeFrom.log.size }
        }
        guard keepsUnknown, let unknown else { return nil }
        return append(unknown)
    }

    // MARK: - Reading

    /// As `Recovery` does it: every record folded, then the dead letters read that were known by their positions only.
    func recovered(_ limits: BrokerLimits) throws(Fault) -> DeliveryFold {
        var fold = DeliveryFold(limits)
        let there = Mutant.isOn(.recoverySkipsLastBatch) ? batches.dropLast() : batches[...]
        for batch in there {
            try batch.forEach { position, type, payload throws(Fault) in
                try fold.fold(type, &payload, position: position)
            }
        }
        fold.readLetters { messages[$0] }
        return fold
    }

    func message(_ position: UInt64) -> LoadedMessage {
        let record = position <= log.size ? messages[position] : nil
        return LoadedMessage(
            position: position, acceptedAt: record?.receivedAt ?? 0,
            MessageBytes(header: record?.header ?? [], body: bodies[position] ?? []),
            hasBody: record != nil && bodies[position] != nil)
    }

    /// The log as it was asked for, which may have grown since.
    func proof(_ question: LogQuestion) -> Result<ProvenLog, Fault> {
        guard question.head.size <= log.size,
            let signer = NoteSigner(name: question.origin, key: SimulatedSpace.logKey)
        else { return .failure(Fault(.storageFailed, at: .broker)) }
        let prover = LogProver<Never>(size: question.head.size) { subtree in
            subtree.root { (index: UInt64) -> Digest32 in leaves[Int(index)] }
        }
        return .success(ProvenLog(question, by: signer, prover) { messages[$0]?.header })
    }

    func events(_ wish: Seek) -> [UInt64] {
        let first: UInt64
        switch wish.start {
        case .beginning: first = 1
        case .position: first = wish.value
        case .time:
            let from = Int64(clamping: wish.value) * 1000
            first = batches.first { $0.committedAt >= from }?.firstPosition ?? .max
        }
        return messages.compactMap { position, record in
            guard position >= first, position <= log.size, bodies[position] != nil,
                let header = try? Header(decoding: record.header),
                header.kind == .event, header.target == wish.event
            else { return nil }
            return position
        }.sorted()
    }
}
