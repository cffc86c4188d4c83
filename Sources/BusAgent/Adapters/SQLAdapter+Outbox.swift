import BusProtocol
import Logging

/// What this system sends of its own: events and commands, from rows of its register.
extension SQLAdapter {
    /// Sends the rows of an outbox in their order. A row that cannot leave now holds up those behind it.
    func send(_ outbox: Outbox, _ agent: Agent) async {
        for await _ in nudges.listen() {
            await untilDone("outbox waits", [outbox.kind == .event ? "event" : "service": "\(outbox.name)"]) {
                try await self.sendNext(of: outbox, agent)
            }
        }
    }

    /// - Returns: whether there may be more.
    private func sendNext(of outbox: Outbox, _ agent: Agent) async throws -> Bool {
        // The bytes are made once and for all: with the purpose that the plan states, sealed where they must be.
        _ = try await agent.awaitSpace(within: agent.configuration.defaultDeadline)
        let rows = try await perform { try outbox.next(agent, $0) }
        for row in rows {
            Failpoint.beforeSend.pass()
            let fault = try await send(row, of: outbox, agent)
            Failpoint.afterAccept.pass()
            try await perform { try outbox.settle(row, fault, $0) }
            guard let fault else { continue }
            logger.error(
                "row given up",
                metadata: ["target": "\(outbox.name)", "row": "\(row.id)", "fault": "\(fault)"])
            nudges.nudge()
        }
        return !rows.isEmpty
    }

    /// - Returns: why the row can never be sent; nil when the broker has it.
    /// - Throws: why it cannot be sent now.
    private func send(_ row: Outbox.Row, of outbox: Outbox, _ agent: Agent) async throws -> BusFault? {
        do throws(BusFault) {
            _ = try await agent.submit(row.message.get())
            return nil
        } catch {
            if error.code == .notSealed {
                try await perform { try outbox.prepareAnew(row, $0) }
                throw error
            }
            guard outbox.isFinal(error) else { throw error }
            return error
        }
    }

    /// Repeats a step as long as there is more to do; waits as long as a fault says, and goes on.
    func untilDone(_ words: Logger.Message, _ metadata: Logger.Metadata, _ step: () async throws -> Bool) async {
        while !Task.isCancelled {
            do {
                guard try await step() else { return }
            } catch {
                if Task.isCancelled { return }
                let reason = ["fault": "\(Self.words(error))"] as Logger.Metadata
                logger.warning(words, metadata: metadata.merging(reason) { first, _ in first })
                let named = (error as? BusFault).map { Duration.milliseconds($0.retryAfterMilliseconds) } ?? .zero
                try? await Task.sleep(for: max(named, Self.outboxInterval))
            }
        }
    }
}
