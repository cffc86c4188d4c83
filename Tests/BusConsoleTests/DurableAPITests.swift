import BusAgent
import BusBroker
import BusConsole
import BusContracts
import BusProtocol
import Foundation
import Testing

@testable import kerege

/// Queues, dead letters, resend, replay and drain through the admin API; every answer is held against the OpenAPI document.
@Suite("Admin API, durable messages", .serialized, .timeLimit(.minutes(2)))
struct DurableAPITests {
    private struct Broken: Error {}
    private let api: OpenAPI
    init() throws { api = try OpenAPI() }

    private func get<Page: Decodable & Sendable>(
        _ type: Page.Type, _ path: String, _ bus: SmallBus, as schema: String? = nil
    ) async throws -> Page {
        let (page, raw) = try await bus.client.get(type, path)
        #expect(try api.checker(schema ?? "\(type)").check([UInt8](raw)).map(\.description) == [], "\(path)")
        return page
    }

    private func post<Page: Decodable & Sendable>(
        _ type: Page.Type, _ path: String, _ body: some Encodable & Sendable, _ bus: SmallBus
    ) async throws -> Page {
        let (page, raw) = try await bus.client.post(type, path, body)
        #expect(try api.checker("\(type)").check([UInt8](raw)).map(\.description) == [], "\(path)")
        return page
    }

    private func send(_ bus: SmallBus, _ body: String = #"{"n":1}"#) async throws -> String {
        let asker = try await bus.asker()
        let sent = try await asker.send(SmallBus.command, Array(body.utf8), as: "portal")
        await asker.close()
        return sent.id
    }

    /// Sends a command and lets it be given up.
    private func giveUp(_ bus: SmallBus) async throws -> String {
        let id = try await send(bus)
        let provider = try await bus.performer { _ in throw Broken() }
        try await dead(bus, id)
        await provider.close()
        return id
    }

    private func dead(_ bus: SmallBus, _ id: String) async throws {
        try await eventually("\(id) is given up") {
            try await get(DeadLettersPage.self, "/v1/dead-letters?id=\(id)", bus).total == 1
        }
    }

    private func state(_ bus: SmallBus, _ id: String) async throws -> String {
        try await get(TracePage.self, "/v1/messages/\(id)", bus).state
    }

    @Test("A queue shows what waits, since when, and that nobody serves it")
    func queues() async throws {
        try await SmallBus.run { bus async throws in
            let id = try await send(bus)
            let page = try await get(QueuesPage.self, "/v1/queues?system=register", bus)
            let queue = try #require(page.queues.first { $0.kind == "commands" })
            #expect(page.depth == 1 && queue.depth == 1 && queue.inFlight == 0 && queue.dead == 0)
            #expect(queue.agents == 0 && queue.event == nil)
            let trace = try await get(TracePage.self, "/v1/messages/\(id)", bus)
            #expect(trace.state == "accepted")
            #expect(queue.oldest == trace.message?.position)
            #expect(queue.oldestAtMs == trace.message.map { $0.receivedUs / 1000 })
            #expect(trace.deliveries.map(\.state) == ["waiting"] && trace.deliveries.map(\.attempts) == [0])
            #expect(try await get(QueuesPage.self, "/v1/queues?system=portal", bus).depth == 0)
            #expect(try await bus.send("GET", "/v1/queues?system=nobody").status == 400)
            try await eventually("the status counts it") {
                let status = try await get(StatusPage.self, "/v1/status", bus)
                return status.counters.commandsAccepted == 1 && status.queues.depth == 1
            }
        }
    }

    @Test("A delivery that its agent does not settle is shown with the agent and for how long")
    func held() async throws {
        try await SmallBus.run { bus async throws in
            let (gate, opening) = AsyncStream.makeStream(of: Void.self)
            let provider = try await bus.performer { command in
                for await _ in gate { break }
                return .completed(command.body)
            }
            let start = ContinuousClock.now
            let id = try await send(bus)
            func queue() async throws -> QueuesPage.Item {
                let page = try await get(QueuesPage.self, "/v1/queues?system=register", bus)
                return try #require(page.queues.first { $0.kind == "commands" })
            }
            try await eventually("it is with the agent") { try await queue().held != nil }
            let held = try #require(try await queue().held)
            #expect(held.id == id && held.service == SmallBus.command && held.agent == "register-1")
            let sinceSent = (ContinuousClock.now - start) / .milliseconds(1)
            #expect(Double(held.heldMs) <= sinceSent, "not since another time")
            try await eventually("it grows") { try await queue().held.map { $0.heldMs > held.heldMs } ?? false }
            let table = try await CommandRun.run(["queues"] + bus.asOperator)
            let row = table.output.split(separator: "\n").first { $0.hasPrefix("commands ") }
            // kind, receiver, depth, in flight, held for, oldest, dead, agents
            #expect((row?.split(separator: " ").count ?? 0) >= 8, "\(table.output)")
            opening.yield()
            try await eventually("it is settled") { try await queue().held == nil }
            await provider.close()
        }
    }

    @Test("A command's way is told from its acceptance to its outcome")
    func completed() async throws {
        try await SmallBus.run { bus async throws in
            let provider = try await bus.performer { .completed($0.body) }
            let id = try await send(bus)
            try await eventually("it is completed") { try await state(bus, id) == "completed" }
            try await eventually("it is taken") {
                try await get(TracePage.self, "/v1/messages/\(id)", bus).deliveries.first?.state == "taken"
            }
            let page = try await get(TracePage.self, "/v1/messages/\(id)", bus)
            #expect(page.history.map(\.what).sorted() == ["accepted", "outcome", "taken"])
            #expect(page.history.first?.what == "accepted")
            #expect(page.answers.map(\.kind) == ["outcome"] && page.answers.map(\.provider) == ["register"])
            #expect(page.complete)
            let refused = try await post(ResendPage.self, "/v1/resend", ResendOrder(letters: [.init(id: id)]), bus)
            #expect(refused.resent.isEmpty && refused.refused.map(\.code) == ["completed"])
            await provider.close()
        }
    }

    @Test("What is given up is a dead letter with its reason, and goes again when it is resent")
    func resend() async throws {
        try await SmallBus.run { bus async throws in
            let id = try await giveUp(bus)
            let letters = try await get(DeadLettersPage.self, "/v1/dead-letters", bus).letters
            let letter = try #require(letters.first)
            #expect(letters.count == 1 && letter.id == id && letter.kind == "commands")
            #expect(letter.service == SmallBus.command && letter.consumer == "portal" && letter.receiver == "register")
            #expect(letter.reason.number == FaultCode.givenUp.number && letter.reason.name == "given-up")
            #expect(letter.attempts == 2 && letter.resent == 0)
            let trace = try await get(TracePage.self, "/v1/messages/\(id)", bus)
            #expect(trace.state == "dead-lettered")
            #expect(trace.history.map(\.what) == ["accepted", "tried-again", "given-up", "outcome"])
            #expect(trace.history[1].agent == "register-1" && trace.history[1].attempt == 1)
            #expect(trace.history[1].reason?.name == "provider-fault", "its handler threw")
            #expect(trace.deliveries.first?.reason?.name == "given-up")

            let provider = try await bus.performer { .completed($0.body) }
            let page = try await post(
                ResendPage.self, "/v1/resend", ResendOrder(letters: [.init(id: id, receiver: "register")]), bus)
            #expect(page.refused.isEmpty && page.resent.map(\.id) == [id])
            try await eventually("it is completed") { try await state(bus, id) == "completed" }
            let after = try await get(TracePage.self, "/v1/messages/\(id)", bus)
            #expect(after.history.map(\.what).contains("resent"))
            #expect(after.deliveries.map(\.resent) == [1])
            #expect(try await get(DeadLettersPage.self, "/v1/dead-letters", bus).total == 0)
            await provider.close()
        }
    }

    @Test("An id that two systems have given out is nobody's alone: which one is meant must be said")
    func sharedID() async throws {
        try await SmallBus.run { bus async throws in
            let id = try await send(bus)
            let place = try #require(try await get(TracePage.self, "/v1/messages/\(id)", bus).message).position
            let register = try await bus.performer { .completed($0.body) }
            _ = try await register.publish(SmallBus.event, Array("{}".utf8), id: MessageID(id))
            try await eventually("the command is completed") {
                try await get(TracePage.self, "/v1/messages/\(id)?position=\(place)", bus).state == "completed"
            }
            let response = try await bus.send("GET", "/v1/messages/\(id)")
            #expect(response.status == 409)
            #expect(try api.checker("Error").check([UInt8](response.body)).map(\.description) == [])
            let error = try AdminJSON.decode(AdminError.self, from: response.body)
            #expect(error.error.code == "several-messages")
            let messages = try #require(error.messages)
            #expect(
                messages.map(\.kind) == ["command", "event"] && messages.map(\.consumer) == ["portal", "register"])
            for message in messages {
                let page = try await get(TracePage.self, "/v1/messages/\(id)?position=\(message.position)", bus)
                #expect(page.message == message)
                #expect(page.answers.map(\.kind) == (message.kind == "command" ? ["outcome"] : []))
            }
            for (query, status) in [("position=2000", 404), ("position=no", 400), ("position=0", 400)] {
                #expect(try await bus.send("GET", "/v1/messages/\(id)?\(query)").status == status, "\(query)")
            }
            await register.close()
        }
    }

    @Test("What was resent before goes again only when that is said; others are told why they do not go")
    func resendRules() async throws {
        try await SmallBus.run { bus async throws in
            let id = try await giveUp(bus)
            func resend(_ id: String, to receiver: String? = nil, again: Bool? = nil) async throws -> ResendPage {
                try await post(
                    ResendPage.self, "/v1/resend",
                    ResendOrder(letters: [.init(id: id, receiver: receiver)], again: again), bus)
            }
            #expect(try await resend(id, to: "portal").refused.map(\.code) == ["not-dead"])
            #expect(try await resend(id).resent.count == 1)
            #expect(try await resend(id).refused.map(\.code) == ["on-its-way"])
            let provider = try await bus.performer { _ in throw Broken() }
            try await dead(bus, id)
            #expect(try await get(DeadLettersPage.self, "/v1/dead-letters", bus).letters.map(\.resent) == [1])
            #expect(try await resend(id).refused.map(\.code) == ["resent-before"])
            #expect(try await resend(id, again: true).resent.map(\.id) == [id])
            try await dead(bus, id)
            await provider.close()
            let unknown = "0199f3a2-0000-7000-8000-000000000000"
            #expect(try await resend(unknown).refused.map(\.code) == ["no-such-message"])
            for body in ["{}", #"{"letters": []}"#, #"{"letters": [{"id": "x"}]}"#, "x"] {
                let response = try await bus.send("POST", "/v1/resend", body: body)
                #expect(response.status == 400, "\(body)")
                #expect(try api.checker("Error").check([UInt8](response.body)).isEmpty)
            }
        }
    }

    @Test("Dead letters are filtered; what cannot be a filter is refused")
    func filters() async throws {
        try await SmallBus.run { bus async throws in
            let id = try await giveUp(bus)
            func count(_ query: String) async throws -> Int {
                try await get(DeadLettersPage.self, "/v1/dead-letters?\(query)", bus).total
            }
            #expect(try await count("id=\(id)") == 1)
            #expect(try await count("service=\(SmallBus.command)&system=register") == 1)
            #expect(try await count("service=\(SmallBus.event)") == 0)
            #expect(try await count("system=portal") == 0)
            #expect(try await count("since_ms=0") == 1)
            #expect(try await count("since_ms=99999999999999") == 0)
            for query in ["limit=0", "limit=10001", "limit=x", "since_ms=-1", "id=x"] {
                #expect(try await bus.send("GET", "/v1/dead-letters?\(query)").status == 400, "\(query)")
            }
        }
    }

    @Test("An event that was taken comes again when its subscriber's cursor is moved")
    func replay() async throws {
        try await SmallBus.run { bus async throws in
            let publisher = try await bus.provider()
            let portal = try await bus.portal()
            let event = try await publisher.publish(SmallBus.event, Array("{}".utf8), as: "register").id
            try await eventually("it is taken") { try await state(bus, event) == "settled" }
            await portal.close()
            func replay(_ from: String, _ value: Int64? = nil) async throws -> Int {
                try await post(
                    ReplayPage.self, "/v1/replay",
                    ReplayOrder(event: SmallBus.event, system: "portal", from: from, value: value), bus
                ).count
            }
            #expect(try await replay("time", Int64(Date.now.timeIntervalSince1970 * 1000) + 60_000) == 0)
            #expect(try await replay("position", 1_000_000) == 0)
            #expect(try await replay("time", .max) == 0, "no time overflows")
            #expect(try await replay("beginning") == 1)
            #expect(try await replay("beginning") == 0, "it is owed already")
            try await eventually("the replay is in its history") {
                let page = try await get(TracePage.self, "/v1/messages/\(event)", bus)
                return page.history.map(\.what) == ["accepted", "taken", "replayed"] && page.state == "open"
            }
            let again = try await bus.portal()
            try await eventually("it is taken again") { try await state(bus, event) == "settled" }
            await again.close()
            await publisher.close()
            for (body, status) in [
                (#"{"event": "\#(SmallBus.event)", "system": "register", "from": "beginning"}"#, 409),
                (#"{"event": "\#(SmallBus.service)", "system": "portal", "from": "beginning"}"#, 400),
                (#"{"event": "\#(SmallBus.event)", "system": "nobody", "from": "beginning"}"#, 400),
                (#"{"event": "\#(SmallBus.event)", "system": "portal", "from": "position"}"#, 400),
                (#"{"event": "\#(SmallBus.event)", "system": "portal", "from": "the end"}"#, 400),
            ] {
                let response = try await bus.send("POST", "/v1/replay", body: body)
                #expect(response.status == status, "\(body)")
                #expect(try api.checker("Error").check([UInt8](response.body)).isEmpty)
            }
        }
    }

    @Test("A replay of nothing tells where the events end")
    func replayOfNothing() async throws {
        try await SmallBus.run { bus async throws in
            func replay(_ value: Int64) async throws -> ReplayPage {
                let order = ReplayOrder(event: SmallBus.event, system: "portal", from: "position", value: value)
                return try await post(ReplayPage.self, "/v1/replay", order, bus)
            }
            let none = try await replay(1)
            #expect(none.count == 0 && none.logEnd != nil && none.newestEvent == nil)
            let publisher = try await bus.provider()
            let portal = try await bus.portal()
            let event = try await publisher.publish(SmallBus.event, Array("{}".utf8), as: "register").id
            try await eventually("it is taken") { try await state(bus, event) == "settled" }
            await portal.close()
            await publisher.close()
            let message = try #require(try await get(TracePage.self, "/v1/messages/\(event)", bus).message)
            let beyond = try await replay(1_000_000)
            let end = try #require(beyond.logEnd)
            #expect(beyond.count == 0 && end.position >= message.position && end.position < 1_000_000)
            let place = ReplayPage.Place(position: message.position, microseconds: message.receivedUs)
            #expect(beyond.newestEvent == place)
            let replayed = try await replay(1)
            #expect(replayed.count == 1 && replayed.logEnd == nil && replayed.newestEvent == nil)
        }
    }

    @Test("A broker that drains waits for what agents hold, delivers nothing new, and ends when that is wanted")
    func drain() async throws {
        try await SmallBus.run { bus async throws in
            #expect(try await get(DrainPage.self, "/v1/drain", bus).draining == false)
            let (gate, opening) = AsyncStream.makeStream(of: Void.self)
            let provider = try await bus.performer { command in
                for await _ in gate { break }
                return .completed(command.body)
            }
            let portal = try await bus.portal()
            let id = try await send(bus)
            try await eventually("it is with the agent") {
                try await get(TracePage.self, "/v1/messages/\(id)", bus).deliveries.first?.agent == "register-1"
            }
            let draining = Task { try await post(DrainPage.self, "/v1/drain", DrainOrder(stop: true), bus) }
            try await eventually("it drains") {
                let page = try await get(DrainPage.self, "/v1/drain", bus)
                return page.draining && !page.drained && page.inFlight == 1
            }
            opening.yield()
            let page = try await draining.value
            #expect(page.drained && page.stopping && page.inFlight == 0)
            // The outcome was not delivered, although the portal is there: it stays for the next start.
            #expect(page.depth == 1)
            #expect(await bus.broker.ending() == nil)
            await portal.close()
            await provider.close()
        }
    }
}
