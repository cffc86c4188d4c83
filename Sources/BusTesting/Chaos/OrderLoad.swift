import BusAgent
import BusProtocol
import Foundation
import Synchronization

/// Commands and events without a pause, from agents in this process: what a campaign's faults befall.
///
/// Each order key has one sender, so the order of its counts is the order of acceptance.
final class OrderLoad: Sendable {
    let record = CampaignRecord()
    private let alpha: Agent
    private let providers: [Agent]
    private let bytesOfNote = Mutex(0)

    private static let keys = 8
    /// How long the broker may take to answer one attempt.
    private static let attempt: Duration = .seconds(2)
    /// Between two messages of one sender: work enough for every moment, and a journal that stays small.
    private static let pace: Duration = .milliseconds(10)
    /// Between two attempts when the broker refuses at once.
    private static let pause: Duration = .milliseconds(20)
    /// How long what is left may take when nothing fails any more.
    private static let healing: Duration = .seconds(60)

    init(_ space: OrderSpace, _ mesh: Mesh) async throws {
        let record = record
        alpha = try await space.connect(mesh, "alpha-1", "alpha") { agent in
            agent.subscribe(OrderSpace.changed) { event in await record.deliverEvent(event.id) }
        }
        var providers: [Agent] = []
        for name in ["bravo-1", "bravo-2"] {
            providers.append(
                try await space.connect(mesh, name, "bravo") { agent in
                    agent.perform(OrderSpace.order) { command in
                        let message = try Self.message(command.body)
                        await record.deliverCommand(command.id, message)
                        return .completed(Array(#"{"count":\#(message.count)}"#.utf8))
                    }
                })
        }
        self.providers = providers
    }

    func close() async {
        for agent in providers + [alpha] { await agent.close() }
    }

    /// Makes every body so much larger, to fill a disk sooner.
    func pad(to bytes: Int) { bytesOfNote.withLock { $0 = bytes } }

    // MARK: - Sending

    /// Sends until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for key in 0..<Self.keys {
                group.addTask { await self.sendCommands(key) }
                group.addTask { await self.publishEvents(key) }
            }
        }
    }

    private func sendCommands(_ key: Int) async {
        var count = 0
        while !Task.isCancelled {
            count += 1
            guard await send(.init(key: key, count: count), from: alpha) else { return }
            try? await Task.sleep(for: Self.pace)
        }
    }

    private func publishEvents(_ key: Int) async {
        var count = 0
        while !Task.isCancelled {
            count += 1
            let body = OrderSpace.body(count, key: key, padding: bytesOfNote.withLock { $0 })
            guard let message = try? providers[0].prepareEvent(OrderSpace.changed, body),
                await submit(message, from: providers[0], until: nil)
            else { return }
            await record.promiseEvent(message.id.description, .init(key: key, count: count))
            try? await Task.sleep(for: Self.pace)
        }
    }

    /// Sends a command with the same bytes until the broker has it.
    /// - Returns: false when the campaign, or the time, ended before it did.
    func send(
        _ message: CampaignRecord.Message, from agent: Agent, until end: ContinuousClock.Instant? = nil
    ) async -> Bool {
        let body = OrderSpace.body(message.count, key: message.key, padding: bytesOfNote.withLock { $0 })
        guard let prepared = await prepare(body, agent, until: end), await submit(prepared, from: agent, until: end)
        else { return false }
        await record.promiseCommand(prepared.id.description, message)
        return true
    }

    /// The first command of a process waits for its provider's secret for order keys.
    private func prepare(
        _ body: [UInt8], _ agent: Agent, until end: ContinuousClock.Instant?
    ) async -> PreparedMessage? {
        while !Task.isCancelled, end.map({ ContinuousClock.now < $0 }) ?? true {
            do throws(BusFault) {
                try await agent.awaitOrderSecret(OrderSpace.order, as: nil, within: Self.attempt)
                return try agent.prepareCommand(OrderSpace.order, body)
            } catch { await record.refuse(error.number) }
        }
        return nil
    }

    private func submit(
        _ message: PreparedMessage, from agent: Agent, until end: ContinuousClock.Instant?
    ) async -> Bool {
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            do throws(BusFault) {
                _ = try await agent.submit(message, within: Self.attempt)
                return true
            } catch {
                // Whatever the reason, only the broker's word ends it: the same bytes again.
                await record.refuse(error.number)
                if Task.isCancelled { return false }
                try? await Task.sleep(for: Self.pause)
            }
        }
        return false
    }

    private static func message(_ body: [UInt8]) throws -> CampaignRecord.Message {
        struct Body: Decodable {
            var key: Int
            var count: Int
        }
        let read = try JSONDecoder().decode(Body.self, from: Data(body))
        return .init(key: read.key, count: read.count)
    }

    // MARK: - The next work done

    /// Waits until the broker has accepted one command more than `before`, and keeps how long that took.
    func recover(from begin: ContinuousClock.Instant, within limit: Duration = .seconds(30), _ mesh: Mesh) async throws
    {
        let before = await record.commands.count
        let broker = mesh.broker
        let isBack = await eventually(within: limit, every: .milliseconds(5)) {
            await self.record.commands.count > before || !broker.isRunning
        }
        guard isBack else { throw CampaignEnd.stuck("the broker takes no command:\n\(broker.logTail())") }
        if broker.isRunning { await record.recovered(after: begin.duration(to: .now)) }
    }

    // MARK: - The count

    /// Lets everything come to its end, and counts.
    func settle(_ result: inout CampaignResult) async throws {
        _ = await eventually(within: Self.healing) { await self.record.missing.isEmpty }
        await result.take(record)
        let missing = Set(await record.missing)
        let commands = await record.commands
        result.lose(missing.filter { commands[$0] == nil })
        // Every command has its outcome, and it is that of its one effect.
        let ids = Array(commands.keys)
        for start in stride(from: 0, to: ids.count, by: Limits.queryRows) {
            await check(Array(ids[start..<min(start + Limits.queryRows, ids.count)]), commands, missing, &result)
        }
    }

    private func check(
        _ ids: [String], _ commands: [String: CampaignRecord.Message], _ missing: Set<String>,
        _ result: inout CampaignResult
    ) async {
        let end = ContinuousClock.now + Self.healing
        var states: [String: CommandStatus] = [:]
        repeat {
            guard let now = try? await alpha.status(of: ids, as: "alpha") else { continue }
            states = Dictionary(now.map { ($0.id, $0) }) { $1 }
        } while !ids.allSatisfy({ states[$0]?.state == "completed" }) && ContinuousClock.now < end
        for id in ids {
            guard let state = states[id], state.isFinal else {
                if states[id] == nil { result.lose([id]) } else { result.stick([id]) }
                continue
            }
            if state.state != "completed" || missing.contains(id) { result.lose([id]) }
            let expected = #"{"count":\#(commands[id]?.count ?? 0)}"#
            if state.state == "completed", String(decoding: state.outcome, as: UTF8.self) != expected {
                result.breakPromise(["\(id) has another command's outcome"])
            }
        }
    }
}
