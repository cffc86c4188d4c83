import BusContracts
import BusProtocol
import GRDB
import Logging
import Synchronization
import Testing

@testable import BusAgent

@Suite("Commands to a register", .timeLimit(.minutes(1)))
struct CommandAdapterTests {
    @Test func aCommandDeliveredThreeTimesHasOneEffectAndOneOutcome() async throws {
        let stage = try await LandStage()
        let run = try await stage.start()
        let command = try stage.command("land.mark.v1", #"{"plot":"1:1"}"#)
        for _ in 0..<3 { try await stage.send(command) }
        #expect(await stage.untilSettled(3) == [.ack, .ack, .ack])
        try await stage.until("SELECT sum(sent) FROM kerege_outcome", is: "1")
        #expect(try await stage.value("SELECT marks || by FROM plot WHERE number = '1:1'") == "1notary")
        #expect(try await stage.value("SELECT count(*) FROM done WHERE at > 1e12") == "1")
        let outcomes = stage.broker.durable(.outcome)
        #expect(outcomes.count == 1)
        let header = try #require(try outcomes.first?.fields)
        #expect(header.correlation == command.id && header.consumer == "notary" && header.outcome == 0)
        #expect(outcomes.first.map { String(decoding: $0.body, as: UTF8.self) } == #"{"plot":"1:1","marks":1}"#)
        await stage.end(run)
    }

    @Test func anAcknowledgementLostWithTheAgentMakesNoSecondEffect() async throws {
        let stage = try await LandStage()
        let first = try await stage.start()
        let command = try stage.command("land.mark.v1", #"{"plot":"1:1"}"#)
        try await stage.send(command)
        _ = await stage.untilSettled(1)
        await first.end()
        // The broker never heard the ACK: it delivers to the next agent over the same file.
        let second = try await stage.start()
        try await stage.send(command)
        #expect(await stage.untilSettled(2) == [.ack, .ack])
        #expect(try await stage.value("SELECT marks FROM plot WHERE number = '1:1'") == "1")
        #expect(try await stage.value("SELECT count(*) FROM kerege_outcome") == "1")
        await stage.end(second)
    }

    @Test func anOutcomeIsTheSameBytesAfterACrashBeforeItsReceipt() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.withholdsAccept = true
        let stage = try await LandStage(behaviour)
        let first = try await stage.start()
        let command = try stage.command("land.mark.v1", #"{"plot":"1:1"}"#)
        let sending = Task { try await stage.send(command) }
        _ = await stage.untilSent(.outcome, 1)
        await first.end()
        let stored = "SELECT count(*) FROM kerege_outcome WHERE sent = 0 AND header IS NOT NULL"
        #expect(try await stage.value(stored) == "1")
        stage.broker.change { $0.withholdsAccept = false }
        let second = try await stage.start()
        try await stage.until("SELECT sum(sent) FROM kerege_outcome", is: "1")
        let outcomes = stage.broker.durable(.outcome)
        #expect(outcomes.count >= 2 && outcomes.allSatisfy { $0 == outcomes[0] })
        #expect(try await stage.value("SELECT marks FROM plot WHERE number = '1:1'") == "1")
        sending.cancel()
        await stage.end(second)
    }

    @Test func anOutcomeThatMustWaitIsRepeatedAndOneThatIsNotWantedIsNot() async throws {
        var behaviour = MiniBroker.Behaviour()
        behaviour.refuses[.outcome] = [.storageFull, .idReused]
        let stage = try await LandStage(behaviour)
        let run = try await stage.start()
        try await stage.send(try stage.command("land.mark.v1", #"{"plot":"1:1"}"#))
        try await stage.until("SELECT refused FROM kerege_outcome WHERE sent = 1", is: "4090")
        try await stage.send(try stage.command("land.mark.v1", #"{"plot":"1:2"}"#))
        try await stage.until("SELECT sum(sent) FROM kerege_outcome", is: "2")
        let outcomes = stage.broker.durable(.outcome)
        #expect(outcomes.map(\.isRefused) == [true, true, false])
        #expect(outcomes[0] == outcomes[1])
        await stage.end(run)
    }

    @Test func aRefusedCommandChangesNothingAndItsSenderLearnsWhy() async throws {
        let stage = try await LandStage()
        let run = try await stage.start()
        try await stage.send(try stage.command("land.mark.v1", #"{"plot":"9:9"}"#))
        let outcome = await stage.untilSent(.outcome, 1)[0]
        #expect(try outcome.fields.outcome == FaultCode.commandRefused.number)
        #expect(String(decoding: outcome.body, as: UTF8.self).contains("there is no such plot"))
        #expect(await stage.untilSettled(1) == [.ack])
        #expect(try await stage.value("SELECT sum(marks) + (SELECT count(*) FROM done) FROM plot") == "0")
        #expect(try await stage.value("SELECT state FROM kerege_command") == "failed")
        await stage.end(run)
    }

    @Test func anIdOfAnotherSystemIsNotTakenForARepetition() async throws {
        let stage = try await LandStage()
        let run = try await stage.start()
        let command = try stage.command("land.mark.v1", #"{"plot":"1:1"}"#)
        try await stage.send(command)
        _ = await stage.untilSettled(1)
        let stranger = try await Agent.connect(AgentTests.configuration(stage.broker, "akimat"))
        let same = try stranger.prepareCommand("land.mark.v1", Array(#"{"plot":"1:2"}"#.utf8), id: command.id)
        _ = try await stranger.submit(same)
        #expect(await stage.untilSettled(2) == [.ack, .term])
        #expect(stage.settlements[1].code == FaultCode.idReused.number)
        #expect(try await stage.value("SELECT marks FROM plot WHERE number = '1:2'") == "0")
        await stranger.close()
        await stage.end(run)
    }

    // MARK: - Later

    @Test func anOutcomeToldLaterFollowsTheEventItWaitedFor() async throws {
        let stage = try await LandStage()
        let run = try await stage.start(
            check: CommandCheck { question, _ in
                .proceed(with: [JSONMember("buyer", .string("\(question.body["plot"]?.string ?? "") buyer"))])
            })
        let command = try stage.command("land.sell.v1", #"{"plot":"1:1"}"#)
        try await stage.send(command)
        _ = await stage.untilSettled(1)
        #expect(try await stage.value("SELECT state FROM kerege_command") == "taken")
        let fee = await stage.untilSent(.command, 2)[1]
        #expect(try fee.fields.target == "pay.request.v1")
        #expect(String(decoding: fee.body, as: UTF8.self) == #"{"reference":"\#(command.id)"}"#)
        #expect(stage.broker.durable(.outcome).isEmpty)
        let event = #"{"reference":"\#(command.id)"}"#
        try await stage.publish("pay.confirmed.v1", event)
        let outcome = await stage.untilSent(.outcome, 1)[0]
        #expect(try outcome.fields.correlation == command.id)
        #expect(String(decoding: outcome.body, as: UTF8.self) == #"{"paid":1}"#)
        #expect(try await stage.value("SELECT owner || changes FROM plot WHERE number = '1:1'") == "1:1 buyer1")
        await stage.end(run)
    }

    @Test func anOutcomeOfAnUnknownCommandFailsTheStatementThatTellsIt() async throws {
        let stage = try await LandStage()
        let run = try await stage.start()
        try await stage.publish("pay.confirmed.v1", #"{"reference":"none"}"#)
        #expect(await stage.untilSettled(1) == [.nak])
        #expect(try await stage.value("SELECT count(*) FROM kerege_inbox") == "0")
        await stage.end(run)
    }

    // MARK: - Checks

    @Test func aCheckRefusesAndOneThatCannotTellLetsTheCommandComeAgain() async throws {
        let stage = try await LandStage()
        let calls = Mutex(0)
        let run = try await stage.start(
            check: CommandCheck { _, _ in
                let call = calls.withLock { calls in
                    calls += 1
                    return calls
                }
                if call == 1 { throw BusFault(.noLiveProvider, at: .broker) }
                return .refuse("the buyer is dead")
            })
        let command = try stage.command("land.sell.v1", #"{"plot":"1:1"}"#)
        try await stage.send(command)
        #expect(await stage.untilSettled(1) == [.nak])
        #expect(stage.settlements.map(\.code) == [FaultCode.noLiveProvider.number], "its history tells who was away")
        #expect(try await stage.value("SELECT count(*) FROM kerege_command") == "0")
        try await stage.send(command)
        try await stage.send(command)
        #expect(await stage.untilSettled(3) == [.nak, .ack, .ack])
        let outcome = await stage.untilSent(.outcome, 1)[0]
        #expect(try outcome.fields.outcome == FaultCode.commandRefused.number)
        #expect(String(decoding: outcome.body, as: UTF8.self).contains("the buyer is dead"))
        #expect(try await stage.value("SELECT count(*) FROM sale") == "0")
        await stage.end(run)
    }

    @Test func aCheckNobodyHasIsToldWithItsPlace() async throws {
        let stage = try await LandStage()
        let problem = #expect(throws: AgentFileProblem.self) {
            let file = try AgentFile(LandStage.yaml, name: "land.yaml")
            return try SQLAdapter(file, database: stage.scratch.file("land.sqlite"), logger: Logger(label: "test"))
        }
        #expect(problem?.description.hasPrefix("land.yaml:11:") == true, "\(problem?.description ?? "")")
        #expect(problem?.description.contains("`buyer`") == true)
        await stage.end()
    }

    @Test(arguments: [
        (LandStage.yaml.replacing("FROM plot WHERE number = :plot)", with: "FROM nowhere)"), "land.yaml:6:"),
        (LandStage.yaml.replacing("INTO done", with: "INTO nowhere"), "land.yaml:7:"),
        (LandStage.yaml.replacing("'marks', marks", with: "'marks', nothing"), "land.yaml:10:"),
        (LandStage.yaml.replacing("INTO told", with: "INTO nowhere"), "land.yaml:21:"),
        (LandStage.yaml.replacing("kind = 'fee'", with: "nothing = 'fee'"), "land.yaml:18:"),
    ])
    func wrongSQLOfCommandsIsToldWithItsPlace(_ yaml: String, _ place: String) async throws {
        let stage = try await LandStage()
        let problem = #expect(throws: AgentFileProblem.self) {
            let checks = ["buyer": CommandCheck { _, _ in .proceed(with: []) }]
            let file = try AgentFile(yaml, name: "land.yaml")
            return try SQLAdapter(
                file, database: stage.scratch.file("land.sqlite"), checks: checks, logger: Logger(label: "test"))
        }
        #expect(problem?.description.hasPrefix(place) == true, "\(problem?.description ?? "")")
        await stage.end()
    }
}
