import BusDirectory
import BusProtocol
import Dispatch
import Synchronization
import ZeroMQ

/// Between the broker's thread and everybody else: orders in, the outcome of the start and the end out.
final class BrokerMailbox: Sendable {
    enum Order: Sendable {
        case apply(NextSpace, @Sendable (Result<SpaceSnapshot, BrokerError>) -> Void)
        case drain(@Sendable () -> Void)
        case workload(@Sendable (BrokerLoad) -> Void)
        case whereabouts(MessageID, @Sendable ([MessageWhereabouts]) -> Void)
        case queues(@Sendable ([QueueView]) -> Void)
        case deadLetters(@Sendable ([DeadLetter]) -> Void)
        /// Nil: it could not be made durable.
        case resend([(position: UInt64, receiver: String)], @Sendable ([DeadLetter]?) -> Void)
        case seek(Seek, @Sendable (Int?) -> Void)
        /// What the journal gave; nil when it could not be read.
        case loaded(UInt64, [LoadedMessage]?)
        case found(UInt64, [UInt64]?)
        case proven(UInt64, Result<ProvenLog, Fault>)
        case stop
    }

    /// A space that is to take effect.
    enum NextSpace: Sendable {
        case files(Space)
        case signed(SignedSpace)
    }

    private struct State {
        var orders: [Order] = []
        var bound: Result<String, BrokerError>?
        var isOver = false
        var failure: BrokerError?
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    let wakeup: Wakeup
    private let state = Mutex(State())
    private let binding = DispatchSemaphore(value: 0)

    init() throws(ZeroMQError) { wakeup = try Wakeup() }

    /// False when the broker is over: nobody will take the order any more.
    func order(_ order: Order) -> Bool {
        let isTaken = state.withLock { state in
            if !state.isOver { state.orders.append(order) }
            return !state.isOver
        }
        wakeup.signal()
        return isTaken
    }

    func takeOrders() -> [Order] {
        state.withLock { state in
            defer { state.orders.removeAll(keepingCapacity: true) }
            return state.orders
        }
    }

    func bound(_ result: Result<String, BrokerError>) {
        state.withLock { $0.bound = result }
        binding.signal()
    }

    /// Blocks the starting thread until the socket listens or could not.
    func waitUntilBound() throws(BrokerError) -> String {
        binding.wait()
        guard let result = state.withLock({ $0.bound }) else {
            throw BrokerError("the broker's thread ended before it listened", remedy: "look at the log above")
        }
        return try result.get()
    }

    func end(_ failure: BrokerError?) {
        let (waiting, orders) = state.withLock { state in
            state.isOver = true
            state.failure = failure
            defer {
                state.waiting = []
                state.orders = []
            }
            return (state.waiting, state.orders)
        }
        for order in orders {
            switch order {
            case .apply(_, let answer):
                answer(.failure(BrokerError("the broker has stopped", remedy: "start it again")))
            case .drain(let done): done()
            case .workload(let answer): answer(BrokerLoad())
            case .whereabouts(_, let answer): answer([])
            case .queues(let answer): answer([])
            case .deadLetters(let answer): answer([])
            case .resend(_, let answer): answer(nil)
            case .seek(_, let answer): answer(nil)
            case .stop, .loaded, .found, .proven: break
            }
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when the broker is over; the reason when it failed.
    func ending() async -> BrokerError? {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
        return state.withLock { $0.failure }
    }
}

/// The keys that may connect, asked by the ZAP handler on its own thread.
final class DirectoryKeys: Sendable {
    private let keys: Mutex<[String: KeyValidity]>

    init(_ space: Space) { keys = Mutex(Self.table(space)) }

    /// - Parameter now: Unix milliseconds.
    func admits(_ key: String, at now: Int64) -> Bool {
        keys.withLock { $0[key]?.isValid(at: now) ?? false }
    }

    func replace(_ space: Space) { keys.withLock { $0 = Self.table(space) } }

    private static func table(_ space: Space) -> [String: KeyValidity] {
        Dictionary(space.keys.map { ($0.curve, $0.validity) }, uniquingKeysWith: { first, _ in first })
    }
}
