import BusEvidence
package import BusProtocol

/// A message whose bytes are made: sent again, it is the same message. Store it before the first attempt where the attempt may
/// outlive the process.
package struct PreparedMessage: Sendable, Equatable {
    package let kind: MessageKind
    package let id: MessageID
    package let header: [UInt8]
    package let body: [UInt8]
    /// Records of the epoch that it was sealed with: the broker must have them before it.
    package let keys: [KeyMessage]
    /// It was made again for an earlier attempt: the broker may have it.
    package var mayBeKnown = false

    package init(kind: MessageKind, id: MessageID, header: [UInt8], body: [UInt8], keys: [KeyMessage] = []) {
        self.kind = kind
        self.id = id
        self.header = header
        self.body = body
        self.keys = keys
    }

    /// What whoever answers it is bound to.
    var leaf: Digest32 { LogHash.messageLeaf(header: header, body: body) }

    init(_ kind: MessageKind, _ id: MessageID, _ sealed: Sealer.Sealed) {
        self.init(kind: kind, id: id, header: sealed.header, body: sealed.body, keys: sealed.keys)
    }
}

/// A command that reached this agent, to be carried out.
public struct BusCommand: Sendable {
    public let service: String
    public let body: [UInt8]
    package let delivery: Delivery
    let contract: BoundContract?

    /// The same for every delivery of it: one id, one effect.
    public var id: String { messageID.description }
    package var messageID: MessageID { delivery.envelope.header.id }
    /// What its outcome is bound to, 32 bytes. Keep it beside the id where `Agent.conclude` is to tell the outcome later.
    public var digest: [UInt8] { delivery.digest.bytes }
    /// The system that sent it, and will get the outcome.
    public var consumer: String { header?.consumer ?? "" }
    public var purpose: String { header?.purpose ?? "" }
    public var user: String { header?.user ?? "" }
    /// 1 for the first delivery.
    public var attempt: Int { Int(delivery.annotations.attempt) }
    /// Position in the broker's journal: the order in which commands of one key were accepted.
    public var position: UInt64 { delivery.annotations.position }
    package var header: Header? { delivery.header }

    /// Checks the body against the service's contract.
    package func check() throws(BusFault) { try contract?.checkRequest(body, at: .providerAgent) }
}

/// What a handler made of a command.
public enum CommandResult: Sendable {
    /// Carried out; the body of the outcome.
    case completed([UInt8])
    /// Looked at and not carried out, for a reason of the register's own.
    case refused(BusFault)
    /// Taken; the outcome follows by `Agent.conclude`, perhaps much later.
    case taken
}

/// The outcome of a command this agent's system sent.
public struct CommandOutcome: Sendable {
    /// The command's service and id.
    public let service: String
    public let command: String
    public let body: [UInt8]
    package let delivery: Delivery
    /// 0 when it was carried out, else a number of the catalogue.
    public var outcome: UInt16 { delivery.envelope.header.outcome }
    package var commandID: MessageID { delivery.envelope.header.correlation }
    package var messageID: MessageID { delivery.envelope.header.id }

    /// Made by the broker itself, for a command that nobody carried out.
    var isOfBroker: Bool { delivery.header?.isOfBroker ?? false }

    /// Whether it was made for the command with this leaf, as far as it says so and the leaf is known.
    func isMade(for leaf: Digest32?) -> Bool {
        guard let leaf, let digest = delivery.header.flatMap({ RequestDigest.value(in: $0) }) else { return true }
        return digest == leaf.bytes
    }
}

/// A command the broker has durably.
public struct SentCommand: Sendable {
    /// What `Agent.status`, `kerege trace` and the outcome name it by.
    public let id: String
    public let receipt: Receipt
}

/// Where a command stands.
public struct CommandStatus: Sendable {
    public let id: String
    /// accepted, delivering, delivered, completed, failed, expired or dead-lettered.
    public var state: String { row.state.name }
    /// Nothing more will happen by itself.
    public var isFinal: Bool { row.state.isFinal }
    /// 0, or the number of the catalogue that says why it failed, expired or was given up.
    public var code: UInt16 { row.code }
    public var attempts: Int { Int(row.attempts) }
    public var position: UInt64 { row.position }
    /// Body of the outcome; empty while there is none.
    public var outcome: [UInt8] { row.outcome }
    package let row: StateAnswer.Row

    init(_ row: StateAnswer.Row) {
        id = row.command.description
        self.row = row
    }
}

/// Where a subscriber's cursor is moved to.
public enum ReplayStart: Sendable, Equatable {
    /// The oldest event whose body is kept.
    case beginning
    /// A position of the broker's journal.
    case position(UInt64)
    /// Unix milliseconds by the broker's clock.
    case time(Int64)
}
