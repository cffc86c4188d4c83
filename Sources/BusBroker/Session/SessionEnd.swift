/// Why a session ends. The words stand in the journal and the log.
enum SessionEnd: Sendable {
    case goodbye
    case replaced
    /// Removed, revoked, expired, or no more for one of its systems.
    case keyRemoved
    case overCredit
    case unread
    case silent
    case unreachable

    var words: String {
        switch self {
        case .goodbye: "said goodbye"
        case .replaced: "another instance took its place"
        case .keyRemoved: "its key counts no more"
        case .overCredit: "sent far over its credit"
        case .unread: "does not read"
        case .silent: "missed its heartbeats"
        case .unreachable: "its connection is gone"
        }
    }

    /// Nobody meant it to end: the agent is missed until it comes back.
    var isLoss: Bool {
        switch self {
        case .silent, .unreachable, .overCredit, .unread: true
        case .goodbye, .replaced, .keyRemoved: false
        }
    }
}
