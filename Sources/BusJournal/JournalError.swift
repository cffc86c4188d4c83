package import BusProtocol
import GRDB

/// Why a journal cannot be opened, read or written: what happened, why, what to do next.
package struct JournalError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Another process holds the folder.
        case locked
        /// The folder or file cannot be written.
        case readOnly
        /// `journal.sqlite` is not a journal of this program.
        case foreignFile
        /// Made by a newer version of this program.
        case newerVersion
        case full
        /// A write or sync failed: what is on the disk is not known any more, so nothing may be written.
        case failed
        case damaged
        case missing

        /// Whether the broker may go on after a write failed like this: only where it is known what is on the disk.
        package var leavesDiskKnown: Bool { self == .full || Mutant.isOn(.syncErrorIgnored) }
    }
    package let kind: Kind
    package let detail: String
    package let remedy: String

    package init(_ kind: Kind, _ detail: String, remedy: String) {
        self.kind = kind
        self.detail = detail
        self.remedy = remedy
    }

    package var description: String { "\(detail) — \(remedy)" }

    /// The fault that senders are told.
    package var fault: Fault { Fault(kind == .full ? .storageFull : .storageFailed, at: .broker, detail) }

    static func damaged(at position: Int64, _ what: String) -> JournalError {
        JournalError(.damaged, "position \(position): \(what)", remedy: Self.afterDamage)
    }

    package static func damaged(_ path: String, _ what: String) -> JournalError {
        JournalError(.damaged, "\(path): \(what)", remedy: Self.afterDamage)
    }

    private static let afterDamage = "kerege journal verify DIR names every place; restore a backup"

    static func of(_ error: any Error, doing what: String) -> JournalError {
        if let error = error as? JournalError { return error }
        guard let error = error as? DatabaseError else {
            return JournalError(.failed, "\(what) failed: \(error)", remedy: "examine the disk and the folder's rights")
        }
        let why = "\(what) failed: SQLite says \(error.resultCode.rawValue) \(error.message ?? "")"
        switch error.resultCode {
        case .SQLITE_FULL:
            return JournalError(.full, why, remedy: "free disk space")
        case .SQLITE_NOTADB:
            return JournalError(
                .foreignFile, why,
                remedy:
                    "this is no SQLite file: choose another data folder with --data, or restore a backup if it was a journal"
            )
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
            return JournalError(
                .readOnly, why, remedy: "make the folder writable for this user, or choose another with --data")
        case .SQLITE_CORRUPT:
            return JournalError(.damaged, why, remedy: Self.afterDamage)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return JournalError(.locked, why, remedy: "stop the other program that has the journal open for writing")
        default:
            return JournalError(.failed, why, remedy: "stop, examine the disk, then kerege journal verify DIR")
        }
    }
}
