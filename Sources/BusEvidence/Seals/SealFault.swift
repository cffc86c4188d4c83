/// Why something cannot be sealed or opened. Nothing here says anything of contents or of keys.
package enum SealFault: Error, Equatable, Sendable, CustomStringConvertible {
    // A message.
    case notSealed
    case unknownSuite(UInt8)
    case malformedHeader
    case fieldsMissing
    case unknownEpoch(UInt64)
    case wrongEpoch(UInt64)
    case tooShort(Int)
    case counterReused(UInt64)
    case notAuthentic
    // An epoch record or a wrapped key.
    case malformedRecord
    case unknownRecipient(KeyID)
    case wrongKey
    case wrongEpochID
    // Sealing.
    case epochSpent
    case bodyTooLarge(Int)
    case malformedKey
    case noValidKey(String)
    case noSpace

    /// Stable word for programs; `docs/EVIDENCE.md` lists them.
    package var code: String {
        switch self {
        case .notSealed: "not-sealed"
        case .unknownSuite: "unknown-suite"
        case .malformedHeader: "malformed-header"
        case .fieldsMissing: "no-epoch-in-header"
        case .unknownEpoch: "unknown-epoch"
        case .wrongEpoch: "wrong-epoch"
        case .tooShort: "too-short"
        case .counterReused: "counter-reused"
        case .notAuthentic: "not-authentic"
        case .malformedRecord: "malformed-record"
        case .unknownRecipient: "unknown-recipient"
        case .wrongKey: "wrong-key"
        case .wrongEpochID: "wrong-epoch-id"
        case .epochSpent: "epoch-spent"
        case .bodyTooLarge: "body-too-large"
        case .malformedKey: "malformed-key"
        case .noValidKey: "no-valid-key"
        case .noSpace: "no-space"
        }
    }

    package var description: String {
        switch self {
        case .notSealed: "the message is not sealed; its sender must seal for this system"
        case .unknownSuite(let suite): "it is sealed with suite \(suite), 1 is known here; update this program"
        case .malformedHeader: "the header cannot be read; its sender must make it as Schemas/wire.md says"
        case .fieldsMissing: "the header is of a sealed message and lacks epoch or counter; its sender must set both"
        case .unknownEpoch(let epoch): "nothing is known of epoch \(epoch); wait for its record, or ask for it"
        case .wrongEpoch(let epoch):
            "epoch \(epoch) is not for this kind of message or this event; its sender must use another"
        case .tooShort(let size): "a sealed body of \(size) bytes has no room for its tag; it was cut"
        case .counterReused(let counter):
            "counter \(counter) came before with another message; its sender's state was copied, start it anew"
        case .notAuthentic: "header or body is not what was sealed; it was changed on its way"
        case .malformedRecord: "the record of the epoch or wrapped key cannot be read; its sender must make it anew"
        case .unknownRecipient(let id):
            "it is for the key \(id), which is not here; compare with the system's key files"
        case .wrongKey: "it cannot be opened with the key it names; it was made for another, or changed"
        case .wrongEpochID: "the epoch's id is not the one of its contents; it was changed"
        case .epochSpent: "the epoch has sealed all it may; begin a new one"
        case .bodyTooLarge(let size):
            "a body of \(size) bytes does not fit a message when it is sealed; send it in chunks"
        case .noValidKey(let system):
            "no seal key of \(system) is valid today, and what is for it must be sealed; put a new one into the space"
        case .noSpace: "this agent has no space yet, and sends nothing before it knows what must be sealed"
        case .malformedKey: "these bytes are no key of a system; make one with `kerege keys new`"
        }
    }
}
