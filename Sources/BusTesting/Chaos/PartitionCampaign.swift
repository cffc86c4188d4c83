import BusSystems

/// Sender and provider on another host, as far as the network knows, and a cable that is pulled: both sides keep their connections,
/// and only silence tells.
package struct PartitionCampaign: Campaign {
    package let name = "partition"
    package let fault = "the network parts"
    package let injector =
        "the link between two network namespaces set down, shorter and longer than the heartbeats' limit"
    package let runs = (usual: 30, long: 150)

    package init() {}

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        guard let far = FarHost() else {
            var result = begun
            result.notRun = "network namespaces cannot be made here"
            return result
        }
        defer { far.remove() }
        var run = RegisterRun()
        run.moving = { mesh, parties in far.parting(mesh, parties) }
        return try await run.run(begun) { _, watch, result in
            var random = SeededRandom(seed: order.seed)
            for number in 0..<order.runs {
                let isLong = number % 2 == 1
                far.pull()
                try? await Task.sleep(for: OrderSpace.silence(isLong, &random))
                far.plug()
                result.count(isLong ? "long" : "short")
                try await watch.recover(within: .seconds(60))
                order.progress(number + 1)
            }
        }
    }
}

extension FarHost {
    /// The broker and the second provider here, the sender and the first provider there.
    fileprivate func parting(_ mesh: Mesh, _ parties: RegisterRun.Parties) -> RegisterRun.Parties {
        let address = address(of: mesh)
        func reaching(_ process: ChildProcess) -> ChildProcess {
            process.moved(arguments: process.arguments.replacing(option: "--broker", by: address))
        }
        return RegisterRun.Parties(
            broker: parties.broker.moved(
                arguments: parties.broker.arguments.replacing(option: "--listen", by: address)),
            sender: moved(reaching(parties.sender)),
            providers: parties.providers.enumerated().map { $0 == 0 ? moved(reaching($1)) : reaching($1) })
    }
}

extension [String] {
    /// The same arguments with another value of one option.
    package func replacing(option: String, by value: String) -> [String] {
        var arguments = self
        if let index = arguments.firstIndex(of: option) { arguments[index + 1] = value }
        return arguments
    }
}
