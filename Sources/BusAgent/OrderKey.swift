import BusContracts
import BusEvidence
import BusProtocol

/// The key under which messages about one object stay in order: the bus must not know the object.
enum OrderKey {
    /// Without a secret, where one of both systems has no seal key: whoever guesses the object can tell its messages.
    /// - Parameter value: as canonical JSON.
    static func open(_ value: [UInt8], provider: String) -> UInt128 {
        let text = Array("kerege order key\0\(provider)\0".utf8) + value
        let digest = text.withUnsafeBytes { LogHash.body($0) }
        let key = withUnsafeBytes(of: digest) { $0.loadUnaligned(as: UInt128.self).bigEndian }
        // 0 would mean "none".
        return key == 0 ? 1 : key
    }
}

extension Agent {
    /// Nil when the contract names no place, or the body has nothing there.
    /// - Throws: 5030 when the provider's secret is not here; it is asked for.
    func orderKey(of body: [UInt8], _ route: Route) throws(BusFault) -> UInt128? {
        guard let value = route.contract?.orderValue(of: body) else { return nil }
        switch sealer.orderWay(to: route.provider, as: route.system) {
        case .open: return OrderKey.open(value, provider: route.provider)
        case .secret(let secret): return secret.orderKey(of: value)
        case .forbidden:
            throw BusFault(
                .noIntegration, at: .consumerAgent,
                "the plan has no open integration of \(route.system) with a service of \(route.provider)")
        case .missing:
            _ = put(.orderSecret(of: route.provider, as: route.system, within: 0, nil))
            throw SocketLoop.noOrderSecret(of: route.provider)
        }
    }

    /// Waits until the order keys of a command's provider can be made, where its contract wants them.
    /// - Parameter limit: the agent's usual deadline unless named.
    /// - Throws: 5030 when it is over.
    package func awaitOrderSecret(_ service: String, as system: String?, within limit: Duration?) async throws(BusFault)
    {
        guard contract(of: service)?.contract.orderKey != nil else { return }
        let (provider, consumer) = (Names.system(of: service), try speaking(as: system))
        guard case .missing = sealer.orderWay(to: provider, as: consumer) else { return }
        let within = (limit ?? configuration.defaultDeadline).microseconds
        let result = await withUnsafeContinuation { (continuation: OpenContinuation) in
            if !put(.orderSecret(of: provider, as: consumer, within: within, continuation)) {
                continuation.resume(returning: .failure(closedFault))
            }
        }
        try result.get()
    }
}
