package import BusDirectory
import BusIntegrations
import BusJournal
import BusProtocol
import Foundation

/// What a broker finds in its journal when it starts: the views saved last, and the records after them.
struct Recovery {
    var snapshot: SpaceSnapshot?
    var ledger: IntegrationLedger?
    var position: UInt64 = 0
    var lastCommit: Int64 = 0
    var deliveries: DeliveryFold
    /// Sizes and roots at the ends of the newest batches.
    var batchEnds: [(size: UInt64, root: [UInt8])] = []

    /// Reads the saved views, then folds the records: the plan's ledger from where it was saved, deliveries from the beginning.
    init(folder: String, limits: BrokerLimits) throws(JournalError) {
        let reader = try JournalReader(folder: folder)
        deliveries = DeliveryFold(limits)
        if let view = try reader.view(ReadModel.spaceViewName) { snapshot = try? SpaceSnapshot(canonical: view.bytes) }
        let spacePosition = try reader.view(ReadModel.spaceViewName)?.position ?? 0
        // An older space beside a newer ledger: the space in force is then known from the records alone.
        if let view = try reader.view(ReadModel.viewName), snapshot != nil, spacePosition >= view.position,
            let saved = try? JSONDecoder().decode(IntegrationLedger.self, from: Data(view.bytes))
        {
            ledger = saved
            position = view.position
        } else {
            snapshot = nil
        }
        try replay(reader)
        try readLetters(reader)
        lastCommit = try reader.lastCommit()
        batchEnds = try reader.batchEnds(limit: Receipts.limit)
    }

    private mutating func replay(_ reader: JournalReader) throws(JournalError) {
        var state = self
        let saved = position
        try reader.forEach(from: 1) { at, _, type, payload throws(Fault) in
            var copy = payload
            if at > saved {
                state.position = at
                try state.fold(type, &payload)
            }
            try state.deliveries.fold(type, &copy, position: at)
        }
        self = state
    }

    /// Dead letters whose message was not in memory when they died.
    private mutating func readLetters(_ reader: JournalReader) throws(JournalError) {
        let unread = deliveries.unreadLetters
        guard !unread.isEmpty else { return }
        let found = try reader.messages(at: unread)
        deliveries.readLetters { found[$0] }
    }

    private mutating func fold(_ type: UInt8, _ payload: inout ByteReader) throws(Fault) {
        switch RecordType(rawValue: type) {
        case .space:
            let next = try Self.space(&payload)
            snapshot = next
            let plan = Plan(next)
            let thresholds = BusIntegrations.Thresholds(next.space.thresholds)
            if ledger == nil { ledger = IntegrationLedger(plan: plan, thresholds: thresholds) }
            ledger?.apply(newPlan: plan, thresholds: thresholds)
        case .finished:
            let record = try FinishedRecord(&payload)
            guard record.integration != .max else { return }
            let end =
                record.times.replyOut > 0 ? record.times.replyOut : max(record.times.replyIn, record.times.requestIn)
            ledger?.attempted(integration: Int(record.integration), at: record.times.requestIn / 1000)
            ledger?.record(
                Exchange(
                    integration: Int(record.integration), code: record.outcome / 10,
                    latencyMicroseconds: UInt32(clamping: end - record.times.requestIn), at: end / 1000,
                    stage: Stage(rawValue: record.stage) ?? .planned))
        case .refused:
            let record = try RefusedRecord(&payload)
            ledger?.record(
                Refusal(
                    consumer: record.consumer, service: record.target, code: record.code / 10, at: record.at / 1000,
                    count: record.count))
        case .reported:
            let record = try ReportedRecord(&payload)
            ledger?.record(
                ReportedFaults(
                    integration: Int(record.integration), code: record.code / 10, count: record.count,
                    at: record.at / 1000))
        case .settled:
            let record = try SettledRecord(&payload)
            guard record.integration != .max else { return }
            // The stage it has in the space that was in force.
            let integrations = snapshot?.space.integrations ?? []
            let stage =
                integrations.indices.contains(Int(record.integration))
                ? Stage(rawValue: integrations[Int(record.integration)].stage.number) : nil
            ledger?.record(
                Exchange(
                    integration: Int(record.integration), code: record.code / 10, latencyMicroseconds: 0,
                    at: record.at / 1000, stage: stage ?? .planned))
        default: break
        }
    }
}

extension Recovery {
    fileprivate static func space(_ payload: inout ByteReader) throws(Fault) -> SpaceSnapshot {
        let bytes = try payload.takeArray(payload.remaining)
        guard let found = try? SpaceSnapshot(canonical: bytes) else {
            throw Fault(.storageFailed, at: .broker, "a space in the journal cannot be read")
        }
        return found
    }
}

/// What a start finds in a journal, without one.
package enum BrokerStart {
    /// - Returns: ids the ledger remembers, and messages that are owed to somebody.
    package static func measure(folder: String) throws -> (remembered: Int, owed: Int) {
        let book = try Recovery(folder: folder, limits: BrokerLimits()).deliveries.book
        return (book.ledger.count, book.depth)
    }

    /// The space that is in force by the journal of this folder, signed or not; nil where there is none. Records are read from where a view
    /// of it was saved.
    package static func spaceInForce(folder: String) throws -> SpaceSnapshot? {
        guard FileManager.default.fileExists(atPath: Journal.path(in: folder)) else { return nil }
        let reader = try JournalReader(folder: folder)
        let view = try reader.view(ReadModel.spaceViewName)
        var inForce = view.flatMap { try? SpaceSnapshot(canonical: $0.bytes) }
        let seen = inForce == nil ? 0 : view?.position ?? 0
        try reader.forEach(from: seen + 1) { _, _, type, payload throws(Fault) in
            if type == RecordType.space.rawValue { inForce = try Recovery.space(&payload) }
        }
        return inForce
    }
}
