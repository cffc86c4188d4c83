import BusContracts
import BusProtocol
import GRDB
import Logging

/// Commands of other systems.
extension SQLAdapter {
    func carryOut(_ command: AgentFile.Command, _ agent: Agent) {
        let contract = agent.configuration.isOpaque ? nil : agent.configuration.contracts?.contract(of: command.service)
        let desk = CommandDesk(
            command: command, contract: contract, check: command.before.flatMap { checks[$0] }, writing: writing,
            nudges: nudges, logger: logger)
        agent.performDeferred(command.service) { [weak agent] delivered, settler in
            desk.take(delivered, settler, agent)
        }
    }
}

/// Where the commands to one service arrive.
private struct CommandDesk: Sendable {
    let command: AgentFile.Command
    let contract: BoundContract?
    let check: CommandCheck?
    let writing: WorkQueue<SQLConnection>
    let nudges: Nudges
    let logger: Logger

    func take(_ delivered: BusCommand, _ settler: Settler, _ agent: Agent?) {
        do {
            try delivered.check()
            let taken = TakenCommand(delivered, members: try SQLAdapter.members(of: delivered.body))
            guard let check else { return put(taken, settler) }
            // Asking takes time, which is neither the socket's nor the register's.
            Task { await look(check, taken, delivered, settler, agent) }
        } catch { settle(.failure(error), delivered.id, settler) }
    }

    private func look(
        _ check: CommandCheck, _ taken: TakenCommand, _ delivered: BusCommand, _ settler: Settler, _ agent: Agent?
    ) async {
        do {
            guard let agent else { throw BusFault(.draining, at: .providerAgent) }
            // What was carried out before needs no second look, whose result might be another one by now.
            if try await isTaken(taken) { return settle(.success(()), taken.id, settler) }
            let question = CommandCheck.Question(
                id: taken.id, consumer: taken.consumer, attempt: delivered.attempt,
                body: .object(try SQLAdapter.members(of: delivered.body)), now: ClockReading.current().wall)
            let verdict = try await check.run(question) { service, body in try await agent.ask(service, body).body }
            put(taken.after(verdict), settler)
        } catch { settle(.failure(error), taken.id, settler) }
    }

    private func isTaken(_ taken: TakenCommand) async throws -> Bool {
        try await withUnsafeThrowingContinuation { continuation in
            let isPut = writing.put { connection in
                continuation.resume(with: Result { try DeliveryRecords.isTaken(taken, connection) })
            }
            if !isPut { continuation.resume(throwing: BusFault(.queueFull, at: .providerAgent)) }
        }
    }

    private func put(_ taken: TakenCommand, _ settler: Settler) {
        let isPut = writing.put { connection in
            let store = SQLCommandStore(command: command, contract: contract, connection: connection)
            CarryOut.run(taken, in: store) { settle($0, taken.id, settler) }
            nudges.nudge()
        }
        if !isPut { settler.settle(.failure(BusFault(.queueFull, at: .providerAgent))) }
    }

    private func settle(_ result: Result<Void, any Error>, _ id: String, _ settler: Settler) {
        guard case .failure(let error) = result else { return settler.settle(result) }
        logger.warning(
            "command not carried out",
            metadata: ["service": "\(command.service)", "id": "\(id)", "error": "\(SQLAdapter.words(error))"])
        switch (error as? BusFault)?.code {
        // Neither gets better by itself: the broker tells the sender at once.
        case .idReused?: settler.refuse(.idReused)
        case .answerViolatesContract?: settler.refuse(.answerViolatesContract)
        default: settler.settle(result)
        }
    }
}

extension TakenCommand {
    /// The agent's own parameters come first: no member of a body can stand in their place.
    fileprivate init(_ delivered: BusCommand, members: [JSONMember]) {
        let own: [JSONMember] = [
            JSONMember("command", .string(delivered.id)), JSONMember("consumer", .string(delivered.consumer)),
            JSONMember("now", JSONValue(ClockReading.current().wall)),
        ]
        self.init(
            id: delivered.id, service: delivered.service, consumer: delivered.consumer,
            digest: delivered.delivery.digest, parameters: own + members)
    }

    fileprivate func after(_ verdict: CommandCheck.Verdict) -> TakenCommand {
        switch verdict {
        case .proceed(let members):
            TakenCommand(
                id: id, service: service, consumer: consumer, digest: digest, parameters: parameters + members)
        case .refuse(let reason):
            TakenCommand(
                id: id, service: service, consumer: consumer, digest: digest, parameters: parameters,
                refusal: BusFault(.commandRefused, at: .providerSystem, reason))
        }
    }
}

/// A register that is an SQLite file.
private struct SQLCommandStore: CommandStore {
    let command: AgentFile.Command
    let contract: BoundContract?
    let connection: SQLConnection

    func lend(_ work: (SQLCommandTransaction) throws -> Void) throws {
        try connection.within(ClockReading.monotonic() + SQLAdapter.ownDeadline) {
            try connection.queue.writeWithoutTransaction { database in
                try work(
                    SQLCommandTransaction(
                        command: command, contract: contract, connection: connection, database: database))
            }
        }
    }
}

private struct SQLCommandTransaction: CommandTransaction {
    let command: AgentFile.Command
    let contract: BoundContract?
    let connection: SQLConnection
    let database: Database

    func begin() throws { try database.beginTransaction(.immediate) }
    func commit() throws { try database.commit() }
    func rollback() { if database.isInsideTransaction { try? database.rollback() } }

    func remember(_ taken: TakenCommand) throws -> Bool { try DeliveryRecords.remember(taken, in: database) }

    func change(for taken: TakenCommand) throws -> CommandEnd? {
        if let refusal = try taken.refusal ?? refusal(of: taken) { return .refused(refusal) }
        try connection.execute(database, command.sql.sql, taken.parameters)
        guard let outcome = command.outcome else { return nil }
        guard let text = try connection.firstRow(database, outcome.sql, taken.parameters)?[0] as String? else {
            throw BusFault.providerFault("\(outcome.place): the statement of the outcome gave nothing")
        }
        let body = Array(text.utf8)
        // A wrong outcome must not stand beside a change that was made: both go.
        try contract?.checkReply(body, at: .providerAgent)
        return .completed(body)
    }

    private func refusal(of taken: TakenCommand) throws -> BusFault? {
        guard let refuse = command.refuse,
            let row = try connection.firstRow(database, refuse.sql, taken.parameters)
        else { return nil }
        guard row.count >= 2, let number = row[0] as Int?,
            let code = UInt16(exactly: number).flatMap({ FaultCode(rawValue: $0) })
        else {
            throw BusFault.providerFault("\(refuse.place): the first column is no number of the catalogue")
        }
        return BusFault(code, at: .providerSystem, row[1] as String? ?? "")
    }

    func tell(_ end: CommandEnd, of taken: TakenCommand) throws {
        switch end {
        case .completed(let body):
            try OutcomeRecords.tell(taken.id, code: 0, String(decoding: body, as: UTF8.self), in: database)
        case .refused(let fault):
            try OutcomeRecords.tell(taken.id, code: fault.number, fault.detail, in: database)
        }
    }
}
