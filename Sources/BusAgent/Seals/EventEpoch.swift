import BusDirectory
import BusEvidence
import BusProtocol

/// One epoch of an event: its content key, and for whom it has been wrapped.
struct EventEpoch: Sendable {
    let sealer: EventSealer
    private let publisher: String
    private var wrapped: [String: KeyID] = [:]
    private(set) var keys: [KeyMessage] = []

    init(_ event: String, of publisher: String, _ clock: ClockReading) {
        sealer = EventSealer(event: event, now: Int64(clock.now / 1000))
        self.publisher = publisher
    }

    /// Whether it may go on: nobody is left out who had its key before.
    func serves(_ receivers: [Directory.Seal], _ clock: ClockReading) -> Bool {
        let now = Dictionary(receivers.map { ($0.system, $0.key.id) }, uniquingKeysWith: { first, _ in first })
        return !sealer.isSpent(now: Int64(clock.now / 1000)) && wrapped.allSatisfy { now[$0.key] == $0.value }
    }

    mutating func wrap(
        for receivers: [Directory.Seal], _ clock: ClockReading, _ ids: inout MessageIDSource
    ) throws(SealFault) {
        for receiver in receivers where wrapped[receiver.system] == nil {
            let record = try sealer.key.wrapped(for: receiver.key)
            let name = RecordName(EpochName(sealer.epoch, of: publisher), for: receiver.system)
            let id = ids.next(unixMilliseconds: clock.wall)
            keys.append(KeyMessage(name, event: sealer.key.event, id: id, record: record))
            wrapped[receiver.system] = receiver.key.id
        }
    }
}
