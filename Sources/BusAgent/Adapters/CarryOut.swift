package import BusContracts
package import BusEvidence
import BusProtocol

/// A command that was delivered, as a register takes it.
package struct TakenCommand: Sendable {
    package let id: String
    package let service: String
    package let consumer: String
    /// What statements find by name: members of the body, and what the agent adds.
    package let parameters: [JSONMember]
    /// A check that looked at other systems found a reason not to carry it out.
    package let refusal: BusFault?
    /// What its outcome is bound to.
    package let digest: Digest32?

    package init(
        id: String, service: String, consumer: String, digest: Digest32? = nil, parameters: [JSONMember] = [],
        refusal: BusFault? = nil
    ) {
        self.id = id
        self.service = service
        self.consumer = consumer
        self.parameters = parameters
        self.refusal = refusal
        self.digest = digest
    }
}

/// What became of a command.
package enum CommandEnd: Sendable {
    case completed([UInt8])
    case refused(BusFault)
}

/// A register as far as a command is concerned.
package protocol CommandStore {
    associatedtype Transaction: CommandTransaction
    /// Lends the register to one command, without a transaction yet.
    func lend(_ work: (Transaction) throws -> Void) throws
}

/// One transaction of a register, and what a command does in it.
package protocol CommandTransaction {
    func begin() throws
    /// Writes the inbox row.
    /// - Returns: false when the command was taken before.
    func remember(_ command: TakenCommand) throws -> Bool
    /// Changes the register, or finds why not.
    /// - Returns: nil when the end is told later.
    func change(for command: TakenCommand) throws -> CommandEnd?
    /// Writes the row of the outcome's outbox.
    func tell(_ end: CommandEnd, of command: TakenCommand) throws
    func commit() throws
    func rollback()
}

/// How an accepted command gets exactly one effect, however often it is delivered: the steps of `EffectWalk`, one after the other.
/// Whatever ends between two of them, the command comes again: it finds nothing of it before the commit, and all of it
/// afterwards.
package enum CarryOut {
    package static func run(
        _ command: TakenCommand, in store: some CommandStore, acknowledge: @escaping (Result<Void, any Error>) -> Void
    ) {
        do {
            try store.lend { transaction in
                let work = CommandWork(command, transaction) { acknowledge(.success(())) }
                var walk = EffectWalk()
                while walk.next != nil { try walk.step(on: work) }
            }
        } catch { acknowledge(.failure(error)) }
    }
}

/// A command as the steps see it.
private final class CommandWork<Transaction: CommandTransaction>: EffectStore {
    private let command: TakenCommand
    private let transaction: Transaction
    private let acknowledge: () -> Void
    private var end: CommandEnd?

    init(_ command: TakenCommand, _ transaction: Transaction, acknowledge: @escaping () -> Void) {
        self.command = command
        self.transaction = transaction
        self.acknowledge = acknowledge
    }

    func begin() throws {
        Failpoint.beforeEffect.pass()
        try transaction.begin()
    }
    func remember() throws -> Bool { try transaction.remember(command) }
    func effect() throws { end = try transaction.change(for: command) }
    func answer() throws { if let end { try transaction.tell(end, of: command) } }
    func commit() throws {
        Failpoint.beforeEffectCommit.pass()
        try transaction.commit()
        Failpoint.afterEffect.pass()
    }
    func rollback() { transaction.rollback() }
    func settle() {
        acknowledge()
        Failpoint.afterAck.pass()
    }
}
