import BusDirectory
import BusProtocol
import Testing

@testable import BusBroker

/// Many agents, late and failing commits, losses and reconnects in random order; what must always hold is checked.
@Suite struct RandomWalkTests {
    private static let steps = 20_000

    @Test(arguments: [0, 1]) func nothingIsLostWhateverHappens(run: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var walk = try Walk(seed: seed, failsCommits: run == 1)
        for _ in 0..<Self.steps { try walk.step() }
        try walk.end()
    }
}

private struct Walk {
    let world: World
    var random: Seeded
    let failsCommits: Bool
    let consumers: [TestAgent]
    let providers: [TestAgent]
    /// Requests a consumer sent and may still hear of; by the monotonic time at which it must have.
    var awaited: [MessageID: (consumer: Int, until: Int64, header: Header)] = [:]
    /// Requests each provider holds.
    var held: [[MessageID]]
    var names = 0
    var answered = 0
    var refused = 0
    var failed = 0

    init(seed: UInt64, failsCommits: Bool) throws {
        var limits = BrokerLimits()
        limits.waitingMessages = 20
        limits.calls = 300
        world = try World(limits: limits, try Spaces.space { $0.integrations[1].stage = .approved })
        world.commitsAtOnce = false
        random = Seeded(seed)
        self.failsCommits = failsCommits
        consumers = [TestAgent.portal(world), TestAgent.bank(world)]
        providers = [TestAgent.register(world), TestAgent.register2(world)]
        held = providers.map { _ in [] }
        let world = world
        // Every request that leaves for a provider, and every signed reply that leaves for a consumer, is durable by then.
        world.watch = { _, frame in
            guard frame.count > 5, frame[5] == Command.deliver.rawValue else { return }
            do {
                _ = try frame.reading { raw throws(Fault) in
                    try EnvelopeFrame.decode(raw, try FrameHead(raw)) { _, result in
                        guard case .success(let view) = result else { return }
                        var reader = ByteReader(raw, from: view.annotations.lowerBound, to: view.annotations.upperBound)
                        guard let position = try? Annotations(&reader).position, position > 0 else { return }
                        #expect(position <= UInt64(world.journal.records.count), "sent before its commit")
                    }
                }
            } catch { Issue.record("an unreadable frame left: \(error)") }
        }
    }

    mutating func step() throws {
        let agent = Int.random(in: 0...1, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: ask(agent)
        case 30..<52: answer(agent)
        case 52..<72: if world.writing != nil { commit() } else { world.settle() }
        case 72..<88: world.pass(milliseconds: .random(in: 1...20, using: &random))
        case 88..<92: consumers[agent].raw([UInt8]((0..<20).map { _ in .random(in: 0...255, using: &random) }))
        case 92..<94: repeatRequest(agent)
        case 94: reconnectConsumer(agent)
        case 95: reconnect(providers[agent])
        case 96: lose(agent)
        case 97: world.pass(milliseconds: .random(in: 100...400, using: &random))
        case 98: providers[agent].grant(messages: providers[agent].messageLimit + 5)
        default: changeSpace()
        }
        read()
        check()
    }

    private mutating func ask(_ agent: Int) {
        let remaining = UInt32.random(in: 1...800, using: &random)
        let header = consumers[agent].request(remaining: remaining)
        awaited[header.id] = (agent, world.now.monotonic + Int64(remaining) * 1000, header)
        consumers[agent].submit([(header, [UInt8](repeating: 1, count: .random(in: 0...200, using: &random)))])
    }

    private mutating func repeatRequest(_ agent: Int) {
        guard let id = awaited.keys.sorted().first(where: { awaited[$0]?.consumer == agent }), let call = awaited[id],
            call.until > world.now.monotonic
        else { return }
        // A repetition after the end is a new request: it has a deadline of its own.
        awaited[id]?.until = world.now.monotonic + Int64(call.header.remaining) * 1000
        consumers[agent].submit([(call.header, [])])
    }

    private mutating func answer(_ agent: Int) {
        guard !held[agent].isEmpty else { return }
        let request = held[agent].remove(at: .random(in: 0..<held[agent].count, using: &random))
        providers[agent].answer(request, outcome: Bool.random(using: &random) ? 0 : 2040)
    }

    private mutating func commit() {
        if failsCommits, Int.random(in: 0..<20, using: &random) == 0 { world.failCommit() } else { world.commit() }
    }

    private mutating func reconnect(_ agent: TestAgent) {
        names += 1
        agent.reconnect("c\(names)")
    }

    /// An agent submits again what it has no answer to: it cannot know what became of it.
    private mutating func reconnectConsumer(_ agent: Int) {
        reconnect(consumers[agent])
        read()
        for id in awaited.keys.sorted() where awaited[id]?.consumer == agent {
            guard let call = awaited[id] else { continue }
            awaited[id]?.until = world.now.monotonic + Int64(call.header.remaining) * 1000
            consumers[agent].submit([(call.header, [])])
        }
    }

    /// A provider's process ends and another begins; sometimes with little credit.
    private mutating func lose(_ agent: Int) {
        names += 1
        held[agent] = []
        let provider = providers[agent]
        if Bool.random(using: &random) {
            provider.say(.bye)
        } else {
            world.core.unreachable(route: provider.route, at: world.now)
            world.settle()
        }
        provider.messageLimit = Bool.random(using: &random) ? 3 : 4096
        provider.reconnect("p\(names)", instance: UInt128(1000 + names))
    }

    private mutating func changeSpace() {
        guard
            let next = try? Spaces.space({ space in
                space.integrations[1].stage = .approved
                space.title = LocalizedName(en: "Space \(names)")
            })
        else { return }
        names += 1
        try? world.apply(next)
    }

    /// What reached the agents since the last step.
    private mutating func read() {
        for (index, provider) in providers.enumerated() {
            held[index] += provider.requests.map(\.header.id)
            provider.clear()
        }
        for consumer in consumers {
            for reply in consumer.replies {
                let outcome = reply.header.outcome
                if outcome < 4000 { answered += 1 } else { failed += 1 }
                awaited[reply.header.correlation] = nil
            }
            refused += consumer.refused.count
            for id in refusedRequests(of: consumer) { awaited[id] = nil }
            consumer.clear()
        }
    }

    /// The requests behind refused rows: agents know their own numbers.
    private func refusedRequests(of consumer: TestAgent) -> [MessageID] {
        consumer.refused.compactMap { consumer.submitted[$0.sequence] }
    }

    private func check() {
        for slot in world.core.sessions.indices {
            let session = world.core.sessions[slot]
            #expect(session.outstanding >= 0)
            #expect(session.waitingBytes >= 0)
            #expect(session.decided <= session.received)
            #expect(session.waiting.count <= world.core.limits.waitingMessages)
        }
        // Half a second of grace: the last answer may be in a batch that is being written.
        for (id, call) in awaited where world.now.monotonic > call.until + 2_000_000 {
            Issue.record("\(id) was not answered by its deadline")
        }
    }

    mutating func end() throws {
        for _ in 0..<40 {
            world.pass(milliseconds: 50)
            world.commit()
            read()
        }
        #expect(awaited.isEmpty, "\(awaited.count) requests never heard of")
        world.expectIdle()
        #expect(world.core.gathering.isEmpty)
        #expect(
            answered > 500 && failed > 100,
            "the walk went nowhere: \(answered) answers, \(failed) faults, \(refused) refusals")
        let counted = world.core.agentViews(at: world.now).map(\.outstanding)
        #expect(counted.allSatisfy { $0 == 0 })
    }
}
