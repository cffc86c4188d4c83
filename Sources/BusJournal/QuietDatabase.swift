import BusProtocol
import Foundation
import GRDB
import GRDBSQLite

/// Opens a journal that no broker holds without changing anything in its folder.
///
/// A plain read-only connection makes `-wal` and `-shm` files where there are none, and leaves them. Here the index of the WAL
/// lives in this process's memory (exclusive mode, no locks), and the WAL outlives the connection.
enum QuietDatabase {
    /// Bytes of a WAL's head; one that is not longer has no frame.
    private static let walHead = 32

    static func open(_ path: String) throws -> DatabaseQueue {
        let hasFrames = FileState(path + "-wal").size > walHead
        var configuration = Configuration()
        configuration.readonly = true
        configuration.prepareDatabase { db in
            if hasFrames {
                try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
                // The connection would remove a WAL in which it finds nothing to copy into the database.
                var keep: Int32 = 1
                let code = sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &keep)
                guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
            }
            try db.execute(sql: reading)
        }
        let name = try uri(path) + (hasFrames ? "?mode=ro&vfs=unix-none" : "?immutable=1")
        return try DatabaseQueue(path: name, configuration: configuration)
    }

    /// What every reading connection is set to. Pages are looked over as they come from the disk.
    static let reading = "PRAGMA query_only = 1; PRAGMA cache_size = -1000; PRAGMA cell_size_check = 1;"

    /// Bytes that mean something in a URI are written as numbers.
    private static func uri(_ path: String) throws -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.~".utf8)
        let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        return absolute.utf8.reduce(into: "file:") { uri, byte in
            uri += plain.contains(byte) ? String(UnicodeScalar(byte)) : "%" + [byte].hex
        }
    }
}

/// What shows whether somebody wrote to a file.
struct FileState: Equatable {
    var size = -1
    var seconds = 0
    var nanoseconds = 0
    var inode: UInt64 = 0

    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
        inode = UInt64(status.st_ino)
    }
}
