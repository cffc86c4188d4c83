#if KEREGE_FAILPOINTS
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #else
        import Darwin
    #endif
    import Synchronization
#endif

/// Places at which a test lets the process die as by `kill -9`: `KEREGE_FAILPOINT=after-commit:37` is the 37th passage of that place.
///
/// Only debug builds, and those with `KEREGE_MUTANTS=1`, can die; in every other the places are compiled away.
@usableFromInline
package enum Failpoint: String, CaseIterable, Sendable {
    // The broker's journal.
    case beforeBegin = "before-begin"
    case beforeCommit = "before-commit"
    case afterCommit = "after-commit"
    case beforeCheckpoint = "before-checkpoint"
    case afterCheckpoint = "after-checkpoint"
    case beforeView = "before-view"
    case afterView = "after-view"
    // An agent's outbox.
    /// A row's bytes are stored, and not sent.
    case beforeSend = "before-send"
    /// The broker has a row, and that is not noted.
    case afterAccept = "after-accept"
    // An agent's inbox.
    case beforeEffect = "before-effect"
    case beforeEffectCommit = "before-effect-commit"
    /// The effect is durable, and not acknowledged.
    case afterEffect = "after-effect"
    case afterAck = "after-ack"
    /// An outcome's bytes are stored, and not sent.
    case beforeOutcome = "before-outcome"
    /// The broker has an outcome, and that is not noted.
    case afterOutcome = "after-outcome"
    /// An event or an outcome is being taken: its change is made, and not durable.
    case beforeTaken = "before-taken"
    /// It is durable, and not acknowledged.
    case afterTaken = "after-taken"

    package static let ofJournal: [Failpoint] = [
        .beforeBegin, .beforeCommit, .afterCommit, .beforeCheckpoint, .afterCheckpoint, .beforeView, .afterView,
    ]
    package static let ofSender: [Failpoint] = [.beforeSend, .afterAccept, .beforeTaken, .afterTaken]
    package static let ofProvider: [Failpoint] = [
        .beforeEffect, .beforeEffectCommit, .afterEffect, .afterAck, .beforeOutcome, .afterOutcome,
    ]

    /// The variable that arms one in a process.
    package static let variable = "KEREGE_FAILPOINT"

    #if KEREGE_FAILPOINTS
        package static let areCompiledIn = true

        private static let armed: (point: String, count: Int)? = {
            guard let value = getenv(variable) else { return nil }
            let parts = String(cString: value).split(separator: ":")
            guard parts.count == 2, let count = Int(parts[1]) else { return nil }
            return (String(parts[0]), count)
        }()
        private static let passages = Atomic(0)

        package func pass() {
            guard let armed = Self.armed, armed.point == rawValue else { return }
            if Self.passages.wrappingAdd(1, ordering: .relaxed).newValue == armed.count { kill(getpid(), SIGKILL) }
        }
    #else
        package static let areCompiledIn = false

        @inlinable package func pass() {}
    #endif
}
