import ArgumentParser
import BusAgent
import BusBroker
import BusConsole
import BusContracts
import BusProtocol
import Foundation
import Testing

@testable import kerege

extension SmallBus {
    /// Options of commands that connect as an agent, and of those that ask the admin API.
    var asAgent: [String] { ["--data", folder, "--broker", broker.endpoint] }
    var asOperator: [String] { ["--data", folder, "--http", "http://127.0.0.1:\(port)"] }
}

/// The commands for durable messages as an operator types them: what they print, and what they end with.
@Suite("Command line, durable messages", .serialized, .timeLimit(.minutes(3)))
struct DurableCommandTests {
    private struct Broken: Error {}

    private func dead(_ bus: SmallBus, _ id: String) async throws {
        try await eventually("\(id) is given up") {
            try await bus.send("GET", "/v1/dead-letters?id=\(id)").body.range(of: Data(#""total":1"#.utf8)) != nil
        }
    }

    /// Sends a command that is given up.
    private func giveUp(_ bus: SmallBus) async throws -> String {
        let sent = try await CommandRun.run(["send", SmallBus.command, #"{"n":1}"#, "--json"] + bus.asAgent)
        #expect(sent.code == 0, "\(sent.errors)")
        let id = try #require(try JSONValue.parse(sent.output)["id"]?.string)
        let provider = try await bus.performer { _ in throw Broken() }
        try await dead(bus, id)
        await provider.close()
        return id
    }

    @Test("send --wait prints the outcome and ends with 0; a refusal ends with 1; the same id is the same command")
    func send() async throws {
        try await SmallBus.run { bus async throws in
            let provider = try await bus.performer { command in
                command.body.count > 10
                    ? .refused(BusFault(number: 4093, at: .providerSystem, "too long")) : .completed(command.body)
            }
            let run = try await CommandRun.run(
                ["send", SmallBus.command, #"{"n":1}"#, "--wait", "10s", "--json"] + bus.asAgent)
            #expect(run.code == 0, "\(run.errors)")
            #expect(
                try run.members == [
                    "answer", "attempts", "consumer", "id", "outcome", "position", "receipt", "service", "state",
                ])
            let sent = try JSONValue.parse(run.output)
            #expect(sent["answer"]?["n"]?.int == 1 && sent["state"]?.string == "completed")
            #expect(sent["outcome"]?["number"]?.int == 0 && sent["outcome"]?["name"]?.string == "ok")
            let id = try #require(sent["id"]?.string)

            let again = try await CommandRun.run(
                ["send", SmallBus.command, #"{"n":1}"#, "--id", id, "--wait", "10s"] + bus.asAgent)
            #expect(again.code == 0)
            #expect(again.output.hasPrefix("command \(id), position \(sent["position"]?.int ?? 0): completed"))
            #expect(again.output.contains("\nreceipt not proven: 4096 log-unsigned: "))
            #expect(
                again.output.contains(#""n": 1"#)
                    && again.errors.contains("next: kerege trace --data \(bus.folder) \(id)"))
            let other = try await CommandRun.run(
                ["send", SmallBus.command, #"{"n":2}"#, "--id", id] + bus.asAgent)
            #expect(other.code == 1 && other.errors.contains("4090 id-reused"))

            let refused = try await CommandRun.run(
                ["send", SmallBus.command, #"{"n":1000000}"#, "--wait", "10s"] + bus.asAgent)
            #expect(refused.code == 1)
            #expect(refused.output.contains(": failed, 4093 command-refused"))
            let stranger = try await CommandRun.run(
                ["send", SmallBus.command, "{}", "--as", "register"] + bus.asAgent)
            #expect(stranger.code == 1 && stranger.errors.contains("4030 no-integration"))
            #expect(stranger.errors.contains("\(SmallBus.command) as register"), "\(stranger.errors)")
            #expect(stranger.errors.contains("with --as: kerege integrations"), "\(stranger.errors)")
            await provider.close()
        }
    }

    @Test("Without a provider a command is accepted; waiting for its outcome in vain ends with 1 and the way to go on")
    func sendToNobody() async throws {
        try await SmallBus.run { bus async throws in
            let sent = try await CommandRun.run(
                ["send", SmallBus.command, "{}", "--expiry", "1h", "--json"] + bus.asAgent)
            #expect(sent.code == 0)
            #expect(
                try sent.members == [
                    "attempts", "consumer", "expires", "expires_ms", "id", "position", "receipt", "service", "state",
                ])
            try expectExpiry(of: sent, after: 3_600_000)
            let sooner = try await CommandRun.run(
                ["send", SmallBus.command, "{}", "--expiry", "10m", "--json"] + bus.asAgent)
            try expectExpiry(of: sooner, after: 600_000)
            let receipt = try JSONValue.parse(sent.output)["receipt"]
            #expect(receipt?["proven"]?.bool == false && receipt?["why"]?["number"]?.int == 4096)
            #expect(try JSONValue.parse(sent.output)["state"]?.string == "accepted")
            let file = bus.folder + "/receipt.json"
            let unsaved = try await CommandRun.run(
                ["send", SmallBus.command, "{}", "--receipt", file] + bus.asAgent)
            #expect(unsaved.code == 1 && unsaved.output.hasPrefix("command "), "its id is told all the same")
            #expect(unsaved.errors.contains("there is no proof to put in it") && unsaved.errors.contains("4096"))
            #expect(!FileManager.default.fileExists(atPath: file))
            let nowhere = try await CommandRun.run(
                ["send", SmallBus.command, "{}", "--receipt", bus.folder + "/none/r.json"] + bus.asAgent)
            #expect(nowhere.code == 2 && nowhere.output.isEmpty, "refused before anything is sent")
            #expect(nowhere.errors.contains("there is no folder"))
            let vain = try await CommandRun.run(
                ["send", SmallBus.command, "{}", "--wait", "100ms", "--receipt", file] + bus.asAgent)
            #expect(vain.code == 1)
            #expect(vain.output.contains(": accepted, expires 20"))
            #expect(vain.errors.contains("again: kerege send \(SmallBus.command) '{}' --id "))
            #expect(vain.errors.contains(" --receipt \(file)"))

            let queues = try await CommandRun.run(["queues"] + bus.asOperator)
            #expect(queues.code == 0)
            let lines = queues.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            let row = try #require(lines.first { $0.first == "commands" })
            #expect(row[1] == "register" && row[2] == "4" && row[3] == "0")
            let json = try await CommandRun.run(["queues", "--json"] + bus.asOperator)
            #expect(try json.members == ["dead", "depth", "in_flight", "queues"])
            let trace = try await CommandRun.run(
                ["trace", try #require(try JSONValue.parse(sent.output)["id"]?.string)] + bus.asOperator)
            #expect(trace.code == 0)
            #expect(trace.output.contains("├─▶ register") && trace.output.contains("waiting"))
            // What it shows is refreshed a few times a second.
            let counts = "commands 4, outcomes 0, given up 0; queued 4, 0 with agents, dead letters 0"
            try await eventually("the fourth command is shown") {
                try await CommandRun.run(["status"] + bus.asOperator).output.contains(counts)
            }
        }
    }

    /// The id has the time at which the command was made.
    private func expectExpiry(of run: CommandRun, after span: Int64) throws {
        let page = try JSONValue.parse(run.output)
        let id = try #require(page["id"]?.string.flatMap { MessageID($0) })
        #expect(page["expires_ms"]?.int.map { Int64($0) - id.unixMilliseconds } == span)
        #expect(page["expires"]?.string == RFC3339.text(id.unixMilliseconds + span))
    }

    @Test("A dead letter is listed, explained by its trace, and resent; what is completed is not")
    func resend() async throws {
        try await SmallBus.run { bus async throws in
            let id = try await giveUp(bus)
            let list = try await CommandRun.run(["queues", "--dead"] + bus.asOperator)
            #expect(list.code == 0)
            let row = try #require(list.output.split(separator: "\n").last).split(separator: " ").map(String.init)
            #expect(row.prefix(8) == [id, SmallBus.command, "portal", "register", "5023", "given-up", "2", "0"])
            #expect(
                try await CommandRun.run(["queues", "--dead", "--json"] + bus.asOperator).members == [
                    "letters", "total",
                ])
            let trace = try await CommandRun.run(["trace", id] + bus.asOperator)
            #expect(trace.code == 1)
            for word in ["dead-lettered", "tried-again", "register-1", "given-up", "5023 given-up", "accepted"] {
                #expect(trace.output.contains(word), "\(word)")
            }
            let doctor = try await CommandRun.run(["doctor"] + bus.asOperator)
            #expect(doctor.code == 1)
            #expect(doctor.output.contains("bad  dead letters: 1, for register"))

            let provider = try await bus.performer { .completed($0.body) }
            let dry = try await CommandRun.run(["resend", id, "--dry-run"] + bus.asOperator)
            #expect(dry.code == 0 && dry.output.contains(id) && !dry.output.contains("resent 1"))
            let resent = try await CommandRun.run(["resend", id] + bus.asOperator)
            #expect(resent.code == 0, "\(resent.errors)")
            #expect(resent.output.contains(id) && resent.output.hasSuffix("resent 1\n"))
            try await eventually("it is completed") {
                try await CommandRun.run(["trace", id] + bus.asOperator).code == 0
            }
            let again = try await CommandRun.run(["resend", id, "--json"] + bus.asOperator)
            #expect(again.code == 1)
            #expect(try again.members == ["refused", "resent"])
            let told = try await CommandRun.run(["resend", id] + bus.asOperator)
            #expect(told.code == 1)
            #expect(
                told.errors.contains("completed")
                    && told.errors.contains("next: kerege trace \(ShellText.command(bus.asOperator)) \(id)"))
            await provider.close()
        }
    }

    @Test("What was resent before goes again only with --yes, alone or with others")
    func resendAgain() async throws {
        try await SmallBus.run { bus async throws in
            let first = try await giveUp(bus)
            let second = try await giveUp(bus)
            let failed = ["resend", "--failed", "--service", SmallBus.command, "--since", "1h"] + bus.asOperator
            #expect(try await CommandRun.run(["resend", first] + bus.asOperator).code == 0)
            let provider = try await bus.performer { _ in throw Broken() }
            try await dead(bus, first)

            let refused = try await CommandRun.run(failed)
            #expect(refused.code == 2)
            #expect(refused.output.contains(first) && refused.output.contains(second))
            #expect(refused.errors.contains("1 of 2 were resent before"))
            let command = ShellText.command(["kerege"] + failed + ["--yes"])
            #expect(refused.errors.contains("next: mend the receiver, then \(command)\n"), "\(refused.errors)")
            let alone = try await CommandRun.run(["resend", first, "--json"] + bus.asOperator)
            #expect(alone.code == 2 && alone.errors.contains("it was resent before"))

            // What would come of it is what comes of it.
            let dry = try await CommandRun.run(failed + ["--dry-run"])
            #expect(dry.code == 2 && dry.output.hasSuffix("would resend 2\n"))
            #expect(dry.errors.contains("next: mend the receiver, then \(command)\n"), "\(dry.errors)")
            let certain = try await CommandRun.run(failed + ["--dry-run", "--yes"])
            #expect(certain.code == 0 && certain.errors.hasSuffix("next: \(command)\n"), "\(certain.errors)")
            for stray in [[first, "--service", SmallBus.command], [first, "--since", "1h"]] {
                #expect(try await CommandRun.run(["resend"] + stray + bus.asOperator).code == 2)
            }
            #expect(try await CommandRun.run(failed + ["--position", "1"]).code == 2)

            let forced = try await CommandRun.run(failed + ["--yes"])
            #expect(forced.code == 0, "\(forced.errors)")
            #expect(forced.output.hasSuffix("resent 2\n"))
            #expect(forced.errors.contains("warning: 1 of 2 were resent before"))
            try await dead(bus, second)
            let none = try await CommandRun.run(
                ["resend", "--failed", "--service", SmallBus.event] + bus.asOperator)
            #expect(none.code == 0 && none.output.contains("no dead letters"))
            await provider.close()
        }
    }

    @Test("subscribe prints what it acknowledges, from where it is told, and ends by number or time")
    func subscribe() async throws {
        try await SmallBus.run { bus async throws in
            for n in 1...3 {
                let run = try await CommandRun.run(["publish", SmallBus.event, #"{"n":\#(n)}"#] + bus.asAgent)
                #expect(run.code == 0, "\(run.errors)")
            }
            let subscribe = ["subscribe", SmallBus.event, "--as", "portal", "--json"] + bus.asAgent
            func events(_ run: CommandRun) throws -> [JSONValue] {
                try run.output.split(separator: "\n").map { try JSONValue.parse(String($0)) }
            }
            let two = try await CommandRun.run(subscribe + ["--count", "2", "--for", "20s"])
            #expect(two.code == 0, "\(two.errors)")
            #expect(try events(two).map { $0["body"]?["n"]?.int } == [1, 2])
            #expect(try events(two).first?.object?.map(\.name) == ["attempt", "body", "event", "id", "position"])
            let third = try await CommandRun.run(subscribe + ["--count", "1", "--for", "20s"])
            #expect(try events(third).map { $0["body"]?["n"]?.int } == [3])
            let none = try await CommandRun.run(subscribe + ["--count", "1", "--for", "200ms"])
            #expect(none.code == 1 && none.output.isEmpty)
            #expect(none.errors.contains("0 of 1 events came"))
            let beyond = try await CommandRun.run(
                ["subscribe", SmallBus.event, "--as", "portal", "--from", "position:1000000", "--for", "100ms"]
                    + bus.asAgent)
            #expect(beyond.code == 0 && beyond.errors.contains("nothing of \(SmallBus.event) comes again"))
            // Nobody waits for what can never come.
            let unknown = try await CommandRun.run(
                ["subscribe", "register.no-such.v1", "--as", "portal"] + bus.asAgent)
            #expect(unknown.code == 1 && unknown.errors.contains("4040"), "\(unknown.errors)")
            #expect(unknown.errors.contains("register.no-such.v1 as portal"), "of many events, which one")
            let foreign = try await CommandRun.run(["subscribe", SmallBus.event, "--as", "register"] + bus.asAgent)
            #expect(foreign.code == 1 && foreign.errors.contains("4030"), "\(foreign.errors)")

            let all = try await CommandRun.run(subscribe + ["--from", "beginning", "--count", "3", "--for", "20s"])
            #expect(all.code == 0, "\(all.errors)")
            #expect(try events(all).map { $0["body"]?["n"]?.int } == [1, 2, 3])
            let last = try #require(try events(all).last?["position"]?.int)
            let replay = try await CommandRun.run(
                ["replay", SmallBus.event, "--as", "portal", "--from", "position:\(last)"] + bus.asOperator)
            #expect(replay.code == 0, "\(replay.errors)")
            #expect(replay.output == "1 events of \(SmallBus.event) come to portal again\n")
            let again = try await CommandRun.run(subscribe + ["--for", "20s", "--count", "1"])
            #expect(try events(again).map { $0["body"]?["n"]?.int } == [3])
            let stranger = try await CommandRun.run(
                ["replay", SmallBus.event, "--as", "register", "--from", "beginning"] + bus.asOperator)
            #expect(stranger.code == 1 && stranger.errors.contains("does not subscribe"))
        }
    }

    @Test("An unconfirmed message is told with the exact command that repeats it")
    func repetition() throws {
        var agent = try AgentOptions.parse(["--data", "my data", "--deadline", "1s", "--json"])
        let id = try #require(MessageID("0199f3a2-0000-7000-8000-000000000001"))
        let send = Repetition(
            verb: "send", target: "a.b.v1", body: #"{"name":"O'Neil"}"#, options: ["--expiry", "1d"], agent: agent)
        let failure = send.failure(id, BusFault(.deadlinePassed, at: .broker))
        #expect(failure.exit == .no && failure.code == "not-confirmed" && failure.what.contains("\(id)"))
        #expect(
            failure.next
                == #"kerege send a.b.v1 '{"name":"O'\''Neil"}' --id \#(id) --expiry 1d --data 'my data' --deadline 1s --json"#
        )
        agent = try AgentOptions.parse([])
        let piped = Repetition(verb: "publish", target: "a.b.v1", body: "-", options: [], agent: agent)
        #expect(piped.command(id) == "kerege publish a.b.v1 - --id \(id)  # with the same input")
        #expect(piped.failure(id, BusFault(.brokerUnreachable, at: .consumerAgent)).exit == .unreachable)
        #expect(!Repetition.isUnknown(BusFault(.noIntegration, at: .broker)))
    }

    @Test("Spans and starting points are read, and nothing else is")
    func reading() throws {
        let spans: [(String, Duration?)] = [
            ("250ms", .milliseconds(250)), ("10s", .seconds(10)), ("10", .seconds(10)), ("2h", .seconds(7200)),
            ("1d", .seconds(86_400)), ("0s", nil), ("", nil), ("s", nil), ("1w", nil), ("-1s", nil), ("1000000s", nil),
        ]
        for (text, span) in spans { #expect(Spans.duration(text) == span, "\(text)") }
        #expect(try StartPoint.read("beginning") == .beginning)
        #expect(try StartPoint.read("position:7") == .position(7))
        #expect(try StartPoint.read("time:2026-03-04T10:00:00Z") == .time(1_772_618_400_000))
        #expect(try StartPoint.read("time:2026-03-04T10:00:00.250Z") == .time(1_772_618_400_250))
        for text in ["", "end", "position:", "position:0", "position:-1", "time:", "time:yesterday"] {
            #expect(throws: Failure.self, "\(text)") { try StartPoint.read(text) }
        }
    }
}
