import Foundation

/// What stands in the header of an SQLite file before any query (https://sqlite.org/fileformat.html, 1.3).
enum FileHeader {
    private static let size = 100
    /// Versions of the format for writing and for reading: 1 rollback journal, 2 write-ahead log.
    private static let versions = 18...19

    /// What is not as SQLite wrote it; `nil` when all is. A damaged version for writing makes a file that SQLite reads and never writes,
    /// and for which it blames the folder's rights.
    static func difference(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard let header = try? file.read(upToCount: size), header.count == size else { return nil }
        let bytes = [UInt8](header)
        guard let wrong = versions.first(where: { !(1...2).contains(bytes[$0]) }) else { return nil }
        return "byte \(wrong) is \(bytes[wrong]), where SQLite writes 1 or 2"
    }
}
