import BusDirectory
import BusEvidence
import BusProtocol
import Testing

@testable import BusBroker
@testable import BusJournal

/// A repeatable source of randomness (SplitMix64).
struct Seeded: RandomNumberGenerator, Sendable {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A journal in memory: gives positions, remembers what it was given, and fails when it is told to.
struct MemoryJournal {
    var records: [JournalBatch.Entry] = []
    var batches: [JournalBatch] = []
    /// Positions whose body is gone.
    var erased: Set<UInt64> = []

    mutating func commit(_ batch: JournalBatch) -> Committed {
        let first = UInt64(records.count) + 1
        records += batch.entries
        batches.append(batch)
        var root = Digest32()
        root.a = UInt64(records.count)
        return Committed(firstPosition: first, treeSize: UInt64(records.count), root: root)
    }

    var finished: [FinishedRecord] { records.compactMap { if case .finished(let record) = $0 { record } else { nil } } }

    /// Payloads of one type, as their readers take them.
    func payloads(_ type: RecordType) -> [[UInt8]] {
        records.compactMap { if case .record(type, let payload) = $0 { payload } else { nil } }
    }

    var refused: [RefusedRecord] {
        payloads(.refused).compactMap { bytes in
            try? bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try RefusedRecord(&reader)
            }
        }
    }

    var settled: [SettledRecord] {
        payloads(.settled).compactMap { bytes in
            try? bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try SettledRecord(&reader)
            }
        }
    }

    var attempted: [AttemptedRecord] {
        payloads(.attempted).compactMap { bytes in
            try? bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try AttemptedRecord(&reader)
            }
        }
    }

    var liveness: [LivenessRecord] {
        payloads(.liveness).compactMap { bytes in
            try? bytes.reading { raw throws(Fault) in
                var reader = ByteReader(raw)
                return try LivenessRecord(&reader)
            }
        }
    }

    func loaded(_ position: UInt64) -> LoadedMessage {
        guard position >= 1, position <= records.count, case .message(let message) = records[Int(position) - 1] else {
            return LoadedMessage(position: position, acceptedAt: 0, MessageBytes(header: [], body: []), hasBody: false)
        }
        let isErased = erased.contains(position)
        let bytes = MessageBytes(message)
        return LoadedMessage(
            position: position, acceptedAt: message.receivedAt, isErased ? bytes.withoutBody : bytes, hasBody: !isErased
        )
    }

    /// Proves the log with leaves of its own for what is no message; its roots are made up.
    func proof(_ question: LogQuestion) -> Result<ProvenLog, Fault> {
        guard let signer = NoteSigner(name: question.origin, key: SigningKey()) else {
            return .failure(Fault(.logUnsigned, at: .broker))
        }
        let leaves = records.map { if case .message(let message) = $0 { message.leaf } else { LogHash.empty } }
        let prover = LogProver<Never>(size: question.head.size) { subtree in
            subtree.root { (index: UInt64) -> Digest32 in leaves[Int(index)] }
        }
        return .success(
            ProvenLog(question, by: signer, prover) { position in
                if case .message(let message) = records[Int(position) - 1] {
                    return Array(message.frame[message.header])
                }
                return nil
            })
    }

    /// A message as recovery reads it.
    func record(_ position: UInt64) -> MessageRecord? {
        guard case .message(let message) = records[Int(position) - 1] else { return nil }
        var log = MerkleLog()
        var batch = JournalBatch()
        batch.append(.message(message))
        var record: MessageRecord?
        try? StoredBatch(firstPosition: position, committedAt: 0, records: EncodedBatch(batch, appendingTo: &log).blob)
            .forEach { _, _, payload throws(Fault) in record = try MessageRecord(&payload) }
        return record
    }

    func events(_ type: String, from first: UInt64) -> [UInt64] {
        records.indices.compactMap { index in
            guard UInt64(index) + 1 >= first, case .message(let message) = records[index],
                let header = try? Header(decoding: Array(message.frame[message.header])), header.kind == .event,
                header.target == type
            else { return nil }
            return UInt64(index) + 1
        }
    }

    func messageIDs(_ kind: MessageKind) -> [MessageID] {
        records.compactMap { entry in
            guard case .message(let message) = entry,
                let header = try? Header(decoding: Array(message.frame[message.header])), header.kind == kind
            else { return nil }
            return header.id
        }
    }
}
