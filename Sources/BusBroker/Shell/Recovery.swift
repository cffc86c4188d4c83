import BusDirectory
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
    var events: [UnsettledEvent] = []

    struct UnsettledEvent {
        var position: UInt64
        var acceptedAt: Int64
        var header: [UInt8]
        var body: [UInt8]
        var settledBy: Set<String>
    }

    /// Reads the saved views, then folds every later record.
    init(folder: String) throws(JournalError) {
        let reader = try JournalReader(folder: folder)
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
        lastCommit = try reader.lastCommit()
        try findUnsettledEvents(reader)
    }

    private mutating func replay(_ reader: JournalReader) throws(JournalError) {
        var state = self
        try reader.forEach(from: position + 1) { position, _, type, payload throws(Fault) in
            state.position = position
            try state.fold(type, &payload)
        }
        self = state
    }

    private mutating func fold(_ type: UInt8, _ payload: inout ByteReader) throws(Fault) {
        switch RecordType(rawValue: type) {
        case .space:
            let bytes = try payload.takeArray(payload.remaining)
            guard let next = try? SpaceSnapshot(canonical: bytes) else {
                throw Fault(.storageFailed, at: .broker, "a space in the journal cannot be read")
            }
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
        case .settled:
            let record = try SettledRecord(&payload)
            guard record.integration != .max else { return }
            ledger?.record(
                Exchange(
                    integration: Int(record.integration), code: record.code / 10, latencyMicroseconds: 0,
                    at: record.at / 1000,
                    stage: .approved))
        default: break
        }
    }

    /// Events are few and their subscribers' debts are not in a view: the whole journal is asked for kept bodies.
    private mutating func findUnsettledEvents(_ reader: JournalReader) throws(JournalError) {
        guard let snapshot else { return }
        let subscribers = Rights(snapshot)
        var open: [UInt64: UnsettledEvent] = [:]
        for position in try reader.keptBodies() {
            guard let stored = try reader.message(at: position), let header = try? Header(decoding: stored.header)
            else {
                throw JournalError(
                    .damaged, "position \(position): a kept body stands here without its message",
                    remedy: "kerege journal verify DIR names every place; restore a backup")
            }
            guard header.kind == .event else { continue }
            open[position] = UnsettledEvent(
                position: position, acceptedAt: stored.receivedAt, header: stored.header, body: [], settledBy: [])
        }
        guard let first = open.keys.min() else { return }
        var found = open
        try reader.forEach(from: first) { _, _, type, payload throws(Fault) in
            guard type == RecordType.settled.rawValue else { return }
            let record = try SettledRecord(&payload)
            found[record.position]?.settledBy.insert(record.subscriber)
        }
        for (position, event) in found {
            guard let header = try? Header(decoding: event.header), let type = subscribers.event(header.target) else {
                continue
            }
            let wanted = subscribers.subscriptions[type].map { subscribers.systems[$0.subscriber] }
            guard wanted.contains(where: { !event.settledBy.contains($0) }), let body = try reader.body(at: position)
            else {
                continue
            }
            var event = event
            event.body = body
            events.append(event)
        }
        events.sort { $0.position < $1.position }
    }
}
