import BusContracts
import BusDirectory
import BusProtocol
import GRDB
package import Logging

/// Answers services, carries out commands, takes events and outcomes, and sends the outboxes of a system whose data is an SQLite
/// database.
package final class SQLAdapter: Adapter {
    /// Threads that answer services, each with a connection: one slow query leaves the others free.
    static let readers = 2
    /// Requests and events that may wait for a thread; beyond it the consumer is told 4291.
    static let waitingJobs = 2048
    /// Messages such an agent has the broker deliver at a time: half of what can wait, because outboxes and outcomes wait there as well.
    /// More would be handed back, and each time count as an attempt.
    package static let windowMessages = UInt64(waitingJobs / 2)
    /// Time for an event's statements and other work without a consumer's deadline, microseconds.
    static let ownDeadline: UInt64 = 10_000_000
    /// Between two looks into the outboxes when nothing the agent did gives a reason, and at the data's age.
    static let outboxInterval: Duration = .milliseconds(500)
    static let forgettingInterval: Duration = .seconds(600)
    static let heartbeatInterval: Duration = .seconds(5)

    let file: AgentFile
    let logger: Logger
    private let reading: WorkQueue<SQLConnection>
    let writing: WorkQueue<SQLConnection>
    let checks: [String: CommandCheck]
    let nudges = Nudges()
    let notices: AccessNotices?

    /// Opens the database and prepares every statement once, so that a mistake shows at the start.
    /// - Parameter checks: what commands may name under `before`.
    /// - Throws: what is wrong, with file and line for a statement.
    package init(
        _ file: AgentFile, database path: String, checks: [String: CommandCheck] = [:], logger: Logger
    ) throws {
        self.file = file
        self.checks = checks
        self.logger = logger
        notices = file.notices.map { AccessNotices($0) }
        try Self.check(file, checks)
        writing = try WorkQueue("\(file.agent)-w", threads: 1, limit: Self.waitingJobs) {
            try SQLConnection.patiently {
                let connection = try SQLConnection(path)
                try DeliveryRecords.prepare(connection)
                try Self.check(file, connection)
                return connection
            }
        }
        do {
            reading = try WorkQueue("\(file.agent)-r", threads: Self.readers, limit: Self.waitingJobs) {
                try SQLConnection.patiently { try SQLConnection(path) }
            }
        } catch {
            writing.close()
            throw error
        }
    }

    private static func check(_ file: AgentFile, _ checks: [String: CommandCheck]) throws {
        for command in file.commands {
            guard let name = command.before, checks[name] == nil else { continue }
            let known = checks.keys.sorted().joined(separator: ", ")
            throw AgentFileProblem(findings: [
                Finding(
                    .error, .badValue, at: command.place, what: "there is no check `\(name)`",
                    right: known.isEmpty ? "no `before`" : "one of \(known)")
            ])
        }
    }

    private static func check(_ file: AgentFile, _ connection: SQLConnection) throws {
        for (sql, place) in file.statements {
            do {
                try connection.queue.read { database in
                    let all = try database.allStatements(sql: sql)
                    while try all.next() != nil {}
                }
            } catch let error as DatabaseError where error.resultCode != .SQLITE_BUSY {
                throw AgentFileProblem(findings: [
                    Finding(
                        .error, .badValue, at: place, what: "the SQL cannot be prepared: \(error.message ?? "")",
                        right: "a statement over the tables of this database")
                ])
            }
        }
    }

    /// Others write into the register as well, and they nudge nobody.
    private func lookRegularly() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.outboxInterval)
            nudges.nudge()
        }
    }

    /// What is older than its retention leaves in small portions, so that neither a long life nor a start has much to do at once.
    private func forgetRegularly() async {
        while !Task.isCancelled {
            let hasMore = (try? await perform { try DeliveryRecords.forgetOld($0) }) ?? false
            try? await Task.sleep(for: hasMore ? Self.outboxInterval : Self.forgettingInterval)
        }
    }

    package func close() {
        reading.close()
        keepNotices()
        writing.close()
    }

    package func attach(to agent: Agent) {
        for service in file.services { answer(service, agent) }
        for command in file.commands { carryOut(command, agent) }
        for taking in file.outcomes { take(taking, agent) }
        let taken = Set(file.outcomes.map(\.service))
        for sending in file.sends where !taken.contains(sending.service) { passOver(sending.service, agent) }
        for subscription in file.subscriptions { subscribe(subscription, agent) }
        if let notices { agent.onAccess { notices.note($0) } }
    }

    package func run(_ agent: Agent) async {
        await withTaskGroup { group in
            let publications = file.publications + (notices.map { [$0.publication] } ?? [])
            let outboxes = publications.map { Outbox($0) } + file.sends.map { Outbox($0, file.outcomes) }
            for outbox in outboxes { group.addTask { await self.send(outbox, agent) } }
            if let notices {
                group.addTask { await self.writeNotices(notices) }
                group.addTask { await self.lookAtNotices(notices) }
            }
            if !file.commands.isEmpty { group.addTask { await self.sendOutcomes(agent) } }
            group.addTask { await self.lookRegularly() }
            group.addTask { await self.forgetRegularly() }
            if let sql = file.dataUpdated { group.addTask { await self.beat(sql, agent) } }
        }
    }

    // MARK: - Services

    private func answer(_ service: AgentFile.Service, _ agent: Agent) {
        agent.answerDeferred(service.service) { [reading] inquiry, responder in
            let taken = reading.put { connection in
                let result = Result { try Self.reply(service, inquiry, connection) }
                Self.send(result, responder, after: service.delay)
            }
            if !taken {
                responder.answer(.failure(BusFault(.queueFull, at: .providerAgent, "the register's queue is full")))
            }
        }
    }

    /// A simulated delay holds up neither the worker nor the socket.
    private static func send(_ result: Result<[UInt8], any Error>, _ responder: Responder, after delay: Milliseconds?) {
        guard let delay else { return responder.answer(result) }
        Task {
            try? await Task.sleep(for: delay.duration)
            responder.answer(result)
        }
    }

    private static func reply(
        _ service: AgentFile.Service, _ inquiry: Inquiry, _ connection: SQLConnection
    ) throws -> [UInt8] {
        guard ClockReading.monotonic() < inquiry.deadline else {
            throw BusFault(
                .deadlinePassed, at: .providerAgent, "the request waited for the register until its deadline")
        }
        try inquiry.check()
        let members = try members(of: inquiry.body)
        do {
            let value = try connection.within(inquiry.deadline) { try connection.first(service.sql, members) }
            guard let value, !value.isNull else { throw BusFault.nothingFound() }
            guard let text = String.fromDatabaseValue(value) else {
                throw BusFault.providerFault("the first column of \(service.service) is no text")
            }
            return Array(text.utf8)
        } catch let error as DatabaseError {
            throw BusFault.providerFault(error.withoutArguments)
        }
    }

    static func members(of body: [UInt8]) throws -> [JSONMember] {
        guard let members = try? JSONValue.parse(body).object else {
            throw BusFault(.requestViolatesContract, at: .providerAgent, "a JSON object was expected", pointer: "")
        }
        return members
    }

    /// The first column of the first row of a query of the agent's own, as text.
    package func lookUp(_ sql: String) async throws -> String? {
        try await perform { connection in try connection.first(sql, []).flatMap { String.fromDatabaseValue($0) } }
    }

    // MARK: - Health

    private func beat(_ sql: String, _ agent: Agent) async {
        while !Task.isCancelled {
            let updated = try? await perform { connection in
                try connection.within(ClockReading.monotonic() + Self.ownDeadline) {
                    try connection.first(sql, []).flatMap { Int64.fromDatabaseValue($0) } ?? -1
                }
            }
            agent.report(
                file.systems.map { .init(system: $0, dataUpdatedAt: updated ?? -1, healthy: updated != nil) })
            try? await Task.sleep(for: Self.heartbeatInterval)
        }
    }

    /// Runs work on the writing connection's thread.
    func perform<Value: Sendable>(_ work: @escaping @Sendable (SQLConnection) throws -> Value) async throws -> Value {
        try await withUnsafeThrowingContinuation { continuation in
            let taken = writing.put { connection in continuation.resume(with: Result { try work(connection) }) }
            if !taken { continuation.resume(throwing: BusFault(.queueFull, at: .providerAgent)) }
        }
    }
}
