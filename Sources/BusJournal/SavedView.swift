import BusEvidence
import Foundation
import GRDB

/// A saved view with the hash that it was saved with: no batch covers it, and a flipped digit in it would otherwise be
/// believed at the next start.
struct SavedView {
    var name: String
    var position: UInt64
    /// `nil` when they are not those that were saved.
    var bytes: [UInt8]?

    /// The row's bytes: the hash, then the view.
    static func seal(_ name: String, position: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        hash(name, position, bytes[...]).bytes + bytes
    }

    static func all(_ db: Database) throws -> [SavedView] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT coalesce(CAST(name AS TEXT), '') AS name, coalesce(CAST(position AS INTEGER), -1) AS position,
                    coalesce(CAST(body AS BLOB), x'') AS body
                FROM view ORDER BY rowid
                """
        ).map { row in
            let name: String = (row["name"] as String?) ?? ""
            let position: Int64 = row["position"]
            let body = [UInt8](row["body"] as Data)
            let bytes = body.dropFirst(32)
            let fits =
                position >= 0 && body.prefix(32).elementsEqual(hash(name, UInt64(clamping: position), bytes).bytes)
            return SavedView(name: name, position: UInt64(clamping: position), bytes: fits ? Array(bytes) : nil)
        }
    }

    private static func hash(_ name: String, _ position: UInt64, _ bytes: ArraySlice<UInt8>) -> Digest32 {
        LogHash.view(name, position: position, bytes)
    }
}
