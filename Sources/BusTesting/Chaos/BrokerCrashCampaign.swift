import BusAgent
import BusProtocol
import BusSystems
import Foundation

/// Kills a real broker again and again, at every step of its journal and at random, while commands and events are under way;
/// then lets everything heal and counts.
public struct BrokerCrashCampaign: Sendable {
    public var kills: Int
    public var seed: UInt64
    /// Keys of the commands: each key has one sender, so the order of its counts is the order of acceptance.
    public var keys = 8
    /// How long what is left may take when nothing fails any more.
    public var healing: Duration = .seconds(60)

    /// Steps of the journal at which the broker dies; the others die at a random moment.
    static let failpoints = [
        "before-begin", "before-commit", "after-commit", "before-checkpoint", "after-checkpoint", "before-view",
        "after-view",
    ]

    public init(kills: Int, seed: UInt64) {
        self.kills = kills
        self.seed = seed
    }

    /// - Parameter progress: called after each kill with its number.
    public func run(progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws -> CampaignResult {
        let space = try OrderSpace()
        defer { space.remove() }
        let mesh = try Mesh(.init(root: space.root, agents: []))
        let record = CampaignRecord()
        do {
            try mesh.broker.start()
            try await mesh.waitUntilHealthy(within: .seconds(30))
            let result = try await run(mesh, space, record, progress)
            await mesh.stop()
            return result
        } catch {
            await mesh.stop()
            throw error
        }
    }

    private func run(
        _ mesh: Mesh, _ space: OrderSpace, _ record: CampaignRecord, _ progress: @Sendable (Int) -> Void
    ) async throws -> CampaignResult {
        let alpha = try await space.connect(mesh, "alpha-1", "alpha") { agent in
            agent.subscribe(OrderSpace.changed) { event in await record.hear(event.id) }
        }
        var providers: [Agent] = []
        for name in ["bravo-1", "bravo-2"] {
            providers.append(
                try await space.connect(mesh, name, "bravo") { agent in
                    agent.perform(OrderSpace.order) { command in
                        let message = try Self.message(command.body)
                        await record.apply(command.id, message)
                        return .completed(Array(#"{"count":\#(message.count)}"#.utf8))
                    }
                })
        }
        let publisher = providers[0]
        let work = Task { await send(alpha, publisher, record) }
        var result = CampaignResult()
        do { try await killAgainAndAgain(mesh, record, &result, progress) } catch {
            work.cancel()
            throw error
        }
        work.cancel()
        await work.value
        try await heal(alpha, record, &result)
        for agent in providers + [alpha] { await agent.close() }
        return result
    }

    // MARK: - The load

    private func send(_ alpha: Agent, _ publisher: Agent, _ record: CampaignRecord) async {
        await withTaskGroup(of: Void.self) { group in
            for key in 0..<keys {
                group.addTask { await Self.sendCommands(alpha, key, record) }
                group.addTask { await Self.publishEvents(publisher, key, record) }
            }
        }
    }

    /// One command after the other; each is sent with the same bytes until the broker has it.
    private static func sendCommands(_ agent: Agent, _ key: Int, _ record: CampaignRecord) async {
        var count = 0
        while !Task.isCancelled {
            count += 1
            guard
                let message = try? agent.prepareCommand(OrderSpace.order, OrderSpace.body(count, key: key))
            else { return }
            if await submit(agent, message) {
                await record.accept(message.id.description, .init(key: key, count: count))
            }
        }
    }

    private static func publishEvents(_ agent: Agent, _ key: Int, _ record: CampaignRecord) async {
        var count = 0
        while !Task.isCancelled {
            count += 1
            guard let message = try? agent.prepareEvent(OrderSpace.changed, OrderSpace.body(count, key: key)) else {
                return
            }
            if await submit(agent, message) {
                await record.publish(message.id.description, .init(key: key, count: count))
            }
        }
    }

    /// True when the broker said that it has the message; false when the campaign ended before it did.
    private static func submit(_ agent: Agent, _ message: PreparedMessage) async -> Bool {
        while true {
            do {
                _ = try await agent.submit(message, within: .seconds(2))
                return true
            } catch {
                // Whatever the reason, only the broker's word ends it: the same bytes again.
                if Task.isCancelled { return false }
            }
        }
    }

    private static func message(_ body: [UInt8]) throws -> CampaignRecord.Message {
        struct Body: Decodable {
            var key: Int
            var count: Int
        }
        let read = try JSONDecoder().decode(Body.self, from: Data(body))
        return .init(key: read.key, count: read.count)
    }

    // MARK: - The faults

    private func killAgainAndAgain(
        _ mesh: Mesh, _ record: CampaignRecord, _ result: inout CampaignResult, _ progress: @Sendable (Int) -> Void
    ) async throws {
        var random = SeededRandom(seed: seed)
        await kill(mesh, after: .milliseconds(.random(in: 50...300, using: &random)))
        result.faults["at random", default: 0] += 1
        for number in 1..<max(kills, 2) {
            let isRandom = Int.random(in: 0..<3, using: &random) == 0
            let point = Self.failpoints[number % Self.failpoints.count]
            let passage =
                point.hasSuffix("checkpoint") || point.hasSuffix("view") ? 1 : Int.random(in: 1...60, using: &random)
            try mesh.broker.start(environment: isRandom ? [:] : ["KEREGE_FAILPOINT": "\(point):\(passage)"])
            let begin = ContinuousClock.now
            let before = await record.accepted.count
            let returned = await eventually(within: .seconds(30)) {
                if !mesh.broker.isRunning { return true }
                return await record.accepted.count > before
            }
            guard returned else {
                throw MeshError(
                    "the broker took no command after kill \(number):\n\(mesh.broker.logTail())", remedy: "seed \(seed)"
                )
            }
            if mesh.broker.isRunning { await record.recovered(after: begin.duration(to: .now)) }
            // A step that is never reached (nothing to checkpoint yet) dies at random.
            if isRandom {
                await kill(mesh, after: .milliseconds(.random(in: 0...250, using: &random)))
            } else if !(await mesh.broker.waitForExit(within: .seconds(6))) {
                await kill(mesh, after: .zero)
            }
            let died = mesh.broker.exitCode == 128 + SIGKILL
            guard died else {
                throw MeshError("the broker ended by itself:\n\(mesh.broker.logTail())", remedy: "seed \(seed)")
            }
            result.faults[isRandom ? "at random" : point, default: 0] += 1
            progress(number + 1)
        }
        try mesh.broker.start()
    }

    private func kill(_ mesh: Mesh, after time: Duration) async {
        try? await Task.sleep(for: time)
        mesh.broker.kill()
        await mesh.broker.waitForExit(within: .seconds(10))
    }

    // MARK: - The count

    private func heal(_ alpha: Agent, _ record: CampaignRecord, _ result: inout CampaignResult) async throws {
        _ = await eventually(within: healing) {
            let isApplied = await record.unapplied.isEmpty
            let isHeard = await record.unheard.isEmpty
            return isApplied && isHeard
        }
        let accepted = await record.accepted
        result.accepted = accepted.count
        result.published = await record.published.count
        result.lost = await record.unapplied + record.unheard
        result.outOfOrder = await record.outOfOrder
        result.repeated = await record.repeated
        result.recoveries = await record.recoveryTimes
        // Every command has its outcome, and it is that of its one effect.
        let ids = Array(accepted.keys)
        for start in stride(from: 0, to: ids.count, by: Limits.queryRows) {
            let part = Array(ids[start..<min(start + Limits.queryRows, ids.count)])
            try await check(part, alpha, accepted, &result)
        }
    }

    private func check(
        _ ids: [String], _ alpha: Agent, _ accepted: [String: CampaignRecord.Message], _ result: inout CampaignResult
    ) async throws {
        let end = ContinuousClock.now + healing
        var states: [CommandStatus] = []
        repeat {
            if let now = try? await alpha.status(of: ids, as: "alpha") { states = now }
        } while !(states.count == ids.count && states.allSatisfy { $0.state == "completed" })
            && ContinuousClock.now < end
        for id in ids {
            guard let state = states.first(where: { $0.id == id }), state.state == "completed" else {
                result.lost.append(id)
                continue
            }
            let expected = #"{"count":\#(accepted[id]?.count ?? 0)}"#
            if String(decoding: state.outcome, as: UTF8.self) != expected { result.duplicated.append(id) }
        }
    }
}
