/// A promise broken on purpose, to prove that the simulator would see it.
///
/// Without `-D KEREGE_MUTANTS` none can be active: `isOn` is a constant, and its sites are compiled away.
@usableFromInline
package enum Mutant: String, CaseIterable, Sendable {
    /// ACCEPT is said when a batch is handed to the disk.
    case acceptBeforeCommit = "accept-before-commit"
    /// After a restart the ids of accepted messages are forgotten.
    case ledgerNotRebuilt = "ledger-not-rebuilt"
    /// A message counts as taken when it is delivered.
    case cursorBeforeAck = "cursor-before-ack"
    /// A register's agent acknowledges before its transaction is committed.
    case ackBeforeCommit = "ack-before-commit"
    /// The broker's wall clock follows the host's back.
    case clockRunsBack = "clock-runs-back"
    /// After a reconnect an agent sends what is unanswered under other ids.
    case retryUnderNewID = "retry-under-new-id"
    case creditReturnedTwice = "credit-returned-twice"
    /// While a message is tried again, the next one of its order key goes.
    case orderIgnoredOnRedelivery = "order-ignored-on-redelivery"
    case deadLetterWithoutBody = "dead-letter-without-body"
    /// The broker goes on after a failed sync.
    case syncErrorIgnored = "sync-error-ignored"
    case recoverySkipsLastBatch = "recovery-skips-last-batch"
    /// A command that was given up and then completed can be resent.
    case resendPastLedger = "resend-past-ledger"
    /// Messages of one order key go to several agents at once.
    case keyGivenTwice = "key-given-twice"
    /// A request lives twice as long as its consumer wants.
    case deadlineCountedTwice = "deadline-counted-twice"
    /// DONE, and the answer to a resend, are said when their records are gathered.
    case doneBeforeCommit = "done-before-commit"

    #if KEREGE_MUTANTS
        /// Set once, before anything runs.
        nonisolated(unsafe) package static var active: Mutant?

        package static func isOn(_ mutant: Mutant) -> Bool { active == mutant }
    #else
        @inlinable
        package static func isOn(_ mutant: Mutant) -> Bool { false }
    #endif
}
