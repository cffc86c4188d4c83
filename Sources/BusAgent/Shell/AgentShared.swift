import BusProtocol
import Synchronization
import ZeroMQ

/// What the socket thread and the callers share.
final class AgentShared: Sendable {
    struct Status: Sendable {
        var isConnected = false
        var isClosed = false
        /// Why the agent could not start, if it could not.
        var failure: BusFault?
        var counters = AgentCounters()
        var pending = 0
        /// Of the newest space taken; 0: none yet.
        var spaceVersion: UInt64 = 0
    }

    let wakeup: Wakeup
    let owner = ThreadMark()
    let inbox: Inbox
    let executor: SocketThreadExecutor
    let status = Mutex(Status())
    let sealer: Sealer
    let terms = StatedTerms()
    let accesses = AccessWatcher()

    init(_ configuration: AgentConfiguration) throws(ZeroMQError) {
        sealer = Sealer(configuration.seals, needsSpace: configuration.authority != nil)
        wakeup = try Wakeup()
        inbox = Inbox(wakeup, owner: owner)
        executor = SocketThreadExecutor(wakeup, owner: owner)
    }

    /// Why an order can no longer be put.
    var closedFault: BusFault {
        status.withLock { $0.failure } ?? BusFault(.draining, at: .consumerAgent, "the agent was closed")
    }

    /// The whole life of the socket thread.
    func runThread(_ configuration: AgentConfiguration) {
        // Resumed last: whoever awaits `close` finds the socket closed and its context gone.
        for waiter in runLoop(configuration) { waiter.resume() }
    }

    private func runLoop(_ configuration: AgentConfiguration) -> [VoidContinuation] {
        owner.set()
        do throws(ZeroMQError) {
            let context: Context
            if let given = configuration.context { context = given } else { context = try Context() }
            let loop = try SocketLoop(configuration, self, context)
            loop.run()
            return loop.closeWaiters
        } catch {
            return fail(BusFault(.brokerUnreachable, at: .consumerAgent, "\(error)"))
        }
    }

    private func fail(_ fault: BusFault) -> [VoidContinuation] {
        status.withLock {
            $0.failure = fault
            $0.isClosed = true
        }
        var close: [VoidContinuation] = []
        for order in inbox.close() { order.end(with: fault, close: &close) }
        owner.clear()
        executor.close()
        return close
    }
}
