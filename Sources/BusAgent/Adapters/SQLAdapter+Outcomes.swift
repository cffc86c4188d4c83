import BusContracts
import BusProtocol
import GRDB
import Logging

/// Outcomes: of commands this system carried out, on their way out, and of commands it sent, on their way in.
extension SQLAdapter {
    // MARK: - Out

    func sendOutcomes(_ agent: Agent) async {
        for await _ in nudges.listen() {
            await untilDone("outcomes wait", [:]) { try await self.sendNextOutcomes(agent) }
        }
    }

    /// - Returns: whether there may be more.
    private func sendNextOutcomes(_ agent: Agent) async throws -> Bool {
        let ready = try await perform { try OutcomeRecords.next(agent, $0) }
        // They have no order among each other: one that must wait holds up nobody.
        try await withThrowingTaskGroup { group in
            for outcome in ready { group.addTask { try await self.send(outcome, agent) } }
            try await group.waitForAll()
        }
        return !ready.isEmpty
    }

    private func send(_ outcome: OutcomeRecords.Ready, _ agent: Agent) async throws {
        var refused: BusFault?
        Failpoint.beforeOutcome.pass()
        do throws(BusFault) { _ = try await agent.submit(outcome.message) } catch {
            // Sealed since, or forgotten for longer than ids are: a command has one outcome, so a new id has no second effect.
            if error.code == .notSealed || error.code == .idTooOld {
                try await perform { try OutcomeRecords.prepareAnew(outcome, $0) }
            }
            guard Self.endsOutcome(error) else { throw error }
            refused = error
            logger.warning("outcome not wanted", metadata: ["id": "\(outcome.message.id)", "fault": "\(error)"])
        }
        Failpoint.afterOutcome.pass()
        try await perform { [refused] in try OutcomeRecords.sent(outcome, refused: refused, $0) }
    }

    /// The broker knows no such command any more, or has another outcome of it; or these bytes will never be taken.
    private static func endsOutcome(_ fault: BusFault) -> Bool {
        switch fault.code {
        case .noSuchRequest, .idReused, .badHeader, .badIdentifier, .bodyTooLarge: true
        default: false
        }
    }

    // MARK: - In

    func take(_ taking: AgentFile.OutcomeTaking, _ agent: Agent) {
        let contract = agent.configuration.isOpaque ? nil : agent.configuration.contracts?.contract(of: taking.service)
        agent.onOutcomeDeferred(taking.service) { [writing, nudges, logger] outcome, settler in
            let isPut = writing.put { connection in
                let result = Result { try Self.take(outcome, taking, contract, connection) }
                if case .failure(let error) = result {
                    logger.warning(
                        "outcome not taken",
                        metadata: ["command": "\(outcome.command)", "error": "\(Self.words(error))"])
                }
                if case .failure(let fault as BusFault) = result, fault.code == .badSignature {
                    settler.refuse(.badSignature)
                } else {
                    settler.settle(result)
                }
                nudges.nudge()
            }
            if !isPut { settler.settle(.failure(BusFault(.queueFull, at: .consumerAgent))) }
        }
    }

    /// The file sends the service and does nothing with its outcomes: the commands' state is with the broker.
    func passOver(_ service: String, _ agent: Agent) {
        agent.onOutcomeDeferred(service) { _, settler in settler.settle(.success(())) }
    }

    /// The change and the outcome's id are one transaction, so an outcome that comes twice has one effect.
    /// - Throws: 4013 when it was made for another command than the one that was sent under this id.
    private static func take(
        _ outcome: CommandOutcome, _ taking: AgentFile.OutcomeTaking, _ contract: BoundContract?,
        _ connection: SQLConnection
    ) throws {
        if outcome.outcome == 0 { try contract?.checkReply(outcome.body, at: .consumerAgent) }
        let members = (try? JSONValue.parse(outcome.body))?.object ?? []
        try connection.within(ClockReading.monotonic() + ownDeadline) {
            try connection.queue.write { database in
                let sender = outcome.isOfBroker ? DeliveryRecords.broker : Names.system(of: outcome.service)
                guard try DeliveryRecords.remember(outcome.messageID.description, of: sender, in: database) else {
                    return
                }
                let sent = try Outbox.sent(outcome.command, outcome.service, database)
                guard outcome.isMade(for: sent?.digest) else {
                    throw BusFault(
                        .badSignature, at: .broker,
                        "the outcome was made for another command than the one that was sent")
                }
                let parameters = OutcomeParameters.of(outcome.command, code: outcome.outcome, row: sent?.row, members)
                try connection.execute(database, taking.sql, parameters)
                Failpoint.beforeTaken.pass()
            }
        }
        Failpoint.afterTaken.pass()
    }
}

/// What a statement about an outcome finds by name, beside the members of its body.
enum OutcomeParameters {
    /// - Parameters:
    ///   - command: the command's id; nil when it could not even be made.
    ///   - row: the row of the outbox it was sent from; nil when this agent's outbox did not send it.
    static func of(_ command: String?, code: UInt16, row: Int64?, _ members: [JSONMember]) -> [JSONMember] {
        let own: [JSONMember] = [
            JSONMember("command", command.map(JSONValue.string) ?? .null), JSONMember("outcome", JSONValue(code)),
            JSONMember("row", row.map { JSONValue($0) } ?? .null),
            JSONMember("now", JSONValue(ClockReading.current().wall)),
        ]
        return own + members
    }
}
