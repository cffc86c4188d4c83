import BusSystems

/// Lets processes stand still, some so shortly that nobody notices, some so long that they are given up, and go on as if nothing had
/// been.
package struct PauseCampaign: Campaign {
    package let name = "pause"
    package let fault = "a process stands still"
    package let injector = "SIGSTOP and SIGCONT of broker and agents, shorter and longer than the heartbeats' limit"
    package let runs = (usual: 60, long: 300)

    package init() {}

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        try await RegisterRun().run(begun) { parties, watch, result in
            var random = SeededRandom(seed: order.seed)
            let groups = [
                ("broker", [parties.broker]), ("sender", [parties.sender]), ("providers", parties.providers),
                ("one provider", Array(parties.providers.prefix(1))),
            ]
            for number in 0..<order.runs {
                let (who, processes) = groups[number % groups.count]
                let isLong = (number + number / groups.count) % 2 == 1
                for process in processes { process.pause() }
                try? await Task.sleep(for: OrderSpace.silence(isLong, &random))
                for process in processes { process.resume() }
                result.count("\(who), \(isLong ? "long" : "short")")
                try await watch.recover(counts: who != "one provider")
                order.progress(number + 1)
            }
        }
    }
}

extension OrderSpace {
    /// A silence that nobody notices, or one after which the peer is given up: the limit is a second (250 ms, 4 missed).
    static func silence(_ isLong: Bool, _ random: inout SeededRandom) -> Duration {
        isLong
            ? .milliseconds(.random(in: 1500...4000, using: &random))
            : .milliseconds(.random(in: 50...700, using: &random))
    }
}
