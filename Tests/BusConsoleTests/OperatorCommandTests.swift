import BusAgent
import BusContracts
import BusProtocol
import Foundation
import Testing

@testable import kerege

/// What an operator is told when something is not as it was thought.
@Suite("Command line, what operators are told", .serialized, .timeLimit(.minutes(3)))
struct OperatorCommandTests {
    @Test("A drained broker is told by status, doctor and health, and whoever sends learns it at once")
    func drained() async throws {
        try await SmallBus.run { bus async throws in
            func health() async throws -> String? {
                try JSONValue.parse(Array(try await bus.send("GET", "/v1/health").body))["status"]?.string
            }
            #expect(try await health() == "ok")
            let before = try await CommandRun.run(["status"] + bus.asOperator)
            #expect(before.code == 0 && !before.output.contains("DRAINED"))
            let drain = try await CommandRun.run(["drain", "--keep-running"] + bus.asOperator)
            #expect(drain.code == 0, "\(drain.errors)")
            try await eventually("health tells it") { try await health() == "draining" }
            let status = try await CommandRun.run(["status"] + bus.asOperator)
            #expect(status.output.contains("DRAINED: takes no new messages"))
            let doctor = try await CommandRun.run(["doctor"] + bus.asOperator)
            #expect(doctor.code == 1 && doctor.output.contains("bad  new messages: the broker is drained"))
            // This broker signs nothing, and nothing was ever kept.
            #expect(doctor.output.contains("ok   log: is not remembered here"), "\(doctor.output)")
            for verb in [["send", SmallBus.command], ["call", SmallBus.service], ["publish", SmallBus.event]] {
                let run = try await CommandRun.run(verb + ["{}", "--deadline", "5m"] + bus.asAgent)
                #expect(run.code == 1 && run.errors.contains("5031 draining at broker"), "\(run.errors)")
                #expect(!run.errors.contains("kerege trace"), "nothing was journaled")
            }
        }
    }

    @Test("resend --dry-run sends nothing and tells what would be sent and what refused")
    func dryRun() async throws {
        try await SmallBus.run { bus async throws in
            let provider = try await bus.performer { .completed($0.body) }
            let sent = try await CommandRun.run(
                ["send", SmallBus.command, "{}", "--wait", "10s", "--json"] + bus.asAgent)
            let id = try #require(try JSONValue.parse(sent.output)["id"]?.string)
            let run = try await CommandRun.run(["resend", id, "--dry-run"] + bus.asOperator)
            #expect(run.code == 1 && run.errors.contains("would be refused: \(id): completed"), "\(run.errors)")
            let json = try await CommandRun.run(["resend", id, "--dry-run", "--json"] + bus.asOperator)
            #expect(json.code == 1)
            #expect(try JSONValue.parse(json.output)["refused"]?.array?.count == 1)
            await provider.close()
        }
    }

    @Test("Names nobody has are refused where an empty list would be good news")
    func unknownNames() async throws {
        try await SmallBus.run { bus async throws in
            for (arguments, name) in [
                (["queues", "--dead", "--service", "no.such.v1"], "no.such.v1"),
                (["queues", "--dead", "--system", "nobody"], "nobody"),
                (["resend", "--failed", "--service", "no.such.v1"], "no.such.v1"),
                (["replay", "no.such.v1", "--as", "portal", "--from", "beginning"], "no.such.v1"),
                (["replay", SmallBus.service, "--as", "portal", "--from", "beginning"], SmallBus.service),
                (["replay", SmallBus.event, "--as", "nobody", "--from", "beginning"], "nobody"),
            ] {
                let run = try await CommandRun.run(arguments + bus.asOperator)
                #expect(run.code == 2 && run.errors.contains("`\(name)`"), "\(arguments): \(run.code) \(run.errors)")
            }
            let known = try await CommandRun.run(
                ["queues", "--dead", "--service", SmallBus.command] + bus.asOperator)
            #expect(known.code == 0)
        }
    }

    @Test("A service that takes another kind of message is no unknown service")
    func wrongKind() async throws {
        try await SmallBus.run { bus async throws in
            for verb in [
                ["send", SmallBus.service], ["send", SmallBus.event], ["call", SmallBus.command],
                ["call", SmallBus.event], ["publish", SmallBus.command],
            ] {
                let run = try await CommandRun.run(verb + ["{}", "--as", "portal"] + bus.asAgent)
                #expect(run.code == 1 && run.errors.contains("4042 wrong-kind"), "\(verb): \(run.errors)")
                #expect(!run.errors.contains("kerege trace"), "\(run.errors)")
            }
        }
    }

    @Test("What follows names the broker that was asked")
    func hints() async throws {
        try await SmallBus.run { bus async throws in
            let sent = try await CommandRun.run(["send", SmallBus.command, "{}"] + bus.asAgent)
            #expect(sent.errors.contains(" --data \(bus.folder)"), "\(sent.errors)")
            let published = try await CommandRun.run(["publish", SmallBus.event, "{}"] + bus.asAgent)
            #expect(published.errors.contains(" --data \(bus.folder)"), "\(published.errors)")
            let place = ShellText.command(bus.asOperator)
            let replayed = try await CommandRun.run(
                ["replay", SmallBus.event, "--as", "portal", "--from", "beginning"] + bus.asOperator)
            #expect(replayed.errors.contains("next: kerege queues \(place) --system portal"), "\(replayed.errors)")
            // What the broker proposes, and a failure as JSON.
            let unknown = try await CommandRun.run(
                ["replay", "no.such.v1", "--as", "portal", "--from", "beginning", "--json"] + bus.asOperator)
            #expect(unknown.errors.contains("next: kerege services \(place) "), "\(unknown.errors)")
            let next = try JSONValue.parse(unknown.output)["error"]?["next"]?.string
            #expect(next?.hasPrefix("kerege services \(place) ") == true)
            let doctor = try await CommandRun.run(["doctor"] + bus.asOperator)
            #expect(doctor.output.contains("; kerege agents \(place) shows refused keys"), "\(doctor.output)")
        }
    }

    @Test("Where the journal of a folder is damaged, what is proposed names that folder, whatever else was given")
    func damagedFolder() async throws {
        let folder = NSTemporaryDirectory() + "kerege sign \(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "no database".write(toFile: folder + "/journal.sqlite", atomically: false, encoding: .utf8)
        let run = try await CommandRun.run(["space", "sign", "deploy/space", "--after", folder, "--data", "elsewhere"])
        #expect(
            run.code == 1 && run.errors.contains("next: kerege journal verify --data '\(folder)'\n"), "\(run.errors)")
    }

    @Test("A name that is no system, and a key of another one, are told apart")
    func wrongSystem() async throws {
        try await SmallBus.run { bus async throws in
            let portal = ["--key", "\(bus.folder)/keys/portal-1.key"]
            for verb in [
                ["send", SmallBus.command, "{}"], ["call", SmallBus.service, "{}"], ["subscribe", SmallBus.event],
            ] {
                let unknown = try await CommandRun.run(verb + ["--as", "nosuch"] + bus.asAgent)
                #expect(unknown.code == 2, "\(verb): \(unknown.errors)")
                for word in ["4011 key-not-for-system", "there is no system `nosuch`", "belongs to portal, register"] {
                    #expect(unknown.errors.contains(word), "\(verb): \(unknown.errors)")
                }
                let foreign = try await CommandRun.run(verb + ["--as", "register"] + portal + bus.asAgent)
                #expect(foreign.code == 2, "\(verb): \(foreign.errors)")
                for word in [
                    "portal-1.key may not speak as register", "belongs to portal", "use --as portal, or a key of",
                ] {
                    #expect(foreign.errors.contains(word), "\(verb): \(foreign.errors)")
                }
            }
            let named = try await CommandRun.run(["publish", SmallBus.event, "{}", "--as", "portal"] + bus.asAgent)
            #expect(named.code == 2 && named.errors.contains("portal may not publish \(SmallBus.event)"))
            #expect(named.errors.contains("belongs to register") && named.errors.contains("leave --as out"))
            let keyed = try await CommandRun.run(["publish", SmallBus.event, "{}"] + portal + bus.asAgent)
            #expect(keyed.code == 2 && keyed.errors.contains("may not speak as register"), "\(keyed.errors)")
            #expect(!keyed.errors.contains("--as portal"), "no other name would do")
            let nobody = try await CommandRun.run(["publish", "nosuch.thing-done.v1", "{}"] + bus.asAgent)
            #expect(nobody.code == 2 && nobody.errors.contains("there is no system `nosuch`"), "\(nobody.errors)")
        }
    }

    @Test("Nobody who answers, and nothing on the standard input, are told with what it may be")
    func silence() async throws {
        let fault = BusFault(.brokerUnreachable, at: .consumerAgent)
        #expect(AgentOptions.explain(fault, isGreeting: true).why.contains("keys/broker.pub"))
        #expect(!AgentOptions.explain(fault).why.contains("keys/broker.pub"), "there was a session before")
        let empty = try await CommandRun.run(["publish", "a.b.v1", "-"])
        #expect(empty.code == 2 && empty.errors.contains("the standard input is not JSON"), "\(empty.errors)")
    }

    @Test("A key in use is explained with what a user of the commands can do")
    func keyInUse() {
        let failure = AgentOptions.explain(BusFault(.instanceConflict, at: .broker, "another instance of operator"))
        #expect(failure.next.contains("--wait") && failure.next.contains("--key FILE"))
    }
}
