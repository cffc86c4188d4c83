package import BusContracts

/// A command that was delivered, as a register takes it.
package struct TakenCommand: Sendable {
    package let id: String
    package let service: String
    package let consumer: String
    /// What statements find by name: members of the body, and what the agent adds.
    package let parameters: [JSONMember]
    /// A check that looked at other systems found a reason not to carry it out.
    package let refusal: BusFault?

    package init(
        id: String, service: String, consumer: String, parameters: [JSONMember] = [], refusal: BusFault? = nil
    ) {
        self.id = id
        self.service = service
        self.consumer = consumer
        self.parameters = parameters
        self.refusal = refusal
    }
}

/// What became of a command.
package enum CommandEnd: Sendable {
    case completed([UInt8])
    case refused(BusFault)
}

/// A register as far as a command is concerned: an SQLite file, or a simulator's memory.
package protocol CommandStore {
    associatedtype Transaction: CommandTransaction
    /// Runs steps that take effect together and durably, or not at all.
    /// - Throws: what a step or the commit threw; then nothing has happened.
    func transaction(_ steps: (Transaction) throws -> Void) throws
}

/// The steps of a command inside a transaction.
package protocol CommandTransaction {
    /// Writes the inbox row.
    /// - Returns: false when the command was taken before.
    func remember(_ command: TakenCommand) throws -> Bool
    /// Changes the register, or finds why not.
    /// - Returns: nil when the end is told later.
    func change(for command: TakenCommand) throws -> CommandEnd?
    /// Writes the row of the outcome's outbox.
    func tell(_ end: CommandEnd, of command: TakenCommand) throws
}

/// How an accepted command gets exactly one effect, however often it is delivered.
package enum CarryOut {
    /// begin → inbox, effect, outcome row → commit → ACK. Whatever ends between two of these steps, the command comes again: it
    /// finds nothing of it before the commit, and all of it afterwards.
    package static func run(
        _ command: TakenCommand, in store: some CommandStore, acknowledge: (Result<Void, any Error>) -> Void
    ) {
        let result = Result {
            try store.transaction { transaction in
                guard try transaction.remember(command) else { return }
                guard let end = try transaction.change(for: command) else { return }
                try transaction.tell(end, of: command)
            }
        }
        acknowledge(result)
    }
}
