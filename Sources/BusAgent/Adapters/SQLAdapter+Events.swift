import BusContracts
import BusProtocol
import GRDB
import Logging

/// Events of other systems.
extension SQLAdapter {
    func subscribe(_ subscription: AgentFile.Subscription, _ agent: Agent) {
        let contract =
            agent.configuration.isOpaque ? nil : agent.configuration.contracts?.contract(of: subscription.event)
        let logger = logger
        agent.subscribeDeferred(subscription.event) { [writing, nudges] event, settler in
            let taken = writing.put { connection in
                let result = Result { try Self.take(event, subscription, contract, connection) }
                if case .failure(let error) = result {
                    logger.warning(
                        "event not taken",
                        metadata: ["event": "\(event.event)", "id": "\(event.id)", "error": "\(Self.words(error))"])
                }
                settler.settle(result)
                nudges.nudge()
            }
            if !taken { settler.settle(.failure(BusFault(.queueFull, at: .providerAgent))) }
        }
    }

    static func words(_ error: any Error) -> String {
        switch error {
        case let error as DatabaseError: error.withoutArguments
        case let fault as BusFault: "\(fault)"
        default: "\(type(of: error))"
        }
    }

    /// The change and the event's id are one transaction, so an event that comes twice has one effect.
    private static func take(
        _ event: BusEvent, _ subscription: AgentFile.Subscription, _ contract: BoundContract?,
        _ connection: SQLConnection
    ) throws {
        try contract?.checkEvent(event.body, at: .consumerAgent)
        let members = [JSONMember("now", JSONValue(ClockReading.current().wall))] + (try members(of: event.body))
        try connection.within(ClockReading.monotonic() + ownDeadline) {
            try connection.queue.write { database in
                guard try DeliveryRecords.remember(event.id, of: Names.system(of: event.event), in: database) else {
                    return
                }
                try connection.execute(database, subscription.sql, members)
                Failpoint.beforeTaken.pass()
            }
        }
        Failpoint.afterTaken.pass()
    }
}
