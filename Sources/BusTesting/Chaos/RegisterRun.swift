import Foundation

/// Everything as processes of their own: a broker, an agent with an outbox, and two agents that share one register.
struct RegisterRun {
    /// What a campaign may do something to.
    struct Parties: Sendable {
        var broker: ChildProcess
        var sender: ChildProcess
        var providers: [ChildProcess]
        var agents: [ChildProcess] { [sender] + providers }
    }

    /// Starts the processes in another place.
    var moving: @Sendable (Mesh, Parties) -> Parties = { $1 }

    private static let startDeadline: Duration = .seconds(60)
    private static let healing: Duration = .seconds(90)

    func run(
        _ begun: CampaignResult,
        _ inject: (Parties, RegisterWatch, inout CampaignResult) async throws -> Void
    ) async throws -> CampaignResult {
        let space = try OrderSpace(hasRegisters: true)
        defer { space.remove() }
        let mesh = try Mesh(.init(root: space.root))
        guard let sender = mesh.agent("alpha-1") else { throw MeshError("no sender", remedy: "see OrderSpace") }
        let providers = mesh.agents.filter { $0.name.hasPrefix("bravo") }
        let parties = moving(mesh, Parties(broker: mesh.broker, sender: sender, providers: providers))
        do {
            let registers = try OrderRegisters(folder: mesh.folder.registers)
            try parties.broker.start()
            try await mesh.waitUntilAnswering(within: Self.startDeadline)
            for agent in parties.agents { try agent.start() }
            try await mesh.waitForAgents(parties.agents.map(\.name), within: Self.startDeadline)
            let result = try await run(begun, parties, registers, inject)
            await stop(parties, mesh)
            return result
        } catch {
            await stop(parties, mesh)
            throw error
        }
    }

    private func run(
        _ begun: CampaignResult, _ parties: Parties, _ registers: OrderRegisters,
        _ inject: (Parties, RegisterWatch, inout CampaignResult) async throws -> Void
    ) async throws -> CampaignResult {
        var result = begun
        let watch = RegisterWatch(parties: parties, registers: registers)
        let work = Task { try await registers.run() }
        do { try await inject(parties, watch, &result) } catch { result.end(error) }
        work.cancel()
        if case .failure(let error) = await work.result { result.end(error) }
        // A campaign that was broken off leaves much that is still under way.
        let isWhole = result.isClean
        if isWhole { _ = try await eventually(within: Self.healing) { try await registers.isSettled() } }
        try await registers.count(watch.record, &result, isWhole: isWhole)
        if !result.isClean { result.findings.append(watch.logs) }
        return result
    }

    private func stop(_ parties: Parties, _ mesh: Mesh) async {
        for agent in parties.agents { await agent.stop() }
        await parties.broker.stop()
        await mesh.stop()
    }
}

/// Sees whether work goes on.
struct RegisterWatch: Sendable {
    let record = CampaignRecord()
    fileprivate let parties: RegisterRun.Parties
    fileprivate let registers: OrderRegisters

    fileprivate init(parties: RegisterRun.Parties, registers: OrderRegisters) {
        self.parties = parties
        self.registers = registers
    }

    /// Waits until one more order has come to its end.
    /// - Parameter counts: whether the time it took is a recovery, or others did the work meanwhile.
    func recover(counts: Bool = true, within limit: Duration = .seconds(40)) async throws {
        let begin = ContinuousClock.now
        let before = try await registers.ended()
        let goesOn = try await eventually(within: limit, every: .milliseconds(10)) {
            try await registers.ended() > before
        }
        guard goesOn else { throw CampaignEnd.stuck("no order comes to its end:\n\(logs)") }
        if counts { await record.recovered(after: begin.duration(to: .now)) }
    }

    var logs: String {
        ([parties.broker] + parties.agents).map { "\($0.name):\n\($0.logTail(lines: 5))" }.joined(separator: "\n")
    }
}
