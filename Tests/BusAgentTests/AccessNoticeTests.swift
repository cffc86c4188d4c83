import BusContracts
import BusDirectory
import BusEvidence
import BusProtocol
import GRDB
import Logging
import Synchronization
import Testing

@testable import BusAgent

@Suite("Notices of accesses", .timeLimit(.minutes(1)))
struct AccessNoticeTests {
    private static let event = "individuals.data-accessed.v1"
    private static let iin = "990101500016"

    private static let yaml = """
        agent: individuals-1
        systems: [individuals]
        database: people.sqlite
        services:
          - service: individuals.person-get.v1
            sql: SELECT json_object('name', 'x') WHERE :iin <> '080540000011'
        notices:
          event: \(event)
          without: [mobile]
        """

    private static func access(
        _ number: Int, by consumer: String = "portal", about subject: String = iin, outcome: UInt16 = 0,
        service: String = AccessTests.service, purpose: String = "forms"
    ) -> Access {
        Access(
            service: service, subject: subject, consumer: consumer, purpose: purpose, request: "\(number)",
            outcome: outcome, at: 1_790_000_000_250)
    }

    private func notices() throws -> AccessNotices {
        try AccessNotices(#require(AgentFile(Self.yaml, name: "a.yaml").notices))
    }

    @Test func onlyWhatPeopleAreToldOfIsGathered() throws {
        let notices = try notices()
        notices.note(Self.access(1))
        notices.note(Self.access(2, by: "mobile"))
        notices.note(Self.access(3, about: "080540000011"))
        notices.note(Self.access(4, outcome: 2040))
        notices.note(Self.access(5, service: AccessReference.service(of: "individuals")))
        notices.note(Self.access(6, by: "e-notary"))
        #expect(notices.take().accesses.map(\.request) == ["1", "6"])
        #expect(notices.take().accesses.isEmpty)
    }

    @Test func memoryHasAnEnd() throws {
        let notices = try notices()
        for number in 0..<AccessNotices.mostWaiting + 7 { notices.note(Self.access(number)) }
        let gathered = notices.take()
        #expect(gathered.accesses.count == AccessNotices.mostWaiting && gathered.lost == 7)
        notices.note(Self.access(1))
        notices.putBack(gathered.accesses)
        let again = notices.take()
        #expect(again.accesses.count == AccessNotices.mostWaiting && again.lost == 1)
        #expect(again.accesses.first?.request == "0" && again.accesses.last?.request == "1")
    }

    @Test func bodiesKeepTheLimitsOfAnEvent() throws {
        let many = (0..<450).map { Self.access($0) }
        let bodies = try AccessNotices.bodies(many).map { try JSONValue.parse($0) }
        #expect(bodies.map { $0["accesses"]?.array?.count } == [200, 200, 50])
        #expect(bodies[0]["accesses"]?[0]?["at"]?.string == "2026-09-21T14:13:20.250Z")
        #expect(bodies[0]["accesses"]?[0]?["iin"]?.string == Self.iin)
        let wordy = (0..<200).map { Self.access($0, purpose: String(repeating: "\u{1}", count: 255)) }
        let large = AccessNotices.bodies(wordy)
        #expect(large.count > 1 && large.allSatisfy { $0.utf8.count <= Limits.body })
        #expect(AccessNotices.bodies([]).isEmpty)
    }

    @Test func theFileNamesEventAndWhoAsksForThePersonConcerned() throws {
        let file = try AgentFile(Self.yaml, name: "a.yaml")
        #expect(file.notices?.event == Self.event && file.notices?.without == ["mobile"])
        for (wrong, says) in [
            ("  event: \(Self.event)\n", "`event` is missing"), ("without: [mobile]", "is no system"),
        ] {
            let text = Self.yaml.replacing(wrong, with: wrong.hasPrefix("without") ? "without: [Mobile]" : "")
            let problem = #expect(throws: AgentFileProblem.self) { try AgentFile(text, name: "a.yaml") }
            #expect(problem?.description.contains(says) == true, "\(problem?.description ?? "")")
        }
        let homeless = #expect(throws: AgentFileProblem.self) {
            try AgentFile("agent: a-1\nsystems: [a]\nnotices:\n  event: a.b.v1\n", name: "a.yaml")
        }
        #expect(homeless?.description.contains("no database") == true)
    }

    /// From the answer to the event: many accesses, few events, each access once, and nothing lost at the end of the process.
    @Test func accessesLeaveTogetherAsEvents() async throws {
        let scratch = try Scratch()
        let path = scratch.file("people.sqlite")
        _ = try DatabaseQueue(path: path)
        let broker = try MiniBroker()
        let adapter = try SQLAdapter(
            AgentFile(Self.yaml, name: "a.yaml"), database: path, logger: Logger(label: "test"))
        var providing = AgentTests.configuration(broker, "individuals")
        providing.contracts = try AccessTests.library()
        providing.subjects = [SubjectFile(system: "individuals", key: SubjectKey())]
        let provider = try await Agent.connect(providing) { adapter.attach(to: $0) }
        let consumer = try await Agent.connect(AgentTests.configuration(broker, "portal"))
        let run = Task { await adapter.run(provider) }
        let body = Array(#"{"iin":"\#(Self.iin)"}"#.utf8)
        for _ in 0..<30 { _ = try await consumer.ask(AccessTests.service, body) }
        _ = try? await consumer.ask(AccessTests.service, Array(#"{"iin":"080540000011"}"#.utf8))
        #expect(await comes { !broker.events.withLock { $0.isEmpty } })
        // The agent may be writing.
        var patient = Configuration()
        patient.busyMode = .timeout(5)
        let register = try DatabaseQueue(path: path, configuration: patient)
        let rows = { () throws -> [String] in
            try register.read {
                try String.fetchAll(
                    $0, sql: "SELECT a.value ->> 'request' FROM kerege_notice, json_each(body, '$.accesses') a")
            }
        }
        #expect(await comes { (try? rows()).map { Set($0).count } == 30 })
        #expect(broker.events.withLock { $0.count } <= 2)
        // What comes last is kept for the next start.
        let last = try await consumer.ask(AccessTests.service, body)
        run.cancel()
        await run.value
        await consumer.close()
        await provider.close()
        adapter.close()
        #expect(try rows().contains(last.id))
    }
}
