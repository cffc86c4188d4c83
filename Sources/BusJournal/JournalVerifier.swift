package import BusEvidence
import BusProtocol
import Foundation
import GRDB

/// Recomputes a journal from its records: leaves, tree, roots and chain of every batch, the digests of kept bodies and of
/// saved views, the signatures of senders and of spaces; and has SQLite examine its file. Changes nothing in the folder.
///
/// A tail that was cut off whole leaves a journal that is sound in itself. It shows in a view that was folded further, and
/// for certain against a receipt or checkpoint from outside: every WELCOME and ACCEPT is a receipt.
package enum JournalVerifier {
    package struct Finding: Sendable, Codable, Equatable {
        /// 0: no record, but the file as a whole.
        package var position: UInt64
        package var what: String

        package init(position: UInt64, what: String) {
            self.position = position
            self.what = what
        }
    }

    package struct Report: Sendable, Codable {
        package var batches = 0
        package var records = 0
        package var messages = 0
        package var bodies = 0
        /// Bodies of durable messages that are not kept any more. Those that no record says were erased are findings.
        package var bodiesGone = 0
        /// Of these, how many a later record says were erased because their retention had passed.
        package var bodiesErased = 0
        /// Messages whose sender's signature was checked, and those whose sender's key no space in the journal states.
        package var signatures = 0
        package var signaturesUncheckable = 0
        /// Signatures that were verified for them: a sender signs many messages at once, by the root over them.
        package var signedRoots = 0
        /// Spaces that took effect, and those of them that the authority has signed. Nobody looked at that without its key.
        package var spaces = 0
        package var spacesSigned = 0
        package var knowsAuthority = false
        package var treeSize: UInt64 = 0
        package var root = ""
        /// First the earliest; at most `maximumFindings`.
        package var findings: [Finding] = []
        package var times = VerifierTimes()
        package var isSound: Bool { findings.isEmpty }

        package init() {}

        mutating func add(_ what: String, at position: UInt64) { findings.append(Finding(what, at: position)) }
    }

    package static let maximumFindings = 100

    /// What somebody else holds: the log had this many records and this root.
    package struct Receipt: Sendable {
        package var treeSize: UInt64
        package var root: [UInt8]
        package init(treeSize: UInt64, root: [UInt8]) {
            self.treeSize = treeSize
            self.root = root
        }
    }

    /// Whose word the journal is held to.
    package struct Keys: Sendable {
        /// Nil: nobody holds the spaces to their signatures.
        package var authority: VerifyingKey?
        /// The log's; nil: as the space of its time states it.
        package var log: VerifyingKey?
        /// What the broker keeps beside its journal.
        package var signatures: SpaceSignatures

        package init(
            authority: VerifyingKey? = nil, log: VerifyingKey? = nil, signatures: SpaceSignatures = SpaceSignatures()
        ) {
            self.authority = authority
            self.log = log
            self.signatures = signatures
        }
    }

    /// What is carried from batch to batch.
    struct State {
        var log = MerkleLog()
        var chain = LogHash.empty
        var signatures: SignatureAudit
        var spaces: SpaceAudit
        var checkpoint: CheckpointAudit?
        var watch = Stopwatch()
        /// Positions whose body is gone, until a record says that it was erased.
        var gone: Set<UInt64> = []
        fileprivate var receipt: Receipt?
        /// The root at the receipt's size, once the log has reached it.
        fileprivate var rootAtReceipt: [UInt8]?

        mutating func append(_ leaf: Digest32) {
            log.append(leaf)
            if log.size == receipt?.treeSize { rootAtReceipt = log.root.bytes }
            if log.size == checkpoint?.size { checkpoint?.reached(log.root) }
        }
    }

    /// - Parameters:
    ///   - checkpoint: that somebody outside of the broker kept. Its signature is checked here.
    ///   - processors: that verify signatures; everything else is done in the order of the log.
    ///   - progress: called after each batch with the records read so far, and once more before the end is looked at.
    package static func verify(
        folder: String, receipt: Receipt? = nil, checkpoint: KnownCheckpoint? = nil, keys: Keys = Keys(),
        processors: Int = ProcessInfo.processInfo.activeProcessorCount, progress: (Int) -> Void = { _ in }
    ) throws(JournalError) -> Report {
        let reader = try JournalReader(folder: folder)
        var report = Report()
        var state = State(
            signatures: SignatureAudit(processors: processors),
            spaces: SpaceAudit(authority: keys.authority, signatures: keys.signatures),
            checkpoint: checkpoint.map { CheckpointAudit($0, by: keys.log) }, receipt: receipt)
        do throws(JournalError) {
            try checkBatches(reader, &state, &report, progress)
            verifySignatures(&state, &report)
            progress(report.records)
            if report.findings.count < maximumFindings {
                checkGone(state, &report)
                try checkEnd(reader, state, &report)
                try checkFile(reader, &report)
                report.times.reading += state.watch.lap()
            }
        } catch {
            // What can be read is told, and where that ends.
            if error.kind == .locked { throw error }
            verifySignatures(&state, &report)
            report.add(error.detail, at: state.log.size + 1)
        }
        report.findings.removeLast(max(0, report.findings.count - maximumFindings))
        report.signatures = state.signatures.checked
        report.signaturesUncheckable = state.signatures.uncheckable
        report.signedRoots = state.signatures.roots
        report.spaces = state.spaces.seen
        report.spacesSigned = state.spaces.signed
        report.knowsAuthority = keys.authority != nil
        report.treeSize = state.log.size
        report.root = state.log.root.bytes.hex
        try reader.expectUntouched()
        return report
    }

    private static func checkBatches(
        _ reader: JournalReader, _ state: inout State, _ report: inout Report, _ progress: (Int) -> Void
    ) throws(JournalError) {
        // From the smallest number there is: a damaged row may stand at any.
        var next = Int64.min
        while true {
            let from = next
            let rows = try reader.reading { db in
                try Row.fetchAll(
                    db,
                    // Cast and never NULL, because what was damaged or tampered with may be of any type.
                    sql: """
                        SELECT position, coalesce(CAST(count AS INTEGER), -1) AS count,
                            coalesce(CAST(committed AS INTEGER), 0) AS committed,
                            coalesce(CAST(root AS BLOB), x'') AS root, coalesce(CAST(chain AS BLOB), x'') AS chain,
                            coalesce(CAST(edge AS BLOB), x'') AS edge, coalesce(CAST(records AS BLOB), x'') AS records
                        FROM batch WHERE position > ? ORDER BY position LIMIT 64
                        """,
                    arguments: [from])
            }
            report.times.reading += state.watch.lap()
            if rows.isEmpty { return }
            for row in rows {
                let position: Int64 = row["position"]
                // A tree whose pages lead back to themselves would never end.
                guard position > next else { throw JournalError.damaged(at: position, "the batches are out of order") }
                next = position
                try check(row, reader, &state, &report)
                if state.signatures.isFull { verifySignatures(&state, &report) }
                progress(report.records)
                if report.findings.count >= maximumFindings { return }
            }
        }
    }

    /// What is found goes where it would stand had each been verified when its record was read.
    private static func verifySignatures(_ state: inout State, _ report: inout Report) {
        guard !state.signatures.isEmpty else { return }
        var findings: [Finding] = []
        var before = 0
        state.signatures.verify { place, fault in
            findings += report.findings[before..<place.findings]
            before = place.findings
            findings.append(Finding("its signature does not hold: \(fault.code): \(fault)", at: place.position))
        }
        report.findings = findings + report.findings[before...]
        report.times.signing += state.watch.lap()
    }

    /// What the rows outside the batches, the checkpoint and the receipt say about where the log should end.
    private static func checkEnd(_ reader: JournalReader, _ state: State, _ report: inout Report) throws(JournalError) {
        let size = state.log.size
        let (end, stray, views) = try reader.reading { db in
            let end = reader.isLive ? max(size, try Self.end(db)) : size
            return (
                end,
                try Int64.fetchOne(
                    db, sql: "SELECT position FROM body WHERE position > ? OR position < 1 LIMIT 1",
                    arguments: [Int64(clamping: end)]),
                try SavedView.all(db)
            )
        }
        func found(_ what: String, at position: UInt64) {
            report.add(what, at: position)
        }
        if let stray {
            found("journal.sqlite: a body stands at \(stray) without its message", at: UInt64(clamping: stray))
        }
        for view in views {
            if view.bytes == nil {
                found(
                    "the view \(view.name) is not the one that was saved; the broker will fold it anew",
                    at: view.position)
            }
            if view.position > end {
                found(
                    "the log ends at \(size), but the view \(view.name) was folded to \(view.position): its tail is missing",
                    at: size + 1)
            }
        }
        report.findings += state.checkpoint?.findings(in: size) ?? []
        guard let receipt = state.receipt else { return }
        if receipt.treeSize > size {
            found(
                "the log ends at \(size), but the receipt is for \(receipt.treeSize): its tail is missing", at: size + 1
            )
        } else if receipt.treeSize > 0, receipt.root != state.rootAtReceipt {
            found("the log had another root at \(receipt.treeSize) records than the receipt says", at: receipt.treeSize)
        }
    }

    /// Where the log ends now: beside its broker it has grown since its last batch was read here.
    private static func end(_ db: Database) throws -> UInt64 {
        let last = try Int64.fetchOne(
            db, sql: "SELECT position + CAST(count AS INTEGER) - 1 FROM batch ORDER BY position DESC LIMIT 1")
        return UInt64(clamping: last ?? 0)
    }

    /// A body leaves with the record that says so. Without one somebody took it, or the file lost it.
    private static func checkGone(_ state: State, _ report: inout Report) {
        for position in state.gone.sorted().prefix(maximumFindings) {
            report.add("its body is gone, and no record says that it was erased", at: position)
        }
    }

    /// What SQLite itself finds in the file: pages that nobody or two own, indices that miss rows.
    private static func checkFile(_ reader: JournalReader, _ report: inout Report) throws(JournalError) {
        let lines = try reader.reading { try String.fetchAll($0, sql: "PRAGMA integrity_check(10)") }
        for line in lines where line != "ok" {
            report.add("journal.sqlite: SQLite says: \(line)", at: 0)
        }
    }
}

extension JournalVerifier.Finding {
    fileprivate init(_ what: String, at position: UInt64) {
        let isPlaced = position > 0 || what.contains("journal.sqlite")
        self.init(position: position, what: isPlaced ? what : "journal.sqlite: " + what)
    }
}
