import BusBroker
import BusEvidence
import BusProtocol

/// A log as its owner shows it: any leaves he likes, signed by the real key.
struct ShownLog {
    var leaves: [Digest32] = []

    var size: UInt64 { UInt64(leaves.count) }
    var head: TreeHead { head(of: size) }
    var receipt: (size: UInt64, root: [UInt8]) { (head.size, head.root.bytes) }

    func head(of size: UInt64) -> TreeHead {
        TreeHead(size: size, root: prover(size).root())
    }

    private func prover(_ size: UInt64) -> LogProver<Never> {
        LogProver(size: size) { [leaves] subtree in
            subtree.root { (index: UInt64) -> Digest32 in leaves[Int(index)] }
        }
    }

    /// What an honest reader of the journal answers.
    func proof(_ question: LogQuestion, header: (UInt64) -> [UInt8]?) -> ProvenLog {
        ProvenLog(question, by: Self.signer(), prover(question.head.size), header: header)
    }

    static func signer(_ name: String = Country.logName, _ key: SigningKey = Country.log) -> NoteSigner {
        guard let signer = NoteSigner(name: name, key: key) else { fatalError("\(name) is no name") }
        return signer
    }

    /// An answer to a PROVE about this log, whole and consistent in itself as far as that goes.
    /// - Parameter positions: where it says that the messages are.
    func answer(_ wish: LogWish, by signer: NoteSigner = signer(), positions: [UInt64] = []) -> LogAnswer {
        let prover = prover(size)
        return LogAnswer(
            token: wish.token, checkpoint: Checkpoint.sign(head, by: signer),
            consistency: wish.heads.map { $0 <= size ? prover.consistency(from: $0).hashBytes : [] },
            rows: zip(wish.messages, positions).map {
                LogAnswer.Row($0.id, at: $1, path: prover.inclusion(of: $1 - 1).hashBytes)
            })
    }

    /// Records that nobody sent: as many as are missing to this size.
    func grown(to size: UInt64, _ filling: UInt8 = 7) -> ShownLog {
        var log = self
        let leaf = [filling].withUnsafeBytes { LogHash.body($0) }
        while log.size < size { log.leaves.append(leaf) }
        return log
    }

    /// Another history of the same length.
    func rewritten(_ index: Int = 0) -> ShownLog {
        var log = self
        if log.leaves.indices.contains(index) { log.leaves[index] = LogHash.empty }
        return log
    }
}
