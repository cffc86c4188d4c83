import BusProtocol
import Synchronization
import ZeroMQ

/// What other threads ask of the socket thread.
enum Order: Sendable {
    case ask(AskOrder)
    case submit(SubmitOrder)
    case query([MessageID], consumer: String, InquiryOrder)
    case seek(String, ReplayStart, system: String, InquiryOrder)
    case prove(Receipt, ProveOrder)
    case reply(Delivery, ReplyRoute, Result<[UInt8], BusFault>, about: UInt128?)
    /// The fault, for this agent's log: why it is not taken.
    case settle(Delivery, Settled, BusFault?)
    case cancel(call: UInt64)
    case register(Handler)
    case count(Fault, target: String, consumer: String)
    /// The secret for order keys of a provider is wanted; told when it is here, if anybody waits.
    case orderSecret(of: String, as: String, within: UInt64, OpenContinuation?)
    case health([AgentReport.SystemHealth])
    case start
    case awaitOpen(within: UInt64, OpenContinuation)
    case drain(within: UInt64, VoidContinuation)
    case close(VoidContinuation?)
}

/// Continuations are resumed exactly once: each lives in one `Order` or in one row of the socket thread's tables, moves from
/// the first to the second, and every removal from a table hands it to one resume. A closed inbox takes no orders.
typealias AskContinuation = UnsafeContinuation<Result<ReceivedReply, BusFault>, Never>
typealias PublishContinuation = UnsafeContinuation<Result<Receipt, BusFault>, Never>
typealias ProofContinuation = UnsafeContinuation<Result<ProvenReceipt, BusFault>, Never>
typealias InquiryContinuation = UnsafeContinuation<Result<InquiryAnswer, BusFault>, Never>
typealias OpenContinuation = UnsafeContinuation<Result<Void, BusFault>, Never>
typealias VoidContinuation = UnsafeContinuation<Void, Never>

struct AskOrder: Sendable {
    let route: Route
    let body: [UInt8]
    /// Microseconds from when the socket thread takes the order.
    let within: UInt64
    /// Number of the call, for `cancel`.
    let call: UInt64
    let continuation: AskContinuation
}

struct InquiryOrder: Sendable {
    let within: UInt64
    let continuation: InquiryContinuation
}

struct ProveOrder: Sendable {
    let within: UInt64
    let continuation: ProofContinuation
}

struct SubmitOrder: Sendable {
    let message: PreparedMessage
    /// The service, of a command whose sender asks for its state himself.
    let ordered: String?
    let within: UInt64
    let call: UInt64
    let continuation: PublishContinuation
}

/// Orders on their way to the socket thread. Bounded by the callers: each call waits for its own order.
final class Inbox: Sendable {
    private struct State {
        var orders: [Order] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wakeup: Wakeup
    private let owner: ThreadMark

    init(_ wakeup: Wakeup, owner: ThreadMark) {
        self.wakeup = wakeup
        self.owner = owner
    }

    /// - Returns: false when the socket thread has ended; the caller still holds the order and must end it itself.
    func put(_ order: Order) -> Bool {
        let (taken, wasEmpty) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.orders.append(order)
            return (true, state.orders.count == 1)
        }
        // The thread looks at its inbox before it sleeps: its own orders need no signal.
        if wasEmpty, !owner.isCurrent { wakeup.signal() }
        return taken
    }

    var isEmpty: Bool { state.withLock { $0.orders.isEmpty } }

    /// Swaps the orders with an empty array, so that both arrays keep their room.
    func take(into taken: inout [Order]) {
        state.withLock { state in swap(&state.orders, &taken) }
    }

    /// Takes what is left and nothing more from now on.
    func close() -> [Order] {
        state.withLock { state in
            state.isClosed = true
            defer { state.orders = [] }
            return state.orders
        }
    }
}
