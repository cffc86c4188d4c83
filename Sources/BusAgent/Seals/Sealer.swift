import BusDirectory
import BusEvidence
import BusProtocol
import Synchronization

/// Seals what an agent sends, for the systems that have a key in its space. Epochs live here and nowhere else: a process that starts
/// begins new ones, so no counter is used twice under one key, whatever was restored from wherever.
final class Sealer: Sendable {
    /// How long what the space says of a system's key is taken for true without another look, microseconds. Keys begin and end with days.
    static let look: UInt64 = 1_000_000

    /// What a message becomes: sealed, with the records that must go before it; or as it was, where its receiver has no key.
    struct Sealed: Sendable {
        let header: [UInt8]
        let body: [UInt8]
        var isSealed = true
        var keys: [KeyMessage] = []
    }

    private struct Pair: Hashable, Sendable {
        let from: String
        let to: String
    }

    private struct Way: Sendable {
        /// `nil`: the receiver has no key.
        let sender: SealSender?
        let keys: [KeyMessage]
        let looked: UInt64
    }

    private struct State: Sendable {
        var directory: Directory?
        var isReady = false
        var ways: [Pair: Way] = [:]
        /// Of `ways` the one that was taken last: runs of messages go between the same two systems. Whoever changes `ways` sets it too.
        var last: (pair: Pair, way: Way)?
        var events: [String: EventEpoch] = [:]
        /// Secrets for order keys, by the provider that gave them.
        var orders: [String: OrderSecret] = [:]
        var ids = MessageIDSource()
    }

    private let state = Mutex(State())
    /// By system: those this agent serves.
    private let ownOrders: [String: OrderSecret]
    private let ownRepeats: [String: RepeatSecret]

    /// - Parameter needsSpace: nothing is sent before a space says who seals.
    init(_ seals: [SealFile], needsSpace: Bool) {
        ownOrders = Dictionary(seals.map { ($0.system, $0.order) }, uniquingKeysWith: { first, _ in first })
        ownRepeats = Dictionary(seals.map { ($0.system, $0.repeats) }, uniquingKeysWith: { first, _ in first })
        state.withLock { $0.isReady = !needsSpace }
    }

    /// Another space was taken, or a session with a broker that has none to send.
    func use(_ directory: Directory?) {
        state.withLock { state in
            state.directory = directory
            state.isReady = true
            // Not forgotten where nothing changed: an epoch costs its record, and its receivers the opening of it.
            for pair in state.ways.keys {
                state.ways[pair] = state.ways[pair].map { Way(sender: $0.sender, keys: $0.keys, looked: 0) }
            }
            state.last = nil
        }
    }

    // MARK: - From system to system

    /// Seals for one system.
    /// - Parameters:
    ///   - open: the encoded header of the message as it goes where nothing is sealed.
    ///   - fill: the encoded header with this epoch and counter.
    func seal(
        _ body: [UInt8], from: String, to: String, _ clock: ClockReading, open: () -> [UInt8],
        _ fill: (_ epoch: UInt64, _ counter: UInt64) -> [UInt8]
    ) throws(BusFault) -> Sealed {
        do throws(SealFault) {
            // An epoch may be used up between the look and the seal by another thread: then there is another.
            for _ in 0..<2 {
                let way = try way(Pair(from: from, to: to), clock)
                guard let sender = way.sender else { return Sealed(header: open(), body: body, isSealed: false) }
                do throws(SealFault) {
                    let sealed = try sender.seal(body, fill)
                    return Sealed(header: sealed.header, body: sealed.body, keys: way.keys)
                } catch {
                    guard error == .epochSpent else { throw error }
                }
            }
            throw .epochSpent
        } catch { throw Self.fault(error) }
    }

    /// The same for a header that is not encoded yet.
    func seal(
        _ header: Header, _ body: [UInt8], from: String, to: String
    ) throws(BusFault) -> Sealed {
        try seal(body, from: from, to: to, .current(), open: { header.encoded() }) { epoch, counter in
            Self.filled(header, epoch, counter)
        }
    }

    private static func filled(_ header: Header, _ epoch: UInt64, _ counter: UInt64) -> [UInt8] {
        var header = header
        header.sealSuite = SealSender.suite
        header.keyEpoch = epoch
        header.counter = counter
        return header.encoded()
    }

    private func way(_ pair: Pair, _ clock: ClockReading) throws(SealFault) -> Way {
        let found = state.withLock { state -> Result<Way, SealFault> in
            guard state.isReady else { return .failure(.noSpace) }
            let isLast = state.last?.pair == pair
            let known = isLast ? state.last?.way : state.ways[pair]
            let isSpent = known?.sender?.isSpent(now: Int64(clock.now / 1000)) ?? false
            if let known, !isSpent, clock.now < known.looked.saturating(adding: Self.look) {
                if !isLast { state.last = (pair, known) }
                return .success(known)
            }
            do throws(SealFault) {
                let way = try Self.look(pair, isSpent ? nil : known, clock, &state)
                state.ways[pair] = way
                state.last = (pair, way)
                return .success(way)
            } catch { return .failure(error) }
        }
        return try found.get()
    }

    /// What the space says now. An epoch goes on as long as its receiver's key is the same.
    private static func look(
        _ pair: Pair, _ known: Way?, _ clock: ClockReading, _ state: inout State
    ) throws(SealFault) -> Way {
        guard let directory = state.directory, directory.isSealed(pair.to) else {
            return Way(sender: nil, keys: [], looked: clock.now)
        }
        // A key that expired or was revoked is no reason to send open what was sealed the day before.
        guard let key = directory.seal(of: pair.to, at: clock.wall)?.key else { throw .noValidKey(pair.to) }
        if let known, known.sender?.recipient == key.id {
            return Way(sender: known.sender, keys: known.keys, looked: clock.now)
        }
        let sender = try SealSender(to: key, now: Int64(clock.now / 1000))
        let name = RecordName(EpochName(sender.epoch, of: pair.from), for: pair.to)
        let id = state.ids.next(unixMilliseconds: clock.wall)
        return Way(
            sender: sender, keys: [KeyMessage(name, event: nil, id: id, record: sender.record)], looked: clock.now)
    }

    // MARK: - Events

    /// Seals an event for all its subscribers and for its publisher; as it was, where one of them has no key.
    func seal(event header: Header, _ body: [UInt8]) throws(BusFault) -> Sealed {
        let clock = ClockReading.current()
        do throws(SealFault) {
            guard let epoch = try eventEpoch(header.target, of: header.consumer, clock) else {
                return Sealed(header: header.encoded(), body: body, isSealed: false)
            }
            var header = header
            let sealed = try epoch.sealer.seal(body, in: &header)
            return Sealed(header: sealed.header, body: sealed.body, keys: epoch.keys)
        } catch { throw Self.fault(error) }
    }

    private func eventEpoch(
        _ event: String, of publisher: String, _ clock: ClockReading
    ) throws(SealFault) -> EventEpoch? {
        let made = state.withLock { state -> Result<EventEpoch?, SealFault> in
            guard state.isReady else { return .failure(.noSpace) }
            guard let directory = state.directory,
                let systems = directory.sealedReceivers(of: event, publisher: publisher)
            else { return .success(nil) }
            do throws(SealFault) {
                var receivers: [Directory.Seal] = []
                for system in systems {
                    guard let seal = directory.seal(of: system, at: clock.wall) else { throw .noValidKey(system) }
                    receivers.append(seal)
                }
                var epoch =
                    if let known = state.events[event], known.serves(receivers, clock) { known } else {
                        EventEpoch(event, of: publisher, clock)
                    }
                try epoch.wrap(for: receivers, clock, &state.ids)
                state.events[event] = epoch
                return .success(epoch)
            } catch { return .failure(error) }
        }
        return try made.get()
    }

    /// The content key of an epoch that this process made.
    func eventKey(_ epoch: UInt64) -> EventKey? {
        state.withLock { state in state.events.values.first { $0.sealer.epoch == epoch }?.sealer.key }
    }

    /// A content key for one more system, if that may receive the event; `nil` when it may not or has no key.
    func wrap(_ key: EventKey, _ name: EpochName, for system: String) -> KeyMessage? {
        let clock = ClockReading.current()
        return state.withLock { state in
            guard let directory = state.directory,
                system == name.sender || directory.subscribers(of: key.event).contains(system),
                let seal = directory.seal(of: system, at: clock.wall), let record = try? key.wrapped(for: seal.key)
            else { return nil }
            let id = state.ids.next(unixMilliseconds: clock.wall)
            return KeyMessage(RecordName(name, for: system), event: key.event, id: id, record: record)
        }
    }

    // MARK: - Order keys

    /// How the order keys of a system are made.
    enum OrderWay: Sendable {
        case secret(OrderSecret)
        /// One of both has no seal key: by a digest that everybody can make.
        case open
        /// The secret is not here yet.
        case missing
        /// The plan has nothing between the two: nobody would give the secret.
        case forbidden
    }

    func orderWay(to provider: String, as consumer: String) -> OrderWay {
        state.withLock { state in
            guard let directory = state.directory, directory.isSealed(provider), directory.isSealed(consumer) else {
                return .open
            }
            if let secret = ownOrders[provider] ?? state.orders[provider] { return .secret(secret) }
            return directory.consumes(consumer, of: provider) ? .missing : .forbidden
        }
    }

    /// - Returns: false when the space states another one.
    func take(_ secret: OrderSecret) -> Bool {
        state.withLock { state in
            guard state.directory?.isOrderSecret(secret.name, of: secret.system) ?? false else { return false }
            state.orders[secret.system] = secret
            return true
        }
    }

    /// The secret for order keys of a system of this agent, for one of its consumers.
    func wrapOrder(of provider: String, for consumer: String) -> KeyMessage? {
        let clock = ClockReading.current()
        guard let secret = ownOrders[provider] else { return nil }
        return state.withLock { state in
            guard let directory = state.directory, directory.consumes(consumer, of: provider),
                let seal = directory.seal(of: consumer, at: clock.wall), let record = try? secret.wrapped(for: seal.key)
            else { return nil }
            let name = RecordName(EpochName(secret.id, of: provider), for: consumer)
            let id = state.ids.next(unixMilliseconds: clock.wall)
            return KeyMessage(name, event: provider, id: id, record: record)
        }
    }

    // MARK: - Repetitions

    /// What tells a repetition of a message that is sealed anew; `nil` when the system has no key of its own here.
    func repeatTag(_ header: Header, _ body: [UInt8]) -> Header.Extension? {
        ownRepeats[header.consumer].map {
            Header.Extension(
                type: RepeatTag.type, value: RepeatTag.make(header.id, target: header.target, body, with: $0))
        }
    }

    private static func fault(_ fault: SealFault) -> BusFault {
        switch fault {
        case .bodyTooLarge(let size):
            BusFault(
                .bodyTooLarge, at: .consumerAgent,
                "a body of \(size) bytes does not fit when it is sealed; \(Limits.body - SealSender.growth) are possible"
            )
        case .noSpace: BusFault(.brokerUnreachable, at: .consumerAgent, "\(fault)")
        case .noValidKey: BusFault(.noLiveProvider, at: .consumerAgent, "\(fault)")
        default: BusFault(.sealNotOpened, at: .consumerAgent, "it cannot be sealed: \(fault)")
        }
    }
}
