import BusEvidence
import BusProtocol
import Dispatch
import Synchronization

/// Holds the stored signatures of messages against the keys that the space of their time states. Messages wait in the order of the log and are
/// verified a chunk at a time, on all processors: what is found is the same, in the same order, on however many.
struct SignatureAudit {
    /// Messages that wait before they are verified. A batch of the journal is never parted, so that a root is seldom verified twice.
    static let chunk = 4096
    /// Shares of a chunk for each processor: none is idle for long while another ends its last.
    private static let sharesPerProcessor = 4

    /// Where a message stands, and how many findings there were before it.
    struct Place {
        let position: UInt64
        let findings: Int
    }

    private struct Claim: Sendable {
        let record: MessageRecord
        let leaf: Digest32
        /// Of `spaces`.
        let space: Int
    }

    private enum Verdict: Sendable {
        /// Nobody had to sign it.
        case unsigned
        case uncheckable
        case holds
        case wrong(ProofFault)

        /// Whether a signature had to be verified to say so.
        var isOfSignature: Bool {
            switch self {
            case .holds, .wrong(.wrongSignature): true
            case .unsigned, .uncheckable, .wrong: false
            }
        }
    }

    private let processors: Int
    /// The spaces of the messages that wait: the last one is in force. `nil`: one that cannot be read.
    private var spaces: [StatedKeys?] = [nil]
    private var claims: [Claim] = []
    private var places: [Place] = []

    /// Signed messages, and those of them whose sender's key no space in the journal states: nobody could check these.
    private(set) var checked = 0
    private(set) var uncheckable = 0
    /// Signatures verified: one for all messages under a root.
    private(set) var roots = 0

    init(processors: Int) { self.processors = max(1, processors) }

    /// A space took effect. One that cannot be read does not come here: the one before goes on.
    mutating func take(_ space: StatedKeys) {
        if isEmpty { spaces.removeAll() }
        spaces.append(space)
    }

    mutating func add(_ record: MessageRecord, leaf: Digest32, signedRoot: [UInt8], at place: Place) {
        // Where nobody has to sign there is nothing to look at.
        if signedRoot.isEmpty, !(spaces.last??.statesSigners ?? false) { return }
        var record = record
        record.signedRoot = signedRoot
        claims.append(Claim(record: record, leaf: leaf, space: spaces.count - 1))
        places.append(place)
    }

    var isFull: Bool { claims.count >= Self.chunk }
    var isEmpty: Bool { claims.isEmpty }

    /// Verifies what waits.
    /// - Parameter found: called in the order of the messages for each that is not its sender's.
    mutating func verify(_ found: (Place, ProofFault) -> Void) {
        let groups = groups()
        let verdicts = verdicts(groups)
        for (place, verdict) in zip(places, verdicts) {
            switch verdict {
            case .unsigned: break
            case .uncheckable: uncheckable += 1
            case .holds: checked += 1
            case .wrong(let fault):
                checked += 1
                found(place, fault)
            }
        }
        roots += groups.count { $0.contains { verdicts[$0].isOfSignature } }
        spaces.removeFirst(spaces.count - 1)
        claims.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }

    /// Claims by their signed root, in the order of their first.
    private func groups() -> [[Int]] {
        var groups: [[Int]] = []
        var groupOfRoot: [[UInt8]: Int] = [:]
        for (index, claim) in claims.enumerated() {
            if let group = groupOfRoot[claim.record.signedRoot] {
                groups[group].append(index)
            } else {
                groupOfRoot[claim.record.signedRoot] = groups.count
                groups.append([index])
            }
        }
        return groups
    }

    private func verdicts(_ groups: [[Int]]) -> [Verdict] {
        let verdicts = Mutex([Verdict](repeating: .uncheckable, count: claims.count))
        let shares = min(groups.count, processors == 1 ? 1 : processors * Self.sharesPerProcessor)
        DispatchQueue.concurrentPerform(iterations: shares) { share in
            // One checker for a share: it verifies each root once, and remembers what it needs of trees.
            var checker = ProofChecker()
            let some = groups[groups.count * share / shares..<groups.count * (share + 1) / shares].joined()
            let said = some.map { ($0, verdict(claims[$0], &checker)) }
            verdicts.withLock { verdicts in
                for (index, verdict) in said { verdicts[index] = verdict }
            }
        }
        return verdicts.withLock { $0 }
    }

    private func verdict(_ claim: Claim, _ checker: inout ProofChecker) -> Verdict {
        let isSigned = !claim.record.signedRoot.isEmpty
        guard let keys = spaces[claim.space], let header = try? Header(decoding: claim.record.header),
            let sender = header.sender
        else { return isSigned ? .uncheckable : .unsigned }
        guard isSigned else {
            // Whoever owns the journal could have taken the proof away, or put the message there.
            return keys.mustSign(sender, at: header.created) && !header.isOfBroker ? .wrong(.rootMissing) : .unsigned
        }
        do throws(ProofFault) {
            _ = try checker.check(leaf: claim.leaf, proof: claim.record.proof, signedRoot: claim.record.signedRoot) {
                keys.agent($0, for: sender)?.sender
            }
            return .holds
        } catch {
            // An agent whose key is not stated yet may sign already; the broker looks at it no more than this.
            switch error {
            case .wrongSignature, .wrongRoot, .wrongPathLength, .outsideValidity: return .wrong(error)
            default: return keys.hasUnstatedKey(of: sender, at: header.created) ? .uncheckable : .wrong(error)
            }
        }
    }
}
