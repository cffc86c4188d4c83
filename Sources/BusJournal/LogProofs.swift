package import BusEvidence
import Synchronization

/// The index of the log that proofs are made from; kept between answers and for all who prove, so that the whole journal is read only
/// once.
package final class LogProofs: Sendable {
    private let index = Mutex(LogIndex())

    package init() {}

    /// The index and the log's head, as of the newest batch.
    package func current(_ reader: JournalReader) throws(JournalError) -> (index: LogIndex, head: TreeHead) {
        try index.withLock { index throws(JournalError) in
            let head = try index.extend(reader)
            return (index, head)
        }
    }
}
