import BusProtocol

/// Secrets for order keys of other systems: asked for when somebody wants to send commands there.
extension SocketLoop {
    /// - Parameter waiter: told when the secret is here, or when its time is over.
    func wantOrderSecret(
        of provider: String, as consumer: String, _ waiter: (until: UInt64, continuation: OpenContinuation)?
    ) {
        if let waiter { orderWaits.append((provider, waiter.until, waiter.continuation)) }
        guard case .missing = sealer.orderWay(to: provider, as: consumer) else { return endOrderWaits(of: provider) }
        waiting.add(nil, EpochName(0, of: provider), for: consumer, at: clock.now)
        tendKeys()
    }

    func endOrderWaits(of provider: String) {
        for wait in orderWaits where wait.provider == provider { wait.continuation.resume(returning: .success(())) }
        orderWaits.removeAll { $0.provider == provider }
    }

    func expireOrderWaits(at now: UInt64) {
        guard orderWaits.contains(where: { $0.until <= now }) else { return }
        for wait in orderWaits where wait.until <= now {
            wait.continuation.resume(returning: .failure(Self.noOrderSecret(of: wait.provider)))
        }
        orderWaits.removeAll { $0.until <= now }
    }

    static func noOrderSecret(of provider: String) -> BusFault {
        BusFault(
            .noLiveProvider, at: .consumerAgent,
            "the secret for order keys of \(provider) is not here yet, and no agent of it gave it")
    }
}
