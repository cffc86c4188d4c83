import BusEvidence
import BusJournal
import BusProtocol
import Dispatch

/// Proves the log to agents, on a thread of its own with a reader of its own: the whole journal is read once, at the start and
/// beside everything else, and no delivery waits for that.
final class LogProving: Sendable {
    private let reader: JournalReader
    private let key: SigningKey?
    private let queue = DispatchQueue(label: "log-proving", qos: .utility)
    private let log: LogProofs

    init(folder: String, _ key: SigningKey?, _ log: LogProofs) throws(JournalError) {
        reader = try JournalReader(folder: folder)
        self.key = key
        self.log = log
    }

    /// Reads the journal before anybody asks. What cannot be read is told to who asks.
    func prepare() {
        guard key != nil else { return }
        queue.async { [self] in _ = try? log.current(reader) }
    }

    func prove(_ question: LogQuestion, _ answer: @escaping @Sendable (Result<ProvenLog, Fault>) -> Void) {
        queue.async { [self] in answer(result(question)) }
    }

    private func result(_ question: LogQuestion) -> Result<ProvenLog, Fault> {
        guard let signer = key.flatMap({ NoteSigner(name: question.origin, key: $0) }) else {
            return .failure(Fault(.logUnsigned, at: .broker))
        }
        do throws(JournalError) { return .success(try make(question, signer)) } catch {
            return .failure(Fault(.storageFailed, at: .broker, "\(error)"))
        }
    }

    private func make(_ question: LogQuestion, _ signer: NoteSigner) throws(JournalError) -> ProvenLog {
        let index = try log.current(reader).index
        guard question.head.size <= index.size else {
            throw JournalError.damaged("the journal", "it has \(index.size) of \(question.head.size) records")
        }
        let prover = try index.proofs(
            reader, of: question.sizes.filter { $0 > 0 } + question.positions, in: question.head.size)
        guard try prover.root() == question.head.root else {
            throw JournalError.damaged("the journal", "its records do not lead to the root at \(question.head.size)")
        }
        let messages = try reader.messages(at: question.positions)
        return try ProvenLog(question, by: signer, prover) { position throws(JournalError) in
            messages[position]?.header
        }
    }
}
