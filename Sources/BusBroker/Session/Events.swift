import BusDirectory
import BusJournal
import BusProtocol
import DequeModule

/// An event on its way to its subscribers.
package struct PendingEvent: Sendable {
    var type: Int
    var header: [UInt8]
    var body: [UInt8]
    /// Unix microseconds.
    var acceptedAt: Int64
    let key: EventKey

    init(id: MessageID, publisher: String, type: Int, header: [UInt8], body: [UInt8], acceptedAt: Int64) {
        key = EventKey(id: id, publisher: publisher)
        self.type = type
        self.header = header
        self.body = body
        self.acceptedAt = acceptedAt
    }

    var cost: Int { header.count + body.count }
    /// Tells the same bytes from others within this process.
    var fingerprint: Int {
        var hasher = Hasher()
        hasher.combine(header)
        hasher.combine(body)
        return hasher.finalize()
    }
}

/// What names an event: ids are unique within the system that makes them.
struct EventKey: Hashable, Sendable {
    var id: MessageID
    var publisher: String
}

/// Events that not every subscriber has settled yet. The truth of them is the journal (message and settled records).
struct EventTable: Sendable {
    struct Delivery: Sendable {
        let position: UInt64
        var subscription: Rights.Subscription
        var attempt: UInt16 = 0
        /// With this session now; nil while it waits.
        var session: SessionReference?
        /// Not before this monotonic time.
        var notBefore: Int64 = 0
    }

    private(set) var events: [UInt64: (event: PendingEvent, open: Int)] = [:]
    var deliveries: [UInt64: [Delivery]] = [:]
    private var perType: [Int: (count: Int, bytes: Int)] = [:]
    /// Events accepted lately, so that one sent again after a reconnect has no second effect.
    private var recent: [EventKey: Int] = [:]
    private var recentOrder: Deque<EventKey> = []
    static let recentLimit = 65_536

    var count: Int { events.count }
    var positions: [UInt64] { events.keys.sorted() }

    func hasRoom(for type: Int, _ limits: BrokerLimits) -> Bool {
        let (count, bytes) = perType[type, default: (0, 0)]
        return count < limits.pendingEvents && bytes < limits.pendingEventBytes
    }

    /// The fingerprint of an event of this name that was accepted; nil when none is remembered.
    func fingerprint(of key: EventKey) -> Int? { recent[key] }

    mutating func remember(_ event: PendingEvent) {
        if recent.updateValue(event.fingerprint, forKey: event.key) == nil { recentOrder.append(event.key) }
        while recentOrder.count > Self.recentLimit { recent[recentOrder.removeFirst()] = nil }
    }

    mutating func forget(_ key: EventKey) { recent[key] = nil }

    mutating func add(_ event: PendingEvent, position: UInt64, _ subscriptions: [Rights.Subscription]) {
        guard !subscriptions.isEmpty else { return }
        events[position] = (event, subscriptions.count)
        deliveries[position] = subscriptions.map { Delivery(position: position, subscription: $0) }
        count(event, by: 1)
    }

    private mutating func count(_ event: PendingEvent, by sign: Int) {
        let (count, bytes) = perType[event.type, default: (0, 0)]
        perType[event.type] = (count + sign, bytes + sign * event.cost)
    }

    /// Takes over the indices of another space. What no subscriber is owed any more is dropped.
    mutating func remap(from old: Rights, to new: Rights) {
        let before = self
        events = [:]
        deliveries = [:]
        perType = [:]
        for (position, entry) in before.events {
            guard old.eventTypes.indices.contains(entry.event.type),
                let type = new.event(old.eventTypes[entry.event.type])
            else { continue }
            let open = before.deliveries[position, default: []].compactMap { delivery -> Delivery? in
                let name = old.systems[delivery.subscription.subscriber]
                guard let now = new.subscriptions[type].first(where: { new.systems[$0.subscriber] == name }) else {
                    return nil
                }
                var delivery = delivery
                delivery.subscription = now
                return delivery
            }
            guard !open.isEmpty else { continue }
            var event = entry.event
            event.type = type
            events[position] = (event, open.count)
            deliveries[position] = open
            count(event, by: 1)
        }
    }

    mutating func settle(_ position: UInt64, subscriber: Int) -> (PendingEvent, Delivery)? {
        guard let entry = events[position],
            let index = deliveries[position]?.firstIndex(where: { $0.subscription.subscriber == subscriber }),
            let delivery = deliveries[position]?.remove(at: index)
        else { return nil }
        if deliveries[position]?.isEmpty ?? true {
            deliveries[position] = nil
            events[position] = nil
            count(entry.event, by: -1)
        }
        return (entry.event, delivery)
    }

    mutating func release(_ session: SessionReference) { forSession(session) { $0.session = nil } }

    private mutating func forSession(_ session: SessionReference, _ change: (inout Delivery) -> Void) {
        for position in Array(deliveries.keys) {
            guard deliveries[position]?.contains(where: { $0.session == session }) == true else { continue }
            for index in deliveries[position, default: []].indices where deliveries[position]?[index].session == session
            {
                if var delivery = deliveries[position]?[index] {
                    change(&delivery)
                    deliveries[position]?[index] = delivery
                }
            }
        }
    }
}

/// Events fan out to every subscribing system, one agent of each, until it settles them.
extension BrokerCore {
    mutating func fanOut(_ event: PendingEvent, position: UInt64, _ now: Moment) {
        // Its type may have left the space while the batch was written.
        guard rights.subscriptions.indices.contains(event.type) else { return }
        events.add(event, position: position, rights.subscriptions[event.type])
        deliverEvent(position, now)
    }

    /// Takes up an event that the journal holds and somebody has not settled, after a restart.
    package mutating func restore(
        event header: [UInt8], body: [UInt8], position: UInt64, acceptedAt: Int64, settledBy: Set<String>
    ) {
        guard let decoded = try? Header(decoding: header), let type = rights.event(decoded.target) else { return }
        let open = rights.subscriptions[type].filter { !settledBy.contains(rights.systems[$0.subscriber]) }
        let event = PendingEvent(
            id: decoded.id, publisher: decoded.consumer, type: type, header: header, body: body, acceptedAt: acceptedAt)
        events.remember(event)
        events.add(event, position: position, open)
    }

    mutating func redeliverEvents(_ now: Moment) {
        lastRedelivery = now.monotonic
        guard events.count > 0 else { return }
        for position in events.positions { deliverEvent(position, now) }
    }

    mutating func redeliverEvents(toSystemsOf slot: Int, _ now: Moment) { redeliverEvents(now) }

    private mutating func deliverEvent(_ position: UInt64, _ now: Moment) {
        guard let entry = events.events[position], var deliveries = events.deliveries[position] else { return }
        var worn: [EventTable.Delivery] = []
        for index in deliveries.indices
        where deliveries[index].session == nil && deliveries[index].notBefore <= now.monotonic {
            // Also an event that ends every agent it is given to must end some day.
            if Int(deliveries[index].attempt) >= limits.eventAttempts {
                worn.append(deliveries[index])
                continue
            }
            var envelope = OutgoingEnvelope(header: entry.event.header[...], body: entry.event.body[...])
            let system = deliveries[index].subscription.subscriber
            guard let slot = rights.choose(system, sessions, cost: envelope.cost),
                sessions[slot].waiting.isEmpty, sessions[slot].hasCredit(for: envelope.cost)
            else { continue }
            deliveries[index].attempt += 1
            deliveries[index].session = SessionReference(slot: slot, id: sessions[slot].id)
            var annotations = Annotations()
            annotations.position = position
            annotations.attempt = deliveries[index].attempt
            annotations.requestIn = entry.event.acceptedAt
            annotations.requestOut = now.wall
            envelope.annotations = annotations
            push(envelope, to: slot)
        }
        events.deliveries[position] = deliveries
        for delivery in worn { close(delivery, FaultCode.providerFault.number, now) }
    }

    /// ACK, NAK, TERM of deliveries that are with this very session; anything else is ignored and counted.
    mutating func settle(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let settlement = try frame.reading { raw throws(Fault) in
            var reader = head.fields(of: raw)
            return try Settlement(&reader)
        }
        let session = SessionReference(slot: slot, id: sessions[slot].id)
        for row in settlement.rows {
            guard let index = settled(row.position, by: session),
                let delivery = events.deliveries[row.position]?[index]
            else {
                counters.duplicates += 1
                continue
            }
            if head.command == .nak, Int(delivery.attempt) < limits.eventAttempts {
                let delay = Int64(min(row.delayMilliseconds, 3_600_000)) * 1000
                events.deliveries[row.position]?[index].session = nil
                events.deliveries[row.position]?[index].notBefore = now.monotonic + delay
            } else {
                let code = head.command == .ack ? 0 : (row.code == 0 ? FaultCode.providerFault.number : row.code)
                close(delivery, code, now)
            }
        }
    }

    /// The delivery a settlement speaks of: one with this session, or one that was with the session before it.
    private func settled(_ position: UInt64, by session: SessionReference) -> Int? {
        guard let deliveries = events.deliveries[position] else { return nil }
        let systems = sessions[session.slot].systems
        return deliveries.firstIndex { $0.session == session }
            ?? deliveries.firstIndex {
                $0.session == nil && $0.attempt > 0 && systems.contains(rights.systems[$0.subscription.subscriber])
            }
    }

    private mutating func close(_ delivery: EventTable.Delivery, _ code: UInt16, _ now: Moment) {
        let subscription = delivery.subscription
        guard let (event, _) = events.settle(delivery.position, subscriber: subscription.subscriber) else { return }
        let record = SettledRecord(
            position: delivery.position, at: now.wall, integration: subscription.integration, code: code,
            subscriber: rights.systems[subscription.subscriber])
        gather(.settled, record.encoded, now)
        observations.append(
            .exchange(
                integration: subscription.integration, family: code / 10,
                latency: UInt32(clamping: max(0, now.wall - event.acceptedAt)), at: now.wallMilliseconds,
                stage: subscription.stage))
    }
}
