package import BusEvidence
import BusProtocol
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// The durable journal: the truth of a broker. Every other table is a view that can be rebuilt from it.
///
/// One row a batch in `journal.sqlite` (SQLite, WAL, synchronous=FULL). A batch that `commit` returned for is on the disk.
/// Only this connection writes and checkpoints, between batches: SQLite before 3.51.3 can lose a WAL reset to a race with
/// a second connection's commit or checkpoint. Every other connection is query-only.
package final class Journal: Sendable {
    /// "KRGE": marks the file as ours in SQLite's header.
    static let applicationID: Int32 = 0x4b52_4745
    static let schemaVersion = 1
    /// Pages in the WAL after which the next pause between batches checkpoints. 1,000 pages stall about 5 ms.
    static let checkpointPages = 1000
    /// The WAL is written once to this size at start: syncing blocks already allocated costs a third less.
    static let prefillBytes = 6 * 1024 * 1024

    private struct State {
        var log: MerkleLog
        var chain: Digest32
        var pagesSinceCheckpoint = 0
        var failure: JournalError?
        var isClosed = false
    }

    package let folder: String
    private let lock: FolderLock
    private let database: DatabaseQueue
    private let state: Mutex<State>

    /// Opens or makes the journal in `folder`, alone.
    /// - Throws: also when what it would go on from, its last batch and its tables, is not what was written.
    package convenience init(folder: String) throws(JournalError) {
        try self.init(folder: folder, prefilling: Self.prefillBytes)
    }

    init(folder: String, prefilling bytes: Int) throws(JournalError) {
        self.folder = folder
        try Self.makeFolder(folder)
        lock = try FolderLock(folder: folder)
        let path = Self.path(in: folder)
        do {
            try Self.refuseForeignFile(path)
            Self.closeToOthers(path)
            database = try DatabaseQueue(path: path, configuration: Self.configuration())
            try Self.prepare(database)
            let (log, chain) = try Self.resume(database)
            state = Mutex(State(log: log, chain: chain))
            try Self.prefill(database, path: path, to: bytes)
        } catch {
            throw JournalError.of(error, doing: "opening the journal \(path)")
        }
    }

    private static let closed = JournalError(.failed, "the journal has been closed", remedy: "open it again")

    package static func path(in folder: String) -> String { folder + "/journal.sqlite" }

    package var position: UInt64 { state.withLock { $0.log.size } }
    package var head: (treeSize: UInt64, root: Digest32) { state.withLock { ($0.log.size, $0.log.root) } }

    /// Makes a batch durable. Throws without effect; after a failed write or sync every later call throws the same, because
    /// what is on the disk is then not known (the kernel marks failed pages clean).
    package func commit(_ batch: JournalBatch, at microseconds: Int64) throws(JournalError) -> Committed {
        let result: Result<Committed, JournalError> = state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            var log = state.log
            let first = log.size + 1
            let encoded = EncodedBatch(batch, appendingTo: &log)
            let root = log.root
            let chain = encoded.blob.withUnsafeBytes { LogHash.chain(state.chain, committedAt: microseconds, $0) }
            do {
                Failpoint.beforeBegin.pass()
                try insert(encoded, first: first, count: batch.count, at: microseconds, root, chain, log)
            } catch {
                let error = JournalError.of(error, doing: "writing a batch")
                if !error.kind.leavesDiskKnown { state.failure = error }
                return .failure(error)
            }
            Failpoint.afterCommit.pass()
            state.log = log
            state.chain = chain
            state.pagesSinceCheckpoint +=
                2 + encoded.blob.count / 4000 + encoded.bodies.reduce(0) { $0 + 1 + $1.bytes.count / 4000 }
            return .success(Committed(firstPosition: first, treeSize: log.size, root: root))
        }
        return try result.get()
    }

    package var isCheckpointDue: Bool { state.withLock { $0.pagesSinceCheckpoint >= Self.checkpointPages } }

    /// Call between batches, when nobody waits: copies the WAL into the database once it is long enough.
    package func checkpointIfDue() {
        state.withLock { state in
            guard state.pagesSinceCheckpoint >= Self.checkpointPages, state.failure == nil else { return }
            // A failed checkpoint loses nothing: the WAL keeps everything and the next one tries again.
            Failpoint.beforeCheckpoint.pass()
            _ = try? database.writeWithoutTransaction { try $0.checkpoint(.passive) }
            Failpoint.afterCheckpoint.pass()
            state.pagesSinceCheckpoint = 0
        }
    }

    /// Saves a view together with the position it has been folded to.
    package func saveView(_ name: String, position: UInt64, _ bytes: [UInt8]) throws(JournalError) {
        if state.withLock({ $0.isClosed }) { throw Self.closed }
        do {
            Failpoint.beforeView.pass()
            defer { Failpoint.afterView.pass() }
            try database.write { db in
                try db.execute(
                    sql: "INSERT OR REPLACE INTO view (name, position, body) VALUES (?, ?, ?)",
                    arguments: [name, Int64(position), Data(SavedView.seal(name, position: position, bytes))])
            }
        } catch { throw JournalError.of(error, doing: "saving the view \(name)") }
    }

    /// Bounds the database's size, so that a test can fill it up. Bytes = pages × 4096.
    func limitPages(to pages: Int) throws {
        try database.writeWithoutTransaction { _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(pages)") }
    }

    /// Closes in good order: the WAL is copied into the database and emptied, and the folder is free for another. The emptied file is
    /// removed as well, unless somebody reads beside: a broker's own readers leave it.
    /// Twice does no harm; every later call throws.
    package func close() {
        let wasClosed = state.withLock { state in
            defer {
                state.isClosed = true
                state.failure = state.failure ?? Self.closed
            }
            return state.isClosed
        }
        if wasClosed { return }
        try? database.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try? database.close()
        lock.release()
    }

    /// Copies the WAL into the database now, as a long WAL would be.
    func copyIntoDatabase() throws { try database.writeWithoutTransaction { _ = try $0.checkpoint(.passive) } }

    // MARK: - Steps

    private func insert(
        _ encoded: EncodedBatch, first: UInt64, count: Int, at microseconds: Int64, _ root: Digest32, _ chain: Digest32,
        _ log: MerkleLog
    ) throws {
        // A batch of one row is a transaction by itself: it locks, syncs and is undone like any other, and two statements are saved.
        if encoded.bodies.isEmpty, encoded.erased.isEmpty {
            return try database.writeWithoutTransaction { db in
                // Nothing of it is written before its statement ends, which is its commit.
                Failpoint.beforeCommit.pass()
                try Self.insertRow(db, first, count, microseconds, root, chain, log, encoded.blob)
            }
        }
        try database.writeWithoutTransaction { db in
            try db.inTransaction(.immediate) {
                try Self.insertRow(db, first, count, microseconds, root, chain, log, encoded.blob)
                if !encoded.bodies.isEmpty { try Self.insert(encoded.bodies, first: first, db) }
                for position in encoded.erased {
                    try db.cachedStatement(sql: "DELETE FROM body WHERE position = ?").execute(
                        arguments: [Int64(clamping: position)])
                }
                Failpoint.beforeCommit.pass()
                return .commit
            }
        }
    }

    /// Binds by hand: GRDB's arguments copy each value into `Data` first, which costs a third of a small commit.
    private static func insertRow(
        _ db: Database, _ first: UInt64, _ count: Int, _ microseconds: Int64, _ root: Digest32, _ chain: Digest32,
        _ log: MerkleLog, _ blob: [UInt8]
    ) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO batch (position, count, committed, root, chain, edge, records) VALUES (?,?,?,?,?,?,?)")
        let handle = statement.sqliteStatement
        let edge = log.savedEdge
        sqlite3_bind_int64(handle, 1, Int64(first))
        sqlite3_bind_int64(handle, 2, Int64(count))
        sqlite3_bind_int64(handle, 3, microseconds)
        // Every pointer below outlives the step: no destructor is passed, and the bindings are cleared before the scope ends.
        let code = withUnsafeBytes(of: root) { root in
            withUnsafeBytes(of: chain) { chain in
                edge.withUnsafeBytes { edge in
                    blob.withUnsafeBytes { blob in
                        sqlite3_bind_blob(handle, 4, root.baseAddress, 32, nil)
                        sqlite3_bind_blob(handle, 5, chain.baseAddress, 32, nil)
                        sqlite3_bind_blob(handle, 6, edge.baseAddress, Int32(edge.count), nil)
                        sqlite3_bind_blob64(handle, 7, blob.baseAddress, UInt64(blob.count), nil)
                        let code = sqlite3_step(handle)
                        sqlite3_reset(handle)
                        sqlite3_clear_bindings(handle)
                        return code
                    }
                }
            }
        }
        guard code == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
        }
    }

    /// By hand as well: a prepared statement for each body would cost more than all the rest of a commit of events.
    private static func insert(
        _ bodies: [(index: Int, bytes: ArraySlice<UInt8>)], first: UInt64, _ db: Database
    ) throws {
        let statement = try db.cachedStatement(sql: "INSERT INTO body (position, bytes) VALUES (?, ?)")
        let handle = statement.sqliteStatement
        for (index, bytes) in bodies {
            sqlite3_bind_int64(handle, 1, Int64(first) + Int64(index))
            // The bytes outlive the step, and the bindings are cleared before the scope ends. An empty body is no NULL.
            let code = bytes.withUnsafeBytes { bytes in
                if bytes.isEmpty {
                    sqlite3_bind_zeroblob(handle, 2, 0)
                } else {
                    sqlite3_bind_blob64(handle, 2, bytes.baseAddress, UInt64(bytes.count), nil)
                }
                let code = sqlite3_step(handle)
                sqlite3_reset(handle)
                sqlite3_clear_bindings(handle)
                return code
            }
            guard code == SQLITE_DONE else {
                throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
            }
        }
    }

    private static func makeFolder(_ folder: String) throws(JournalError) {
        var path = ""
        for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
            path += part + "/"
            if part.isEmpty || part == "." || part == ".." { continue }
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw JournalError(
                    .readOnly, "cannot make the folder \(path): \(String(cString: strerror(errno)))",
                    remedy: "choose a folder that this user may write with --data")
            }
        }
    }

    /// The journal says who asked about whom. SQLite gives the files beside it the mode of the database.
    private static func closeToOthers(_ path: String) {
        let made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if made >= 0 { Glibc.close(made) }
        // Of before, when the folder alone guarded them. Another user's file stays as that user wants it.
        for file in [path, path + "-wal", path + "-shm"] { chmod(file, 0o600) }
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.label = "journal"
        configuration.prepareDatabase { db in
            try db.execute(
                sql: """
                    PRAGMA page_size = 4096;
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = FULL;
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA cache_size = -2000;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA secure_delete = ON;
                    """)
        }
        return configuration
    }

    /// Looks at a file before anything is changed in it.
    private static func refuseForeignFile(_ path: String) throws {
        let size = FileState(path).size
        if size == 0, FileState(path + "-wal").size > 0 {
            throw JournalError(
                .damaged, "\(path) is empty, and its write-ahead log is not",
                remedy: "restore a backup; do not open it with SQLite, which would remove the log")
        }
        guard size > 0 else { return }
        let database = try QuietDatabase.open(path)
        defer { try? database.close() }
        let (id, version, tables, difference) = try database.read { db in
            (
                try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
                try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0,
                try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0,
                try JournalSchema.difference(db)
            )
        }
        guard id == applicationID || (id == 0 && tables == 0) else {
            throw JournalError(
                .foreignFile, "\(path) is a database of another program",
                remedy: "choose another data folder with --data; nothing was changed in this one")
        }
        guard version <= schemaVersion else {
            throw JournalError(
                .newerVersion, "\(path) has schema \(version); this program knows up to \(schemaVersion)",
                remedy: "use the newer program that wrote it")
        }
        let damage = difference ?? FileHeader.difference(path)
        if id == applicationID, let damage { throw JournalError.damaged(path, damage) }
    }

    private static func prepare(_ database: DatabaseQueue) throws {
        try database.write { db in
            if try Int32.fetchOne(db, sql: "PRAGMA application_id") == applicationID { return }
            try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(schemaVersion);")
            try JournalSchema.make(db)
        }
    }

    private static func resume(_ database: DatabaseQueue) throws -> (MerkleLog, Digest32) {
        try database.read { db in
            guard let last = try CheckedBatches.last(db) else {
                try refuseLostTail(db, size: 0)
                return (MerkleLog(), LogHash.empty)
            }
            let sql = """
                SELECT coalesce(CAST(root AS BLOB), x'') AS root, coalesce(CAST(chain AS BLOB), x'') AS chain,
                    coalesce(CAST(edge AS BLOB), x'') AS edge
                FROM batch WHERE position = ?
                """
            let position = Int64(clamping: last.firstPosition)
            let row = try Row.fetchOne(db, sql: sql, arguments: [position]) ?? Row()
            let edgeBytes = [UInt8]((row["edge"] as Data?) ?? Data())
            let edge = stride(from: 0, to: edgeBytes.count - 31, by: 32).compactMap {
                Digest32(edgeBytes[$0..<$0 + 32])
            }
            guard edgeBytes.count == 32 * edge.count,
                let chain = Digest32([UInt8]((row["chain"] as Data?) ?? Data())),
                let log = MerkleLog(size: UInt64(position + last.count - 1), edge: edge),
                log.root.bytes == [UInt8]((row["root"] as Data?) ?? Data())
            else {
                throw JournalError.damaged(
                    at: position, "the last batch of the journal, at position \(position), does not fit together")
            }
            try refuseLostTail(db, size: position + last.count - 1)
            return (log, chain)
        }
    }

    /// A log that lost its end looks whole. What was written beside it may still tell.
    private static func refuseLostTail(_ db: Database, size: Int64) throws {
        let view = try Int64.fetchOne(db, sql: "SELECT max(CAST(position AS INTEGER)) FROM view") ?? 0
        let body = try Int64.fetchOne(db, sql: "SELECT max(position) FROM body") ?? 0
        guard max(view, body) > size else { return }
        throw JournalError.damaged(
            at: size + 1, "the log ends at \(size), but something stands beside it for position \(max(view, body))")
    }

    private static func prefill(_ database: DatabaseQueue, path: String, to bytes: Int) throws {
        if FileState(path + "-wal").size >= bytes { return }
        try database.write { db in
            // A process that was killed right here left the table behind.
            try db.execute(
                sql: """
                    DROP TABLE IF EXISTS prefill; CREATE TABLE prefill (b BLOB);
                    INSERT INTO prefill VALUES (zeroblob(\(bytes)));
                    """)
        }
        try database.write { db in try db.execute(sql: "DROP TABLE prefill") }
        _ = try database.writeWithoutTransaction { try $0.checkpoint(.restart) }
    }
}
