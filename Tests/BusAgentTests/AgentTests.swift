import BusProtocol
import Synchronization
import Testing

@testable import BusAgent

/// An event tests wait for instead of sleeping.
actor Signal {
    private var count = 0
    private var waiters: [(Int, CheckedContinuation<Void, Never>)] = []
    func fire() {
        count += 1
        for waiter in waiters where waiter.0 <= count { waiter.1.resume() }
        waiters.removeAll { $0.0 <= count }
    }
    func wait(for wanted: Int = 1) async {
        if count >= wanted { return }
        await withCheckedContinuation { waiters.append((wanted, $0)) }
    }
}

@Suite("Agents over sockets", .timeLimit(.minutes(1)))
struct AgentTests {
    static let service = "individuals.person-get.v1"

    static func configuration(_ broker: MiniBroker, _ system: String) -> AgentConfiguration {
        var configuration = AgentConfiguration(broker: broker.endpoint, name: "\(system)-1", systems: [system])
        configuration.connectDeadline = .seconds(5)
        return configuration
    }

    private func pair(
        _ broker: MiniBroker, _ register: (Agent) -> Void
    ) async throws -> (consumer: Agent, provider: Agent) {
        let provider = try await Agent.connect(Self.configuration(broker, "individuals"), preparing: register)
        let consumer = try await Agent.connect(Self.configuration(broker, "portal"))
        return (consumer, provider)
    }

    @Test func asksAndAnswersInlineAndInATask() async throws {
        let broker = try MiniBroker()
        let (consumer, provider) = try await pair(broker) { agent in
            agent.answerInline(Self.service) { inquiry in inquiry.body + Array(inquiry.consumer.utf8) }
            agent.answer("individuals.life-status.v1") { inquiry in
                await Task.yield()
                return inquiry.body.reversed()
            }
        }
        let answer = try await consumer.ask(Self.service, [1, 2, 3])
        #expect(answer.body == [1, 2, 3] + Array("portal".utf8))
        #expect(MessageID(answer.id) != nil)
        #expect(answer.position > 0)
        #expect(try await consumer.ask("individuals.life-status.v1", [1, 2, 3]).body == [3, 2, 1])
        await consumer.close()
        await provider.close()
    }

    @Test func manyTasksOnTheSocketThreadEachGetTheirOwnAnswer() async throws {
        let broker = try MiniBroker()
        let (consumer, provider) = try await pair(broker) { agent in agent.answerInline(Self.service) { $0.body } }
        let wrong = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<32 {
                group.addTask(executorPreference: consumer.executor) {
                    var wrong = 0
                    for round in 0..<100 {
                        let body = Array("\(worker)-\(round)".utf8)
                        let answer = try? await consumer.ask(Self.service, body)
                        if answer?.body != body { wrong += 1 }
                    }
                    return wrong
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
        // Asks of one round of answers leave together: far fewer frames than messages, on both sides.
        #expect(broker.submits.load(ordering: .relaxed) < 3200)
        await consumer.close()
        await provider.close()
    }

    @Test func faultsOfHandlersReachTheConsumerWithoutWordsOfOtherErrors() async throws {
        struct Secret: Error, CustomStringConvertible { var description: String { "iin 900101300123" } }
        let broker = try MiniBroker()
        let (consumer, provider) = try await pair(broker) { agent in
            agent.answerInline(Self.service) { _ in throw BusFault.nothingFound("no such person") }
            agent.answer("individuals.life-status.v1") { _ in throw Secret() }
        }
        let missing = await #expect(throws: BusFault.self) { try await consumer.ask(Self.service, [1]) }
        #expect(missing?.isNothingFound == true)
        #expect(missing?.detail == "no such person" && missing?.hop == "provider-system")
        let failed = await #expect(throws: BusFault.self) { try await consumer.ask("individuals.life-status.v1", [1]) }
        #expect(failed?.name == "provider-fault" && failed?.isRetryable == true)
        #expect(failed.map { !"\($0)".contains("900101300123") } == true)
        let unknown = await #expect(throws: BusFault.self) { try await consumer.ask("individuals.other-thing.v1", [1]) }
        #expect(unknown?.hop == "provider-agent")
        await consumer.close()
        await provider.close()
    }

    @Test func deadlineAndCancellationEndTheCall() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.swallowsRequests = true
        let broker = try MiniBroker(behaviour)
        let consumer = try await Agent.connect(Self.configuration(broker, "portal"))
        let late = await #expect(throws: BusFault.self) {
            try await consumer.ask(Self.service, [1], deadline: .milliseconds(50))
        }
        #expect(late?.name == "deadline-passed" && late?.hop == "consumer-agent")
        let task = Task { () async -> BusFault? in
            do throws(BusFault) {
                _ = try await consumer.ask(Self.service, [1], deadline: .seconds(300))
                return nil
            } catch { return error }
        }
        task.cancel()
        #expect(await task.value?.name == "deadline-passed")
        await consumer.close()
    }

    @Test func closingEndsWhatWaitsAndWhatComesAfter() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.swallowsRequests = true
        let broker = try MiniBroker(behaviour)
        let consumer = try await Agent.connect(Self.configuration(broker, "portal"))
        async let waiting = Self.fault { () async throws(BusFault) in try await consumer.ask(Self.service, [1]) }
        while broker.submits.load(ordering: .relaxed) == 0 { await Task.yield() }
        await consumer.close()
        #expect(await waiting?.name == "draining")
        #expect(
            await Self.fault { () async throws(BusFault) in try await consumer.ask(Self.service, [1]) }?.name
                == "draining")
        await consumer.close()
    }

    @Test func aBrokerThatForgotTheSessionIsGreetedAgainAndTheCallEndsWell() async throws {
        var behaviour = MiniBroker.Behaviour()
        // Three missed ones end a session: much shorter, and a busy machine would end them by itself.
        behaviour.heartbeatMilliseconds = 300
        let broker = try MiniBroker(behaviour)
        let (consumer, provider) = try await pair(broker) { agent in agent.answerInline(Self.service) { $0.body } }
        for round in 0..<5 as Range<UInt8> {
            broker.forgetSessions()
            // The provider notices with its next report; until then the request waits in nobody's hands and is repeated.
            let answer = try? await consumer.ask(Self.service, [round], deadline: .seconds(2))
            if let answer { #expect(answer.body == [round]) }
        }
        var answer: Answer?
        for _ in 0..<60 where answer == nil {
            answer = try? await consumer.ask(Self.service, [9], deadline: .milliseconds(500))
        }
        #expect(answer?.body == [9])
        await consumer.close()
        await provider.close()
    }

    @Test func aLostFrameIsNoticedAndRepeated() async throws {
        let broker = try MiniBroker()
        let (consumer, provider) = try await pair(broker) { agent in agent.answerInline(Self.service) { $0.body } }
        broker.change { $0.losesSubmits = 1 }
        async let first = consumer.ask(Self.service, [1])
        while broker.submits.load(ordering: .relaxed) == 0 { await Task.yield() }
        // The next frame shows the gap: out-of-sequence, a new HELLO, and both requests again.
        let second = try await consumer.ask(Self.service, [2])
        #expect(second.body == [2])
        #expect(try await first.body == [1])
        await consumer.close()
        await provider.close()
    }

    @Test func eventsArriveAreAcknowledgedAndRejected() async throws {
        let broker = try MiniBroker()
        let seen = Signal()
        let subscriber = try await Agent.connect(Self.configuration(broker, "real-estate")) { agent in
            agent.subscribe("individuals.person-died.v1") { event in
                await seen.fire()
                if event.body == [2] { throw BusFault.providerFault("database locked") }
            }
        }
        let publisher = try await Agent.connect(Self.configuration(broker, "individuals"))
        let receipt = try await publisher.publish("individuals.person-died.v1", [1])
        #expect(receipt.treeSize > 0 && MessageID(receipt.id) != nil)
        _ = try await publisher.publish("individuals.person-died.v1", [2])
        await seen.wait(for: 2)
        while broker.settled.withLock({ $0.count }) < 2 { await Task.yield() }
        let settled = broker.settled.withLock { $0 }
        #expect(Set(settled.map(\.0)) == [.ack, .nak])
        #expect(settled.first { $0.0 == .nak }?.1.delayMilliseconds == Settler.firstDelay)
        let header = try #require(broker.events.withLock { $0.first })
        let published = try Header(decoding: header)
        #expect(published.consumer == "individuals" && published.kind == .event)
        await publisher.close()
        await subscriber.close()
    }

    @Test func drainWaitsForTheHandlerUnderWay() async throws {
        let broker = try MiniBroker()
        let (entered, leave) = (Signal(), Signal())
        let (consumer, provider) = try await pair(broker) { agent in
            agent.answer(Self.service) { inquiry in
                await entered.fire()
                await leave.wait()
                return inquiry.body
            }
        }
        async let answer = consumer.ask(Self.service, [4])
        await entered.wait()
        async let drained: Void = provider.drain()
        await leave.fire()
        #expect(try await answer.body == [4])
        await drained
        await provider.close()
        await consumer.close()
    }

    @Test func connectingToNobodyAndToARefusalSayWhy() async throws {
        var configuration = AgentConfiguration(broker: "tcp://127.0.0.1:9", name: "portal-1", systems: ["portal"])
        configuration.connectDeadline = .milliseconds(200)
        let fault = await Self.fault { () async throws(BusFault) in try await Agent.connect(configuration) }
        #expect(fault?.name == "broker-unreachable")
        #expect(fault?.description.contains("tcp://127.0.0.1:9") == true)
        var behaviour = MiniBroker.Behaviour()
        behaviour.refusesHello = .unknownKey
        let broker = try MiniBroker(behaviour)
        let refused = await Self.fault { () async throws(BusFault) in
            try await Agent.connect(Self.configuration(broker, "portal"))
        }
        #expect(refused?.name == "unknown-key")
        configuration.brokerKey = "only one of two"
        let half = await Self.fault { () async throws(BusFault) in try await Agent.connect(configuration) }
        #expect(half?.description.contains("only one of") == true)
        configuration.brokerKey = nil
        configuration.broker = "nonsense"
        let wrong = await Self.fault { () async throws(BusFault) in try await Agent.connect(configuration) }
        #expect(wrong?.description.contains("nonsense") == true)
    }

    @Test func encryptedConnectionsNeedAKeyTheBrokerKnows() async throws {
        let scratch = try Scratch()
        let (server, known) = (
            try KeyFile.create(name: "broker", in: scratch.path), try KeyFile.create(name: "a", in: scratch.path)
        )
        let broker = try MiniBroker(secret: server.curveSecret, admitting: [known.publicKey])
        var configuration = Self.configuration(broker, "individuals")
        configuration.brokerKey = server.publicKey
        configuration.keys = known
        let agent = try await Agent.connect(configuration) { $0.answerInline(Self.service) { $0.body } }
        #expect(try await agent.ask(Self.service, [5]).body == [5])
        configuration.keys = try KeyFile.create(name: "stranger", in: scratch.path)
        configuration.connectDeadline = .milliseconds(300)
        let refused = await Self.fault { () async throws(BusFault) in try await Agent.connect(configuration) }
        #expect(refused?.name == "broker-unreachable")
        await agent.close()
    }

    @Test func templatesEncodeAsHeadersDo() {
        var header = Header(kind: .request, id: ScriptedBroker.id(5), created: 1_700_000_000_123)
        header.remaining = 4321
        header.target = Self.service
        header.consumer = "portal"
        header.purpose = "address certificate"
        header.contractDigest = [UInt8](repeating: 3, count: 32)
        #expect(HeaderTemplate(header).message(header.id, created: header.created, remaining: 4321) == header.encoded())
        var reply = Header(kind: .reply, id: ScriptedBroker.id(6), created: 77)
        reply.correlation = header.id
        reply.outcome = 2040
        reply.provider = "individuals"
        #expect(HeaderTemplate(reply).reply(reply.id, created: 77, to: header.id, outcome: 2040) == reply.encoded())
        reply.subjectReference = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10
        reply.contractDigest = [UInt8](repeating: 3, count: 32)
        var placeholder = reply
        placeholder.subjectReference = 1
        let about = HeaderTemplate(placeholder).reply(
            reply.id, created: 77, to: header.id, outcome: 2040, about: reply.subjectReference)
        #expect(about == reply.encoded())
    }

    static func fault<Value>(_ body: () async throws(BusFault) -> Value) async -> BusFault? {
        do throws(BusFault) {
            _ = try await body()
            return nil
        } catch { return error }
    }
}
