import BusContracts
import BusDirectory
import BusProtocol
import GRDB
import Logging
import Synchronization
import Testing

@testable import BusAgent

@Suite("The SQL adapter", .timeLimit(.minutes(1)))
struct SQLAdapterTests {
    static let yaml = """
        agent: individuals-1
        systems: [individuals]
        database: people.sqlite
        services:
          - service: individuals.person-get.v1
            sql: SELECT json_object('iin', iin, 'name', name) FROM person WHERE iin = :iin
            answer: one
          - service: individuals.echo.v1
            sql: SELECT json_array(:text, :number, :half, :flag, :list, typeof(:absent))
          - service: individuals.endless.v1
            sql: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n
          - service: individuals.slow.v1
            sql: SELECT json_object('slow', 1)
            delay: 50ms
        subscriptions:
          - event: civil.died.v1
            sql: UPDATE person SET deaths = deaths + 1 WHERE iin = :iin
        publications:
          - event: individuals.moved.v1
            sql: SELECT id, body FROM outbox WHERE kind = 'moved' AND id > :after ORDER BY id LIMIT 100
        heartbeat:
          dataUpdated: SELECT max(updated_at) FROM person
        """

    /// A database, an adapter over it, and agents on both ends.
    struct Stage {
        let scratch: Scratch
        let database: DatabaseQueue
        let broker: MiniBroker
        let adapter: SQLAdapter
        let provider: Agent
        let consumer: Agent

        init(broker: MiniBroker) async throws {
            self.broker = broker
            scratch = try Scratch()
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            database = try DatabaseQueue(path: scratch.file("people.sqlite"), configuration: configuration)
            try await database.write { database in
                try database.execute(
                    sql: """
                        CREATE TABLE person (iin TEXT PRIMARY KEY, name TEXT, deaths INTEGER DEFAULT 0, updated_at INTEGER);
                        CREATE TABLE outbox (id INTEGER PRIMARY KEY, kind TEXT, body TEXT);
                        INSERT INTO person VALUES ('900101300123', 'Абай', 0, 1700000000000);
                        """)
            }
            let file = try AgentFile(SQLAdapterTests.yaml, name: "individuals.yaml")
            let adapter = try SQLAdapter(file, database: scratch.file("people.sqlite"), logger: Logger(label: "test"))
            self.adapter = adapter
            provider = try await Agent.connect(AgentTests.configuration(broker, "individuals")) {
                adapter.attach(to: $0)
            }
            consumer = try await Agent.connect(AgentTests.configuration(broker, "portal"))
        }

        func ask(_ service: String, _ json: String, deadline: Duration = .seconds(5)) async throws(BusFault) -> String {
            String(decoding: try await consumer.ask(service, Array(json.utf8), deadline: deadline).body, as: UTF8.self)
        }

        func end() async {
            await consumer.close()
            await provider.close()
            adapter.close()
        }
    }

    @Test func answersWithTheFirstColumnAndKnowsNothingFound() async throws {
        let stage = try await Stage(broker: MiniBroker())
        #expect(
            try await stage.ask("individuals.person-get.v1", #"{"iin":"900101300123"}"#)
                == #"{"iin":"900101300123","name":"Абай"}"#)
        let missing = await AgentTests.fault { () async throws(BusFault) in
            try await stage.ask("individuals.person-get.v1", #"{"iin":"1"}"#)
        }
        #expect(missing?.isNothingFound == true)
        await stage.end()
    }

    @Test func membersBindByNameAndType() async throws {
        let stage = try await Stage(broker: MiniBroker())
        let answer = try await stage.ask(
            "individuals.echo.v1", #"{"text":"a'b","number":12,"half":0.5,"flag":true,"list":[1,{"x":null}]}"#)
        #expect(answer == #"["a'b",12,0.5,1,"[1,{\"x\":null}]","null"]"#)
        await stage.end()
    }

    @Test func anEndlessStatementIsInterruptedAndOthersGoOnMeanwhile() async throws {
        let stage = try await Stage(broker: MiniBroker())
        async let endless = AgentTests.fault { () async throws(BusFault) in
            try await stage.ask("individuals.endless.v1", "{}", deadline: .milliseconds(400))
        }
        #expect(try await stage.ask("individuals.person-get.v1", #"{"iin":"900101300123"}"#).contains("Абай"))
        let fault = await endless
        #expect(fault != nil)
        // Both reading threads are free again: neither was lost to the endless statement.
        for _ in 0..<4 { _ = try await stage.ask("individuals.person-get.v1", #"{"iin":"900101300123"}"#) }
        await stage.end()
    }

    @Test func aDelayedAnswerComes() async throws {
        let stage = try await Stage(broker: MiniBroker())
        let start = ContinuousClock.now
        #expect(try await stage.ask("individuals.slow.v1", "{}") == #"{"slow":1}"#)
        #expect(ContinuousClock.now - start >= .milliseconds(50))
        await stage.end()
    }

    @Test func anEventTakenTwiceHasOneEffect() async throws {
        let broker = try MiniBroker()
        let stage = try await Stage(broker: broker)
        let id = ScriptedBroker.id(77)
        let body = Array(#"{"iin":"900101300123"}"#.utf8)
        _ = try await stage.consumer.publish("civil.died.v1", body, id: id)
        _ = try await stage.consumer.publish("civil.died.v1", body, id: id)
        _ = try await stage.consumer.publish("civil.died.v1", Array("[]".utf8))
        while broker.settled.withLock({ $0.count }) < 3 { await Task.yield() }
        #expect(broker.settled.withLock { $0.map(\.0) } == [.ack, .ack, .term])
        let deaths = try await stage.database.read { try Int.fetchOne($0, sql: "SELECT deaths FROM person") }
        #expect(deaths == 1)
        await stage.end()
    }

    @Test func theOutboxIsPublishedOnceInOrder() async throws {
        let broker = try MiniBroker()
        let stage = try await Stage(broker: broker)
        try await stage.database.write { database in
            for number in 1...3 {
                try database.execute(
                    sql: "INSERT INTO outbox (kind, body) VALUES ('moved', ?)", arguments: ["{\"n\":\(number)}"])
            }
            // As if the agent had stopped between the first send and its receipt.
            try database.execute(
                sql: "INSERT INTO kerege_sending (event, row, message) VALUES ('individuals.moved.v1', 1, ?)",
                arguments: ["\(ScriptedBroker.id(5))"])
        }
        let run = Task { await stage.adapter.run(stage.provider) }
        while broker.events.withLock({ $0.count }) < 3 { await Task.yield() }
        let ids = try broker.events.withLock { try $0.map { try Header(decoding: $0).id } }
        #expect(ids.first == ScriptedBroker.id(5))
        #expect(Set(ids).count == 3)
        while try await stage.database.read({ try Int.fetchOne($0, sql: "SELECT published FROM kerege_outbox") }) != 3 {
            await Task.yield()
        }
        #expect(try await stage.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM kerege_sending") } == 0)
        run.cancel()
        await run.value
        #expect(broker.events.withLock { $0.count } == 3)
        await stage.end()
    }

    @Test func aStartWaitsForOthersToLeaveTheRegisterAndForNothingElse() throws {
        let busy = DatabaseError(resultCode: .SQLITE_BUSY)
        var tries = 0
        let value = try SQLConnection.patiently {
            tries += 1
            if tries < 3 { throw busy }
            return "open"
        }
        #expect(value == "open" && tries == 3)
        #expect(throws: DatabaseError.self) { try SQLConnection.patiently(for: 0) { throw busy } }
        tries = 0
        #expect(throws: DatabaseError.self) {
            try SQLConnection.patiently {
                tries += 1
                throw DatabaseError(resultCode: .SQLITE_CORRUPT)
            }
        }
        #expect(tries == 1, "what waiting does not mend is told at once")
    }

    @Test func wrongSQLIsToldWithItsPlace() throws {
        let scratch = try Scratch()
        let text =
            "agent: a-1\nsystems: [a]\ndatabase: x.sqlite\nservices:\n  - service: a.b.v1\n    sql: SELECT name FROM nowhere\n"
        let file = try AgentFile(text, name: "a.yaml")
        let problem = #expect(throws: AgentFileProblem.self) {
            try SQLAdapter(file, database: scratch.file("x.sqlite"), logger: Logger(label: "test"))
        }
        #expect(problem?.description.hasPrefix("a.yaml:6:") == true)
        #expect(problem?.description.contains("nowhere") == true, "\(problem?.description ?? "")")
    }
}

@Suite("An agent's file")
struct AgentFileTests {
    @Test func readsEverything() throws {
        let file = try AgentFile(
            SQLAdapterTests.yaml + "\ntraffic:\n  - flow: civil-deaths\n    perSecond: 0.2\n", name: "x.yaml")
        #expect(file.agent == "individuals-1" && file.systems == ["individuals"])
        #expect(file.services.map(\.service).count == 4)
        #expect(file.services.last?.delay?.count == 50)
        #expect(file.publications.map(\.event) == ["individuals.moved.v1"])
        #expect(file.traffic.map(\.perSecond) == [0.2])
        #expect(file.dataUpdated == "SELECT max(updated_at) FROM person")
    }

    @Test(arguments: [
        ("agent: a-1\nsystems: [a]\nservces: []\n", "x.yaml:3:1: error: unknown member `servces`"),
        ("systems: [a]\n", "x.yaml:1:1: error: `agent` is missing"),
        ("agent: a-1\nsystems: [A B]\n", "x.yaml:2:11: error: `A B` is no system"),
        (
            "agent: a-1\nsystems: [a]\ndatabase: x\nservices:\n  - service: a.b\n    sql: SELECT 1\n",
            "x.yaml:5:14: error: `a.b` is no service"
        ),
        (
            "agent: a-1\nsystems: [a]\ndatabase: x\nservices:\n  - service: a.b.v1\n",
            "x.yaml:5:5: error: `sql` is missing"
        ),
        (
            "agent: a-1\nsystems: [a]\ntraffic:\n  - flow: f\n    perSecond: fast\n",
            "x.yaml:5:16: error: `perSecond` is `fast`"
        ),
        (
            "agent: a-1\nsystems: [a]\nservices:\n  - service: a.b.v1\n    sql: SELECT 1\n",
            "x.yaml:1:1: error: SQL stands here, but no database"
        ),
        (
            "agent: a-1\nsystems: [a]\ndatabase: x\ncommands:\n  - service: a.b.v1\n    sql: SELECT 1\n",
            "x.yaml:5:5: error: `outcome` is missing"
        ),
        (
            "agent: a-1\nsystems: [a]\ndatabase: x\ncommands:\n  - service: a.b.v1\n    refused: SELECT 1\n",
            "x.yaml:6:5: error: unknown member `refused` of a command"
        ),
        (
            "agent: a-1\nsystems: [a]\nsends:\n  - service: a.b.v1\n    sql: SELECT 1\n",
            "x.yaml:1:1: error: SQL stands here, but no database"
        ),
        ("agent: a-1\nsystems: &x [a]\n", "x.yaml:2:1: error: an anchor"),
        ("agent: [\n", "x.yaml:"),
        ("", "x.yaml:1:1: error: the file is empty"),
    ])
    func saysWhatIsWrongAndWhere(_ text: String, _ expected: String) {
        let problem = #expect(throws: AgentFileProblem.self) { try AgentFile(text, name: "x.yaml") }
        #expect(problem?.description.contains(expected) == true, "\(problem?.description ?? "")")
        #expect(problem?.description.contains(" — ") == true)
    }
}
